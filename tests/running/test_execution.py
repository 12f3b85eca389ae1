import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from course_utils.running import execution, worker
from course_utils.running.execution import execute
from course_utils.running.notebooks import Notebook

WHO = """\
import json, os, sys
from pathlib import Path
facts = dict(python=sys.executable, epochs=NUM_EPOCHS, progress=os.environ.get("COURSE_PROGRESS"), pid=os.getpid())
Path(RUN_DIR, "facts.json").write_text(json.dumps(facts))
print("a first line\\nthe last line")
"""


def run(path, tmp_path, max_seconds=60.0, **options):
    output = tmp_path / f"{path.stem}.ipynb"
    parameters = {"NUM_EPOCHS": 7, "RUN_DIR": str(tmp_path)}
    return execute(Notebook(path), output, parameters, max_seconds=max_seconds, **options), output


def is_alive(pid):
    """Tell whether a process runs; one that is dead but not yet buried by its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def is_old(path, seconds):
    return path.exists() and time.time() - path.stat().st_mtime > seconds


def wait_until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


@pytest.mark.notebook
def test_a_notebook_runs_in_this_python_with_its_parameters(make_notebook, tmp_path):
    seen = []
    path = make_notebook("05_x{y}", WHO)
    outcome, output = run(path, tmp_path, watch=lambda progress: seen.append((progress.cell, progress.line)))
    facts = json.loads((tmp_path / "facts.json").read_text())
    assert outcome.error is None
    assert 0 < outcome.seconds < 60
    assert Path(facts["python"]).samefile(sys.executable)
    assert (facts["epochs"], facts["progress"]) == (7, "lines")
    assert max(cell for cell, _ in seen) == 6  # five of the notebook and one of papermill's
    assert "the last line" in {line for _, line in seen}
    copy = json.loads(output.read_text())
    assert copy["metadata"]["papermill"]["output_path"] == "05_x{y}.ipynb"
    assert not is_alive(facts["pid"])
    assert [item for item in tmp_path.iterdir() if item.name.startswith(".")] == []


@pytest.mark.notebook
def test_our_own_errors_are_their_sentence_and_the_copy_is_kept(make_notebook, tmp_path):
    fail = "from course_utils.errors import DataError\nraise DataError('the mosaic is cut: fetch it again')"
    outcome, output = run(make_notebook("05_x", "print('before')", fail), tmp_path)
    assert outcome.error == "the mosaic is cut: fetch it again"
    assert "before" in output.read_text()


@pytest.mark.notebook
def test_a_killed_kernel_is_one_sentence(make_notebook, tmp_path):
    outcome, output = run(make_notebook("05_x", "import os; os.kill(os.getpid(), 9)"), tmp_path)
    assert outcome.error == "its kernel was killed, most often for want of memory: try a smaller BATCH_SIZE"
    assert output.exists()


@pytest.mark.notebook
def test_a_notebook_that_takes_too_long_is_ended_with_its_kernel(make_notebook, tmp_path, monkeypatch):
    facts = tmp_path / "facts.json"
    late = SimpleNamespace(
        monotonic=lambda: time.monotonic() + 3600 * is_old(facts, 3.0)
    )  # once it is in the last cell
    monkeypatch.setattr(execution, "time", late)
    path = make_notebook("05_x", WHO, "import time; time.sleep(600)")
    outcome, output = run(path, tmp_path, max_seconds=3000.0)
    assert outcome.error == "not done after 50 minutes: allow more with --timeout, or choose smaller parameters"
    assert "the last line" in output.read_text(), "what was done before is shown"
    assert wait_until(lambda: not is_alive(json.loads(facts.read_text())["pid"]))


def test_a_worker_that_dies_is_one_sentence(make_notebook, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "papermill.py").write_text("raise SystemExit('no papermill here')")
    outcome, output = run(make_notebook("05_x"), tmp_path)
    assert outcome.error == "the process that executes 05_x ended unexpectedly: no papermill here"
    assert output.exists()


@pytest.mark.notebook
def test_a_killed_worker_is_one_sentence_and_its_kernel_ends(make_notebook, tmp_path):
    facts = tmp_path / "facts.json"
    path = make_notebook("05_x", WHO, "import time; os.kill(os.getppid(), 9); time.sleep(600)")
    outcome, output = run(path, tmp_path)
    assert outcome.error == (
        "the process that executes 05_x ended unexpectedly: killed by SIGKILL; the same command goes on from the last "
        "checkpoint"
    )
    assert output.exists()
    assert wait_until(lambda: not is_alive(json.loads(facts.read_text())["pid"]))


class Said:
    """Takes the place of the pipe to the command."""

    def __init__(self):
        self.lines = []

    def write(self, text):
        self.lines.append(json.loads(text))

    def flush(self):
        pass


def test_only_a_kernel_that_does_not_start_is_tried_again(monkeypatch):
    said, tries = Said(), []

    def refuse(task, events):
        tries.append(task)
        raise RuntimeError("Address already in use")

    monkeypatch.setattr(worker, "_execute_once", refuse)
    worker.execute({}, worker.Events(said))
    assert len(tries) == worker.ATTEMPTS_TO_START
    assert said.lines[-1]["end"] == "kernel did not start"

    def die(task, events):
        tries.append(task)
        events.cell_started(cell=None, cell_index=0)
        raise RuntimeError("Kernel died")

    tries.clear()
    monkeypatch.setattr(worker, "_execute_once", die)
    worker.execute({}, worker.Events(said))
    assert len(tries) == 1
    assert said.lines[-1]["end"] == "could not go on"


def test_only_whole_lines_are_passed_on_and_not_too_often():
    said = Said()
    events = worker.Events(said)
    events.write("half a ")
    events.write("line\n")
    events.write("another, at once\n")
    assert said.lines == [{"line": "half a line"}]
    events.said = 0.0
    events.write("10 %\r20 %\r")
    assert said.lines[-1] == {"line": "20 %"}
