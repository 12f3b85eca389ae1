import pytest
from tiny import PARAMETERS

from course_utils import cli
from course_utils.errors import SettingsError
from course_utils.paths import notebooks_dir
from course_utils.pretraining.order import NOTEBOOKS, Order, check
from course_utils.running.notebooks import select


@pytest.mark.parametrize("task", NOTEBOOKS)
def test_parameters_are_the_notebooks_own(task, tmp_path):
    job, folder = check(Order(task, {}, name=f"{tmp_path}/run"))
    [notebook] = select([NOTEBOOKS[task]], notebooks_dir())
    assert job.parameters == {**notebook.defaults(), "RUN_DIR": f"{tmp_path}/run"}
    assert folder == tmp_path / "run"
    assert not folder.exists(), "nothing is written before all is checked"


def test_a_profile_and_the_command_line_replace_values(tmp_path):
    job, _ = check(Order("simclr", {"TEMPERATURE": 0.3}, profile="smoke", name=f"{tmp_path}/run"))
    assert (job.parameters["NUM_EPOCHS"], job.parameters["TEMPERATURE"]) == (2, 0.3)


def test_the_folder_tells_the_profile():
    assert check(Order("simclr", {}, profile="smoke"))[1].name == "pretrain-smoke"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"NUM_EPOCH": 3}, "05_simclr has no parameter NUM_EPOCH: did you mean NUM_EPOCHS?"),
        ({"NUM_EPOCHS": "ten"}, "05_simclr: NUM_EPOCHS must be a whole number, got 'ten'"),
        ({"RUN_DIR": "x"}, "RUN_DIR is set by --name, not by -p"),
        ({"DATASET": "nowhere"}, "nowhere"),
    ],
)
def test_what_is_wrong_is_said_as_elsewhere(values, sentence, tmp_path):
    with pytest.raises(SettingsError, match=sentence.replace("?", r"\?")):
        check(Order("simclr", values, name=f"{tmp_path}/run"))


def test_a_stream_of_nothing_is_not_the_course_itself(tmp_path):
    with pytest.raises(SettingsError, match="--stream names no folder: name one with images in it or below"):
        check(Order("simclr", {}, name=f"{tmp_path}/run", stream=""))


@pytest.mark.parametrize("place", ["gone", "file", "empty", "~nobody.at.all"])
def test_a_stream_that_holds_no_images_is_a_sentence_and_leaves_no_folder(place, tmp_path, capsys):
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    words = ["--stream", place if place[0] == "~" else f"{tmp_path}/{place}", "--name", f"{tmp_path}/run"]
    with pytest.raises(SystemExit) as ended:
        cli.main(["pretrain", "simclr", "--profile", "smoke", *words])
    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert told.startswith("error: ")
    assert told.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_the_words_for_other_processes_mean_the_same(monkeypatch):
    asked = []
    monkeypatch.setattr("course_utils.pretraining.command.pretrain", lambda order: asked.append(order) or Nothing)
    values = {**PARAMETERS, "DATASET": "/data/my images", "LOSS": "nt_xent", "NORMALIZE": False, "FINDING": "1"}
    order = Order("simclr", values, "smoke", "run", None, None, 0.5, True, 7.0, "/data/many images", 3)
    with pytest.raises(SystemExit):
        cli.main(order.words())
    assert asked == [order]


class Nothing:
    words, folder, exit_code = "", "", 0
