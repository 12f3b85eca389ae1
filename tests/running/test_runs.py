import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from samples import MEASURE
from test_execution import is_alive, wait_until

from course_utils.errors import CourseError
from course_utils.running import runs, side_by_side
from course_utils.running.execution import Outcome
from course_utils.running.locking import locked
from course_utils.running.notebooks import DEPENDS_ON, Notebook
from course_utils.running.plan import make_plan
from course_utils.running.profiles import Profile
from course_utils.running.records import Record
from course_utils.running.results import load_record
from course_utils.running.runs import run_plan

NAME = "image/simclr/linear/test_accuracy"


class Quiet:
    """Remembers what a display would show."""

    def __init__(self):
        self.said = []

    def show(self, job, progress):
        pass

    def ended(self, entry):
        self.said.append((entry["name"], entry["status"]))


@pytest.fixture
def executed(monkeypatch):
    """Take the place of execution, which has tests of its own: a notebook does what its last cells' first line says."""
    names = []

    def execute(notebook, output, parameters, *, max_seconds, watch, environment):
        names.append(notebook.name)
        order = notebook.code[2].splitlines()[0]
        if order == "interrupt":
            raise KeyboardInterrupt
        output.write_text("{}")
        if order == "fail":
            return Outcome(1.0, "ZeroDivisionError: division by zero")
        record = Record(notebook.name, parameters["RUN_DIR"], parameters, {"device": "cpu", "precision": "32-true"})
        record.metric(NAME, 0.25 * parameters["NUM_EPOCHS"])
        record.encoder_path(notebook.name).parent.mkdir(exist_ok=True)
        record.encoder_path(notebook.name).write_text("weights")
        if order != "forget":
            record.finish()
        return Outcome(1.0, None)

    monkeypatch.setattr(runs, "execute", execute)
    monkeypatch.setitem(DEPENDS_ON, "03_c", ("01_a", "02_b"))
    return names


@pytest.fixture
def go(make_notebook, tmp_path):
    """Return a function that runs notebooks, given by name and order, and returns statuses and the result."""

    def run(overrides=None, force=False, **orders):
        made = {name: make_notebook(name[1:], order) for name, order in orders.items()}
        notebooks = [Notebook(path) for path in made.values()]
        plan = make_plan(notebooks, Profile("laptop", {}), overrides or {}, str(tmp_path / "run"))
        result = run_plan(plan, Quiet(), force=force)
        assert json.loads((tmp_path / "run" / "summary.json").read_text()) == result.summary
        return {entry["name"]: entry["status"] for entry in result.summary["notebooks"]}, result

    return run


ALL = {"_01_a": "work", "_02_b": "work", "_03_c": "work"}


def test_a_run_gives_exactly_the_summary_that_others_build_on(executed, go, tmp_path):
    statuses, result = go(**ALL)
    assert statuses == {"01_a": "ok", "02_b": "ok", "03_c": "ok"}
    summary = result.summary
    assert set(summary) == {"schema", "profile", "status", "seconds", "environment", "notebooks"}
    assert (summary["schema"], summary["profile"], summary["status"], summary["seconds"]) == (1, "laptop", "ok", 3.0)
    assert set(summary["environment"]) == {"python", "torch", "device", "precision", "cores", "package", "commit"}
    assert (summary["environment"]["device"], summary["environment"]["precision"]) == ("cpu", "32-true")
    assert summary["notebooks"][0] == {
        "name": "01_a",
        "status": "ok",
        "seconds": 1.0,
        "parameters": {"NUM_EPOCHS": 2, "LEARNING_RATE": 0.1, "SEED": 0, "RUN_DIR": str(tmp_path / "run")},
        "metrics": {NAME: 0.5},
        "claims": [],
        "error": None,
    }
    assert result.report.read_text().startswith("<!doctype html>")


def test_what_is_up_to_date_is_not_run_again(executed, go):
    go(**ALL)
    executed.clear()
    statuses, result = go(**ALL)
    assert set(statuses.values()) == {"up-to-date"}
    assert (executed, result.executed) == ([], 0)
    assert result.summary["notebooks"][0]["metrics"] == {NAME: 0.5}


def test_a_change_runs_what_it_touches_and_what_builds_on_it(executed, go):
    go(**ALL)
    statuses, _ = go(**{**ALL, "_02_b": "work\nmore = 1"})
    assert statuses == {"01_a": "up-to-date", "02_b": "ok", "03_c": "ok"}
    statuses, _ = go({"NUM_EPOCHS": 3}, **ALL)
    assert set(statuses.values()) == {"ok"}


@pytest.mark.parametrize("lost", ["02_b.ipynb", "records/02_b.json", "encoders/02_b.safetensors"])
def test_a_result_of_which_a_file_is_lost_is_made_again(executed, go, tmp_path, lost):
    go(**ALL)
    (tmp_path / "run" / lost).unlink()
    statuses, _ = go(**ALL)
    assert (statuses["01_a"], statuses["02_b"]) == ("up-to-date", "ok")


@pytest.mark.parametrize("cut", ["records/02_b.json", "encoders/02_b.safetensors"])
def test_a_result_of_which_a_file_is_cut_is_made_again(executed, go, tmp_path, cut):
    go(**ALL)
    path = tmp_path / "run" / cut
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    statuses, _ = go(**ALL)
    assert (statuses["01_a"], statuses["02_b"]) == ("up-to-date", "ok")


def test_an_interrupted_training_goes_on_only_with_the_same_code(executed, go, tmp_path):
    checkpoint = tmp_path / "run" / "checkpoints" / "01_a" / "x.ckpt"
    kept = {}
    for name, orders, options in (
        ("first", {"_01_a": "interrupt"}, {}),
        ("same", {"_01_a": "interrupt"}, {}),
        ("other code", {"_01_a": "interrupt\nmore = 1"}, {}),
        ("other parameters", {"_01_a": "interrupt\nmore = 1"}, {"overrides": {"NUM_EPOCHS": 9}}),
        ("again", {"_01_a": "interrupt\nmore = 1"}, {"overrides": {"NUM_EPOCHS": 9}}),
        ("force", {"_01_a": "interrupt\nmore = 1"}, {"overrides": {"NUM_EPOCHS": 9}, "force": True}),
    ):
        go(**orders, **options)
        kept[name] = checkpoint.exists()
        checkpoint.touch()
    assert [name for name, was_kept in kept.items() if was_kept] == ["same", "again"]


def test_force_runs_all_and_half_written_copies_go(executed, go, tmp_path):
    go(**ALL)
    (tmp_path / "run" / ".01_a-cut.ipynb").touch()
    statuses, _ = go(force=True, **ALL)
    assert set(statuses.values()) == {"ok"}
    assert not (tmp_path / "run" / ".01_a-cut.ipynb").exists()


def test_a_failure_takes_only_those_with_it_that_build_on_it(executed, go):
    statuses, result = go(**{**ALL, "_01_a": "fail", "_04_d": "work"})
    assert statuses == {"01_a": "failed", "02_b": "ok", "03_c": "skipped", "04_d": "ok"}
    assert executed == ["01_a", "02_b", "04_d"]
    entries = {entry["name"]: entry for entry in result.summary["notebooks"]}
    assert result.summary["status"] == "failed"
    assert entries["01_a"]["error"] == "ZeroDivisionError: division by zero"
    assert entries["03_c"]["error"] == "it builds on 01_a, which did not run well"
    assert entries["01_a"]["metrics"] == {}


def test_a_failed_notebook_keeps_nothing_of_its_earlier_result(executed, go, tmp_path):
    go(_01_a="work")
    go(_01_a="fail")
    assert load_record(tmp_path / "run", "01_a") is None
    assert not (tmp_path / "run" / "encoders" / "01_a.safetensors").exists()
    statuses, _ = go(_01_a="work")
    assert statuses == {"01_a": "ok"}


def test_a_notebook_without_a_record_has_failed(executed, go):
    statuses, result = go(_01_a="forget")
    assert statuses == {"01_a": "failed"}
    assert "record.finish()" in result.summary["notebooks"][0]["error"]


def test_ctrl_c_keeps_what_is_finished_and_the_next_run_goes_on(executed, go):
    statuses, result = go(**{**ALL, "_02_b": "interrupt"})
    assert statuses == {"01_a": "ok", "02_b": "skipped", "03_c": "skipped"}
    assert result.interrupted
    assert result.summary["notebooks"][1]["error"] == "stopped by Ctrl-C"
    statuses, result = go(**ALL)
    assert statuses == {"01_a": "up-to-date", "02_b": "ok", "03_c": "ok"}
    assert not result.interrupted


def test_running_one_notebook_keeps_the_others_results_while_they_are_true(executed, go):
    go(**ALL)
    statuses, result = go(_02_b="work")
    assert set(statuses.values()) == {"up-to-date"}
    assert len(result.summary["notebooks"]) == 3
    statuses, _ = go(_02_b="work\nmore = 1")
    assert statuses == {"01_a": "up-to-date", "02_b": "ok"}, "03_c was made with another 02_b"


def test_a_held_folder_is_left_alone(executed, go, tmp_path):
    with locked(tmp_path / "run"), pytest.raises(CourseError, match="another `course run`"):
        go(**ALL)
    assert executed == []


@pytest.mark.notebook
def test_real_notebooks_run_fail_and_are_up_to_date(make_notebook, tmp_path, monkeypatch):
    """The same with nothing in anyone's place."""
    monkeypatch.setitem(DEPENDS_ON, "03_c", ("02_b",))
    cells = {"01_a": MEASURE, "02_b": "1 / 0", "03_c": MEASURE}
    notebooks = [Notebook(make_notebook(name, cell)) for name, cell in cells.items()]
    plan = make_plan(notebooks, Profile("laptop", {}), {}, str(tmp_path / "run"))
    display = Quiet()
    first = run_plan(plan, display)
    assert display.said == [("01_a", "ok"), ("02_b", "failed"), ("03_c", "skipped")]
    assert first.summary["notebooks"][0]["metrics"] == {NAME: 0.5}
    assert run_plan(make_plan(notebooks[:1], Profile("laptop", {}), {}, str(tmp_path / "run")), display).executed == 0


WAIT = """\
import os, time
from pathlib import Path
Path(RUN_DIR, "checkpoints", "02_b").mkdir(parents=True, exist_ok=True)
Path(RUN_DIR, "checkpoints", "02_b", "x.ckpt").write_text(str(os.getpid()))
time.sleep(0 if Path(RUN_DIR, "go-on").exists() else 600)
"""


@pytest.mark.notebook
@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_a_stopped_command_leaves_no_kernel_and_goes_on_later(make_notebook, tmp_path, sent, code):
    paths = [str(make_notebook("01_a", MEASURE)), str(make_notebook("02_b", WAIT, MEASURE))]
    command = [sys.executable, "-m", "course_utils", "run", *paths, "--name", f"{tmp_path}/run"]
    checkpoint = tmp_path / "run" / "checkpoints" / "02_b" / "x.ckpt"
    restore = {
        "preexec_fn": lambda: signal.signal(signal.SIGINT, signal.default_int_handler)
    }  # background jobs ignore it
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **restore) as stopped:
        assert wait_until(checkpoint.exists, 60.0)
        assert wait_until(checkpoint.read_text)
        kernel = int(checkpoint.read_text())
        os.kill(stopped.pid, sent)
        _, errors = stopped.communicate(timeout=30)
    assert stopped.returncode == code
    assert "Traceback" not in errors
    assert wait_until(lambda: not is_alive(kernel))
    assert checkpoint.exists()

    Path(tmp_path, "run", "go-on").touch()
    again = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "up to date  01_a" in again.stdout
    assert "ok  02_b" in again.stdout
    assert not checkpoint.exists()


SEE_THE_OTHER = """\
import os, time
from pathlib import Path
Path(RUN_DIR, f"{record.notebook}.threads").write_text(os.environ["OMP_NUM_THREADS"])
end = time.monotonic() + 60
while len(list(Path(RUN_DIR).glob("*.threads"))) < 2 and time.monotonic() < end:
    time.sleep(0.05)
record.metric("image/others/number", len(list(Path(RUN_DIR).glob("*.threads"))))
"""


@pytest.mark.notebook
def test_two_notebooks_run_at_the_same_time_and_a_third_waits_for_both(make_notebook, tmp_path, monkeypatch):
    monkeypatch.setitem(DEPENDS_ON, "03_c", ("01_a", "02_b"))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(side_by_side, "count_cores", lambda: 6)
    cells = {"01_a": SEE_THE_OTHER, "02_b": SEE_THE_OTHER, "03_c": SEE_THE_OTHER}
    notebooks = [Notebook(make_notebook(name, cell)) for name, cell in cells.items()]
    plan = make_plan(notebooks, Profile("laptop", {}), {}, str(tmp_path / "run"))
    result = run_plan(plan, Quiet(), num_jobs=2)
    assert [(entry["name"], entry["status"]) for entry in result.summary["notebooks"]] == [
        ("01_a", "ok"),
        ("02_b", "ok"),
        ("03_c", "ok"),
    ]
    assert [entry["metrics"]["image/others/number"] for entry in result.summary["notebooks"]] == [2, 2, 3]
    assert {path.read_text() for path in (tmp_path / "run").glob("*.threads")} == {"3"}


@pytest.mark.notebook
@pytest.mark.parametrize(("sent", "code", "word"), [(signal.SIGINT, 130, "Ctrl-C"), (signal.SIGTERM, 143, "SIGTERM")])
def test_a_stop_ends_all_that_run_side_by_side_and_keeps_what_is_finished(make_notebook, tmp_path, sent, code, word):
    waits = {name: WAIT.replace("02_b", name) for name in ("02_b", "03_x")}
    paths = [make_notebook("01_a", MEASURE), *(make_notebook(name, cell, MEASURE) for name, cell in waits.items())]
    command = [
        sys.executable,
        "-m",
        "course_utils",
        "run",
        *map(str, paths),
        "--name",
        f"{tmp_path}/run",
        "--jobs",
        "2",
    ]
    files = [tmp_path / "run" / "checkpoints" / name / "x.ckpt" for name in waits]
    restore = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.default_int_handler)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **restore) as stopped:
        assert wait_until(lambda: all(path.exists() and path.read_text() for path in files), 90.0)
        kernels = [int(path.read_text()) for path in files]
        os.kill(stopped.pid, sent)
        _, errors = stopped.communicate(timeout=30)
    assert stopped.returncode == code
    assert errors == f"stopped by {word}: what was finished is kept, and the same command goes on from here\n"
    assert wait_until(lambda: not any(map(is_alive, kernels)))
    entries = json.loads((tmp_path / "run" / "summary.json").read_text())["notebooks"]
    assert [entry["status"] for entry in entries] == ["ok", "skipped", "skipped"]
    assert [entry["error"] for entry in entries] == [None, f"stopped by {word}", f"stopped by {word}"]
