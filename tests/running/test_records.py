import json
import statistics

import matplotlib as mpl
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image
from samples import SAMPLE

from course_utils import paths
from course_utils.errors import CourseError, SettingsError
from course_utils.running.records import Record, load_record, start_notebook

mpl.use("agg")
NAME = "image/simclr/linear/test_accuracy"


@pytest.fixture
def record(tmp_path):
    return Record("05_simclr", tmp_path / "run", {"SEED": 0}, {"device": "cpu"})


def test_a_finished_record_holds_everything(record, tmp_path):
    record.metric("image/simclr/views_per_second", torch.tensor(4100))
    record.metric_over_seeds(NAME, [0.6, 0.7, 0.65])
    record.claim("better", "It is better.", "A paper, table 1", holds=torch.tensor(True), evidence={"gain": 0.2})
    record.figure(Figure(), "loss", "The loss falls.")
    record.encoder_path("simclr")
    record.finish()

    kept = load_record(tmp_path / "run", "05_simclr")
    assert kept["notebook"] == "05_simclr"
    assert kept["status"] == "ok"
    assert kept["parameters"] == {"SEED": 0}
    assert kept["environment"] == {"device": "cpu"}
    assert kept["metrics"] == {
        "image/simclr/views_per_second": 4100,
        NAME: pytest.approx(0.65),
        f"{NAME}_sd": pytest.approx(statistics.stdev([0.6, 0.7, 0.65])),
    }
    assert kept["claims"] == [
        {
            "id": "better",
            "statement": "It is better.",
            "source": "A paper, table 1",
            "holds": True,
            "evidence": {"gain": 0.2},
        }
    ]
    assert kept["figures"] == [{"file": "figures/05_simclr_loss.png", "caption": "The loss falls."}]
    assert kept["encoders"] == ["encoders/simclr.safetensors"]
    assert kept["seconds"] >= 0
    assert kept["started"] <= kept["finished"]


def test_nothing_is_written_before_the_end(record, tmp_path):
    record.metric(NAME, 0.5)
    assert load_record(tmp_path / "run", "05_simclr") is None


def test_one_seed_has_no_spread(record):
    record.metric_over_seeds(NAME, [0.5, 0.7])
    record.metric_over_seeds(NAME, [0.5])  # the learner ran the cell again with one seed
    assert record.metrics == {NAME: 0.5}
    with pytest.raises(ValueError, match="needs a value for each seed"):
        record.metric_over_seeds(NAME, [])


def test_bad_metrics_are_refused(record):
    with pytest.raises(ValueError, match="lower case"):
        record.metric("Accuracy", 0.5)
    with pytest.raises(ValueError, match=f"{NAME} must be a finite number"):
        record.metric(NAME, float("nan"))
    assert record.metrics == {}


def test_bad_claims_are_refused(record):
    with pytest.raises(ValueError, match="lower case with hyphens"):
        record.claim("Too Loud", "s", "p", holds=True, evidence={})
    with pytest.raises(ValueError, match="needs a statement and a source"):
        record.claim("mute", "  ", "p", holds=True, evidence={})
    with pytest.raises(ValueError, match="vague: all must be a finite number, text or truth"):
        record.claim("vague", "s", "p", holds=True, evidence={"all": [1, 2]})
    assert record.claims == {}


def test_a_claim_made_again_replaces_the_first(record):
    for holds in (True, False):
        record.claim("x", "s", "p", holds=holds, evidence={})
    assert [claim["holds"] for claim in record.claims.values()] == [False]


def test_a_figure_is_kept_closed_and_shown_as_it_is_kept(record, tmp_path):
    import matplotlib.pyplot as plt

    shown = record.figure(plt.figure(), "loss", "A caption")
    assert plt.get_fignums() == []
    path = tmp_path / "run" / "figures" / "05_simclr_loss.png"
    assert shown.data == path.read_bytes()
    assert shown.alt == "A caption"
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        assert shown.width == picture.width // 2
    with pytest.raises(ValueError, match="lower case with hyphens"):
        record.figure(Figure(), "../loss", "A caption")


def test_the_end_deletes_only_this_notebooks_checkpoints(record, tmp_path):
    other = tmp_path / "run" / "checkpoints" / "01_supervised_baselines" / "x.ckpt"
    for path in (record.checkpoint_path("simclr"), other):
        path.parent.mkdir(parents=True)
        path.write_text("state")
    record.finish()
    assert not record.checkpoint_path("simclr").exists()
    assert other.exists()


def test_this_runs_encoder_comes_before_a_shipped_one(record, tmp_path, monkeypatch):
    monkeypatch.setattr("course_utils.running.records.shipped_encoders_dir", lambda: tmp_path / "shipped")
    with pytest.raises(CourseError, match=r"no encoder 'simclr'.*first run the notebook that trains it"):
        record.find_encoder("simclr")
    for folder, origin in (("shipped", "shipped with the course"), ("run/encoders", "this run")):
        (tmp_path / folder).mkdir(parents=True)
        for suffix in (".safetensors", ".json"):
            (tmp_path / folder / f"simclr{suffix}").touch()
        assert record.find_encoder("simclr") == (tmp_path / folder / "simclr.safetensors", origin)


def test_what_another_notebook_measured_on_the_same_data_is_found(tmp_path):
    data = {"DATASET": "cifar10-mini", "IMAGE_SIZE": 32, "NUM_TRAIN_IMAGES": 0}
    record, name = Record("03_x", tmp_path, {**data, "SEED": 1}), "image/kmeans/linear/test_accuracy"
    assert record.find_metric("01_x", name) is None
    other = Record("01_x", tmp_path, {**data, "SEED": 2})
    other.metric(name, 0.66)
    other.finish()
    assert record.find_metric("01_x", name) == 0.66
    assert record.find_metric("01_x", "image/pixels/linear/test_accuracy") is None
    assert Record("03_x", tmp_path, {**data, "NUM_TRAIN_IMAGES": 500}).find_metric("01_x", name) is None


def test_a_folder_that_cant_be_written_is_one_sentence_at_once(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CourseError, match=r"can't write to .*: .*; choose another RUN_DIR"):
        Record("05_simclr", tmp_path / "file" / "run", {})


def test_a_relative_run_dir_counts_from_the_projects_root(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "project_root", lambda: tmp_path)
    assert Record("05_simclr", "runs/x", {}, {"device": "cpu"}).run_dir == tmp_path / "runs" / "x"


@pytest.mark.parametrize("content", ["", "{", "[]", json.dumps({"notebook": "other"})])
def test_a_damaged_record_is_no_record(tmp_path, content):
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "05_simclr.json").write_text(content)
    assert load_record(tmp_path, "05_simclr") is None


def test_starting_a_notebook_gives_settings_device_seed_and_record(sample_settings, tmp_path):
    settings, fabric, record = start_notebook("05_simclr", {**SAMPLE, "SEED": 7, "RUN_DIR": str(tmp_path)})
    first = torch.rand(3)
    torch.manual_seed(7)
    assert torch.equal(first, torch.rand(3))
    assert settings.seeds == [0, 1, 2]
    assert fabric.device.type == "cpu"
    assert record.notebook == "05_simclr"
    assert record.parameters["NUM_EPOCHS"] == 18
    assert record.environment["device"] == "cpu"
    assert record.environment["precision"] == "32-true"
    assert record.environment["torch"].startswith("2.")


def test_starting_a_notebook_with_a_wrong_parameter_leaves_nothing(sample_settings, tmp_path):
    with pytest.raises(SettingsError, match="NUM_NEIGHBORS must be at least 1"):
        start_notebook("05_simclr", {**SAMPLE, "NUM_NEIGHBORS": 0, "RUN_DIR": str(tmp_path / "run")})
    assert not (tmp_path / "run").exists()


def test_an_encoders_info_says_what_made_it(tmp_path):
    record = Record("05_simclr", tmp_path, SAMPLE, {"device": "cpu"})
    info = record.encoder_info("compact", "SimCLR", num_train_images=9000)
    assert json.loads(json.dumps(info)) == info
    assert (info["encoder"], info["task"], info["dataset"]) == ("compact", "SimCLR", "cifar10-mini")
    assert (info["notebook"], info["parameters"], info["num_train_images"]) == ("05_simclr", SAMPLE, 9000)


def test_checkpoints_belong_to_the_parameters_but_not_to_the_folder(tmp_path):
    def identity(**changes):
        return Record("05_simclr", tmp_path, {**SAMPLE, **changes}, {"device": "cpu"}).identity

    assert identity() == identity(RUN_DIR="elsewhere")
    assert identity() != identity(TEMPERATURE=0.2)
