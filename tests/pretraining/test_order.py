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


def test_the_words_for_other_processes_mean_the_same(monkeypatch):
    asked = []
    monkeypatch.setattr("course_utils.pretraining.command.pretrain", lambda order: asked.append(order) or Nothing)
    values = {**PARAMETERS, "DATASET": "/data/my images", "LOSS": "nt_xent", "NORMALIZE": False, "FINDING": "1"}
    order = Order("simclr", values, "smoke", "run", None, None, 0.5, True, 7.0)
    with pytest.raises(SystemExit):
        cli.main(order.words())
    assert asked == [order]


class Nothing:
    words, folder, exit_code = "", "", 0
