import json
import os
from types import SimpleNamespace

import pytest
from PIL import Image
from samples import SAMPLE

from course_utils.errors import DataError, SettingsError
from course_utils.paths import notebooks_dir, project_root
from course_utils.running import parameter_types as types
from course_utils.running import preflight
from course_utils.running.notebooks import Notebook, select
from course_utils.running.plan import make_plan
from course_utils.running.profiles import Profile
from course_utils.running.settings import SETTINGS, ImageSettings, validate

LAPTOP = Profile("laptop", {})


def cell(parameters):
    return "".join(f"{name} = {value!r}  # why\n" for name, value in parameters.items())


EVALUATION = {name: value for name, value in SAMPLE.items() if name not in ("NUM_EPOCHS", "BATCH_SIZE")}


class OtherSettings(ImageSettings):
    learning_rate: types.LearningRate
    temperature: types.Temperature
    gray_prob: types.Probability
    loss: types.ContrastiveLoss
    num_neighbors: types.NumNeighbors
    color_strength: types.Strength
    seeds: types.Seeds


@pytest.fixture
def simclr(make_notebook, sample_settings):
    return Notebook(make_notebook("05_simclr", parameters=cell(SAMPLE)))


@pytest.fixture
def evaluation(make_notebook, monkeypatch):
    monkeypatch.setitem(SETTINGS, "06_linear_evaluation", OtherSettings)
    return Notebook(make_notebook("06_linear_evaluation", parameters=cell(EVALUATION)))


@pytest.fixture(autouse=True)
def data(monkeypatch):
    """Stand in for the data sets, which have tests of their own: one of 500 training images, all others missing."""

    def describe(dataset):
        if dataset != "cifar10-mini":
            raise DataError(f"there is no data set {dataset}")
        return SimpleNamespace(name=dataset, num_train=500)

    monkeypatch.setattr(preflight, "_describe", describe)


def problems(*arguments, **options):
    with pytest.raises(SettingsError) as caught:
        make_plan(*arguments, **options)
    return str(caught.value).splitlines()


def test_profile_replaces_the_notebooks_values_and_p_replaces_the_profiles(simclr, evaluation):
    profile = Profile("smoke", {"05_simclr": {"NUM_EPOCHS": 2, "BATCH_SIZE": 64}})
    plan = make_plan([simclr, evaluation], profile, {"NUM_EPOCHS": 3, "SEED": 9})
    first, second = plan.jobs
    assert plan.profile == "smoke"
    assert first.parameters == {
        **SAMPLE,
        "NUM_EPOCHS": 3,
        "BATCH_SIZE": 64,
        "SEED": 9,
        "RUN_DIR": "runs/smoke",
    }
    assert second.parameters == {**EVALUATION, "SEED": 9, "RUN_DIR": "runs/smoke"}
    assert plan.run_dir == project_root() / "runs" / "smoke"


def test_a_run_in_a_folder_elsewhere(simclr, tmp_path):
    plan = make_plan([simclr], LAPTOP, {}, f"{tmp_path}/there")
    assert plan.run_dir == tmp_path / "there"
    assert plan.jobs[0].parameters["RUN_DIR"] == str(tmp_path / "there")
    assert not plan.run_dir.exists()


def test_all_problems_are_told_at_once(simclr, evaluation):
    told = problems(
        [simclr, evaluation], LAPTOP, {"NUM_EPOCHS": 0, "NUM_NEIGHBOURS": 5, "DEVICE": "gpu", "RUN_DIR": "x"}
    )
    assert told[:2] == [
        "no notebook of this run has a parameter NUM_NEIGHBOURS: did you mean NUM_NEIGHBORS?",
        "RUN_DIR is set by --name, not by -p",
    ]
    assert [line.split(" must be ")[0] for line in told[2:]] == [
        "05_simclr: DEVICE",
        "05_simclr: NUM_EPOCHS",
        "06_linear_evaluation: DEVICE",
    ]


def test_an_unknown_parameter_of_one_notebook(simclr):
    assert problems([simclr], LAPTOP, {"NUM_EPOCH": 3}) == [
        "05_simclr has no parameter NUM_EPOCH: did you mean NUM_EPOCHS?"
    ]


def test_a_profile_with_an_unknown_notebook_or_parameter(simclr):
    profile = Profile("mine", {"05_simcrl": {}, "05_simclr": {"NUM_EPOCH": 1}})
    assert problems([simclr], profile, {}) == [
        "the profile mine names 05_simcrl, which is no notebook: did you mean 05_simclr?",
        "05_simclr has no parameter NUM_EPOCH: did you mean NUM_EPOCHS?",
    ]


def test_a_batch_larger_than_the_data(simclr):
    sentence = (
        "05_simclr: BATCH_SIZE must be at most {}, the number of training images, got {}; `-p BATCH_SIZE {}` sets it"
    )
    assert problems([simclr], LAPTOP, {"BATCH_SIZE": 501}) == [sentence.format(500, 501, 256)]
    assert problems([simclr], LAPTOP, {"NUM_TRAIN_IMAGES": 100}) == [sentence.format(100, 256, 64)]
    assert make_plan([simclr], LAPTOP, {"BATCH_SIZE": 500}).jobs


def test_more_training_images_than_there_are(simclr):
    [problem] = problems([simclr], LAPTOP, {"NUM_TRAIN_IMAGES": 501})
    assert problem.startswith("05_simclr: NUM_TRAIN_IMAGES must be at most 500, the training images of cifar10-mini")


def test_missing_data_are_told_once_for_all_notebooks(simclr, evaluation):
    assert problems([simclr, evaluation], LAPTOP, {"DATASET": "gone"}) == ["there is no data set gone"]


def test_a_notebook_of_ones_own_takes_the_types_of_its_own_values(make_notebook):
    own = Notebook(make_notebook("my_notebook"))
    assert make_plan([own], LAPTOP, {"NUM_EPOCHS": 5}).jobs[0].parameters["NUM_EPOCHS"] == 5
    assert problems([own], LAPTOP, {"NUM_EPOCHS": "five"}) == [
        "my_notebook: NUM_EPOCHS must be a whole number, got 'five'"
    ]


def test_a_run_folder_that_cant_be_written(simclr, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    [problem] = problems([simclr], LAPTOP, {}, f"{tmp_path}/file/run")
    assert problem.endswith("/file is a file; choose another name with --name")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    [problem] = problems([simclr], LAPTOP, {}, f"{tmp_path}/run")
    assert f"no permission for {tmp_path}; choose a folder with --name" in problem


def test_a_notebook_is_never_run_onto_itself(make_notebook, tmp_path):
    own = Notebook(make_notebook("my_notebook"))
    (own.path.parent / "records").mkdir()
    [problem] = problems([own], LAPTOP, {}, str(own.path.parent) + "/")
    assert problem == f"{own.path} lies where its executed copy would go: choose another folder with --name"


def test_scenes_are_looked_at_before_anything_runs(tmp_path, monkeypatch):
    [notebook] = select(["09"], notebooks_dir())
    settings = validate(notebook.name, {**notebook.defaults(), "SCENES": str(tmp_path)})
    image = {"id": 1, "file_name": "cup.png", "width": 40, "height": 20}
    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5]}
    content = {"images": [image], "annotations": [box], "categories": [{"id": 1, "name": "cup"}]}
    for split in ("train", "val", "test"):
        (tmp_path / f"{split}.json").write_text(json.dumps(content))
    Image.new("RGB", (40, 20)).save(tmp_path / "cup.png")
    assert preflight.data_problems([(notebook.name, settings)]) == []
    Image.new("RGB", (20, 10)).save(tmp_path / "cup.png")
    [sentence] = preflight.data_problems([(notebook.name, settings)] * 2)  # as in a sweep: said once
    assert "cup.png has 20 × 10 pixels, but" in sentence


def test_a_corpus_is_looked_at_before_anything_runs(tmp_path):
    [notebook] = select(["04"], notebooks_dir())
    (tmp_path / "a.txt").write_text("ten words " * 5)

    def problems(corpus):
        settings = validate(notebook.name, {**notebook.defaults(), "CORPUS": corpus})
        return preflight.data_problems([(notebook.name, settings)])

    assert problems("sotu") == []
    [sentence] = problems(str(tmp_path))
    assert "has 10 words, too few to learn a language from" in sentence
    [sentence] = problems(str(tmp_path / "absent"))
    assert "there is no data set or folder" in sentence
