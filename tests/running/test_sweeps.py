"""Sweeps from end to end: nothing is lost, nothing is done twice, whatever happens."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest
from samples import MEASURE
from test_execution import is_alive, wait_until

from course_utils.errors import CourseError
from course_utils.paths import project_root
from course_utils.running import run_notebook, runs, sweep
from course_utils.running.execution import Outcome
from course_utils.running.locking import locked
from course_utils.running.records import Record
from course_utils.running.sweeps import SweepOptions
from course_utils.running.sweeps.cluster import choose_size
from course_utils.running.sweeps.task import do_run

NAME = "image/simclr/linear/test_accuracy"
SPEC = {"grid": {"NUM_EPOCHS": [1, 2]}, "seeds": [0, 1]}
ONE_WORKER = SweepOptions(workers=1)


class Told:
    """Remembers what a display would show."""

    def __init__(self):
        self.entries, self.sizes = [], []

    def started(self, entries, size):
        self.sizes.append(size)

    def ended(self, entry):
        self.entries.append((entry["folder"], entry["status"]))


@pytest.fixture
def executed(monkeypatch):
    """Take the place of execution, which has tests of its own; the runs still go through dask."""
    calls = []

    def execute(notebook, output, parameters, *, max_seconds, watch, environment):
        calls.append((parameters["NUM_EPOCHS"], parameters["SEED"], environment["OMP_NUM_THREADS"]))
        order = Path(notebook.path.parent, "order")
        if order.exists() and parameters["NUM_EPOCHS"] == 2:
            return Outcome(1.0, order.read_text())
        output.write_text("{}")
        record = Record(notebook.name, parameters["RUN_DIR"], parameters, {"device": "cpu", "precision": "32-true"})
        record.metric(NAME, 0.25 * parameters["NUM_EPOCHS"] + 0.01 * parameters["SEED"])
        record.finish()
        return Outcome(1.0, None)

    monkeypatch.setattr(runs, "execute", execute)
    return calls


@pytest.fixture
def go(make_notebook, tmp_path):
    """Return a function that sweeps a notebook and returns the result and each run's status."""

    def run(cell=MEASURE, options=ONE_WORKER, display=None, **spec):
        notebook = str(make_notebook("05_x", cell))
        result = sweep({"notebook": notebook, **SPEC, **spec}, name=f"{tmp_path}/out", options=options, display=display)
        assert json.loads((tmp_path / "out" / "sweep.json").read_text()) == result.manifest
        assert [path.name for path in (tmp_path / "out").glob(".stop*")] == []
        return result, [entry["status"] for entry in result.manifest["runs"]]

    return run


def test_each_run_has_a_folder_with_all_that_a_run_leaves(executed, go, tmp_path):
    result, statuses = go()
    assert statuses == ["ok"] * 4
    assert sorted(call[:2] for call in executed) == [(1, 0), (1, 1), (2, 0), (2, 1)]
    metrics = [summary["notebooks"][0]["metrics"][NAME] for summary in result.summaries().values()]
    assert metrics == [0.25, 0.26, 0.5, 0.51]
    for entry in result.manifest["runs"]:
        folder = tmp_path / "out" / entry["folder"]
        assert {path.name for path in folder.iterdir()} >= {"summary.json", "report.html", "records", "05_x.ipynb"}
    assert (result.executed, result.interrupted, result.failed) == (4, False, [])


def test_what_is_finished_is_never_repeated(executed, go):
    go()
    executed.clear()
    assert go()[1] == ["up-to-date"] * 4
    result, statuses = go(seeds=[1, 2])
    assert statuses == ["up-to-date", "ok"] * 2
    assert sorted(call[:2] for call in executed) == [(1, 2), (2, 2)]
    assert result.executed == 2
    executed.clear()
    go(cell=MEASURE + "more = 1")
    assert len(executed) == 4, "another notebook gives other results"
    go(options=SweepOptions(workers=1, force=True), cell=MEASURE + "more = 1")
    assert len(executed) == 8


def test_values_that_a_sweep_no_longer_has_lose_nothing(executed, go, tmp_path):
    go()
    go(parameters={"LEARNING_RATE": 0.5})
    executed.clear()
    assert go()[1] == ["up-to-date"] * 4
    assert executed == []
    assert len(list((tmp_path / "out").glob("*/summary.json"))) == 8


def test_a_failed_run_stops_no_other_and_is_tried_again(executed, go, tmp_path):
    order = tmp_path / "notebooks" / "order"
    order.parent.mkdir()
    order.write_text("ZeroDivisionError: division by zero")
    result, statuses = go()
    assert statuses == ["ok", "ok", "failed", "failed"]
    assert {entry["error"] for entry in result.failed} == {"05_x: ZeroDivisionError: division by zero"}
    executed.clear()
    order.unlink()
    result, statuses = go(seeds=[0, 1, 2], options=SweepOptions(workers=1, retry_failed=True))
    assert statuses == ["up-to-date", "up-to-date", "waiting", "ok", "ok", "waiting"]
    assert sorted(call[:2] for call in executed) == [(2, 0), (2, 1)]
    assert go(seeds=[0, 1, 2])[1] == ["up-to-date", "up-to-date", "ok", "up-to-date", "up-to-date", "ok"]


@pytest.mark.parametrize("lost", ["records/05_x.json", "05_x.ipynb"])
def test_a_result_of_which_a_file_is_lost_is_made_again(executed, go, tmp_path, lost):
    result, _ = go()
    (tmp_path / "out" / result.manifest["runs"][2]["folder"] / lost).unlink()
    assert go()[1] == ["up-to-date", "up-to-date", "ok", "up-to-date"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": 1}', '{"schema": 2, "runs": []}'])
def test_a_damaged_manifest_costs_nothing(executed, go, tmp_path, content):
    go()
    (tmp_path / "out" / "sweep.json").write_text(content)
    assert go()[1] == ["up-to-date"] * 4


def test_the_cores_are_shared_among_runs_beside_each_other(executed, go, monkeypatch):
    told = Told()
    go(options=SweepOptions(workers=2, threads=3), display=told)
    assert {call[2] for call in executed} == {"3"}
    assert [(size.workers, size.threads) for size in told.sizes] == [(2, 3)]
    assert sorted(status for _, status in told.entries) == ["ok"] * 4


@pytest.mark.parametrize(
    ("cores", "gigabytes", "gpus", "wanted", "size"),
    [
        (16, 64, "", None, (10, 1)),
        (16, 6.5, "", None, (4, 4)),
        (16, 0.1, "", None, (1, 16)),
        (2, 64, "", None, (2, 1)),
        (16, 64, "0,3", None, (2, 8)),
        (16, 64, "", 3, (3, 5)),
        (2, 64, "", 64, (10, 1)),
    ],
)
def test_as_many_runs_as_cores_memory_and_gpus_allow(monkeypatch, cores, gigabytes, gpus, wanted, size):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", gpus)
    monkeypatch.setattr("course_utils.running.sweeps.cluster.count_cores", lambda: cores)
    monkeypatch.setattr("course_utils.running.sweeps.cluster.free_memory", lambda: int(gigabytes * 2**30))
    chosen = choose_size(10, wanted)
    assert (chosen.workers, chosen.threads) == size
    assert chosen.gpus == tuple(gpus.split(",") if gpus else ())


def test_what_is_made_later_computes_with_as_many_threads(executed, go, monkeypatch):
    monkeypatch.setattr("course_utils.running.sweeps.cluster.count_cores", lambda: 8)
    monkeypatch.setattr("course_utils.running.sweeps.cluster.free_memory", lambda: 2**40)
    go(options=SweepOptions())
    monkeypatch.setattr("course_utils.running.sweeps.cluster.free_memory", lambda: 2**20)
    go(options=SweepOptions(), seeds=[0, 1, 2])
    assert len(executed) == 6
    assert {call[2] for call in executed} == {"2"}


def test_two_sweeps_in_one_folder_at_once_are_one_too_many(executed, go, tmp_path):
    with locked(tmp_path / "out"), pytest.raises(CourseError, match="wait for it, or choose another folder"):
        go()
    assert executed == []


def task_for(make_notebook, tmp_path, **changes):
    (tmp_path / "out").mkdir(exist_ok=True)
    (tmp_path / "out" / "sweep.json").touch()
    parameters = {"NUM_EPOCHS": 1, "LEARNING_RATE": 0.1, "SEED": 0, "RUN_DIR": f"{tmp_path}/out/x"}
    return {
        "folder": f"{tmp_path}/out",
        "run_dir": f"{tmp_path}/out/x",
        "profile": "laptop",
        "notebooks": [(str(make_notebook("05_x")), parameters)],
        "code": "",
        "stop": f"{tmp_path}/out/.stop",
        "threads": 1,
        "gpus": [],
        "max_seconds": 60.0,
        "force": False,
        **changes,
    }


def test_a_worker_with_another_course_refuses(executed, make_notebook, tmp_path):
    done = do_run(task_for(make_notebook, tmp_path))
    assert done["status"] == "failed"
    assert "not what the sweep began with" in done["error"]
    assert executed == []


def test_a_worker_that_does_not_see_the_folder_refuses(make_notebook, tmp_path, monkeypatch):
    monkeypatch.setattr("course_utils.running.sweeps.task.SECONDS_FOR_FILES", 0.0)
    done = do_run(task_for(make_notebook, tmp_path, folder=f"{tmp_path}/elsewhere"))
    assert "must be on a disk that all machines share" in done["error"]


def test_a_stopped_sweep_begins_nothing(executed, make_notebook, tmp_path):
    task = task_for(make_notebook, tmp_path)
    Path(task["stop"]).touch()
    assert do_run(task)["status"] == "stopped"
    assert executed == []


def test_the_api_needs_no_torch_to_be_imported():
    code = "import sys; from course_utils.running import run_notebook, sweep; print({'torch', 'dask'} & {*sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout == "set()\n"


def test_one_notebook_from_python(executed, make_notebook, tmp_path):
    notebook = make_notebook("05_x")
    summary = run_notebook(
        str(notebook), {"NUM_EPOCHS": 3}, name=f"{tmp_path}/one", environment={"OMP_NUM_THREADS": "1"}
    )
    assert summary["notebooks"][0]["metrics"][NAME] == 0.75
    with pytest.raises(CourseError, match="did you mean NUM_EPOCHS"):
        run_notebook(str(notebook), {"NUM_EPOCH": 3}, name=f"{tmp_path}/one")


# What follows runs the command and real kernels.

COUNTED = f"""\
from pathlib import Path
import time
Path(RUN_DIR, "times").open("a").write("x")
time.sleep(0 if Path(RUN_DIR).parent.joinpath("go-on").exists() else 600 * (NUM_EPOCHS == 2))
{MEASURE}"""
"""Counts how often it is executed; with two epochs it waits for a file `go-on`."""


@pytest.fixture
def command(make_notebook, tmp_path):
    """Return the command line of a sweep over four runs, of which two wait for a file `go-on`."""
    spec = tmp_path / "spec.yaml"
    spec.write_text(json.dumps({"notebook": str(make_notebook("05_x", COUNTED)), **SPEC}))
    return [sys.executable, "-m", "course_utils", "sweep", str(spec), "--name", f"{tmp_path}/out"]


def times(tmp_path):
    """Return how often each run was executed, by its number of epochs."""
    counts = Counter()
    for path in (tmp_path / "out").glob("*/times"):
        counts[int(path.parent.name.removeprefix("num_epochs-")[0])] += len(path.read_text())
    return counts


def metrics(tmp_path):
    folders = json.loads((tmp_path / "out" / "sweep.json").read_text())["runs"]
    summaries = [json.loads((tmp_path / "out" / run["folder"] / "summary.json").read_text()) for run in folders]
    return [summary["notebooks"][0]["metrics"][NAME] for summary in summaries]


def kernels(tmp_path):
    """Return the processes that have the sweep's folder among their words or variables."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes()
            folder = str((entry / "cwd").readlink())
        except OSError:
            continue
        if b"ipykernel" in words and folder.startswith(str(tmp_path)):
            found.append(int(entry.name))
    return found


@pytest.mark.notebook
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_stopped_sweep_leaves_no_kernel_keeps_what_is_done_and_goes_on(command, tmp_path, sent, code):
    restore = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.default_int_handler)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **restore) as stopped:
        assert wait_until(lambda: times(tmp_path) == {1: 2, 2: 2}, 60.0)
        alive = kernels(tmp_path)
        assert alive
        os.kill(stopped.pid, sent)
        out, errors = stopped.communicate(timeout=60)
    assert stopped.returncode == code
    assert "Traceback" not in out + errors
    assert sent == signal.SIGKILL or "stopped by Ctrl-C: what was finished is kept" in errors
    assert wait_until(lambda: not any(is_alive(pid) for pid in alive))

    (tmp_path / "out" / "go-on").touch()
    again = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "2 of 4 runs to do, 2 done before" in again.stdout
    assert times(tmp_path) == {1: 2, 2: 4}, "what was finished was not repeated"
    assert metrics(tmp_path) == [0.25, 0.25, 0.5, 0.5]
    assert "Traceback" not in again.stderr


@pytest.mark.notebook
def test_a_killed_kernel_is_one_failed_run_and_the_same_command_makes_it_good(command, tmp_path):
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert wait_until(lambda: times(tmp_path) == {1: 2, 2: 2}, 60.0)
        os.kill(kernels(tmp_path)[0], signal.SIGKILL)
        time.sleep(1)
        (tmp_path / "out" / "go-on").touch()
        for pid in kernels(tmp_path):
            os.kill(pid, signal.SIGKILL)
        out, _ = running.communicate(timeout=60)
    assert running.returncode == 1
    assert "its kernel was killed" in out
    subprocess.run(command, capture_output=True, timeout=120, check=True)
    assert metrics(tmp_path) == [0.25, 0.25, 0.5, 0.5]
    assert times(tmp_path)[1] == 2


@contextmanager
def cluster(tmp_path):
    """Yield the address of a scheduler started by hand, and its processes: two workers in other folders, itself."""
    environment = {**os.environ, "PYTHONPATH": str(project_root())}
    file = tmp_path / "scheduler.json"
    words = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
    scheduler = subprocess.Popen([*words, "--no-dashboard", "--scheduler-file", str(file)], cwd=tmp_path, **quiet)
    workers = []
    try:
        assert wait_until(file.exists, 30.0)
        address = json.loads(file.read_text())["address"]
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            words = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard"]
            workers.append(subprocess.Popen([*words, "--no-nanny"], cwd=tmp_path / name, **quiet))
        yield address, [*workers, scheduler]
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait()


@pytest.mark.notebook
def test_an_existing_cluster_gives_the_same_though_a_worker_is_killed(command, tmp_path):
    with cluster(tmp_path) as (address, workers):
        words = [*command, "--scheduler", address]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
            assert wait_until(lambda: times(tmp_path) == {1: 2, 2: 2}, 90.0)
            workers[0].kill()
            (tmp_path / "out" / "go-on").touch()
            time.sleep(1)
            for pid in kernels(tmp_path):
                if is_alive(pid):
                    os.kill(pid, signal.SIGINT)  # ends its waiting
            out, errors = running.communicate(timeout=120)
        assert "Traceback" not in out + errors
        if running.returncode:
            subprocess.run(words, capture_output=True, timeout=120, check=True)
    assert metrics(tmp_path) == [0.25, 0.25, 0.5, 0.5]
    assert times(tmp_path)[1] == 2


@pytest.mark.notebook
def test_a_lost_scheduler_is_one_sentence_and_costs_nothing_that_was_finished(command, tmp_path):
    with cluster(tmp_path) as (address, workers):
        words = [*command, "--scheduler", address]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
            assert wait_until(lambda: times(tmp_path) == {1: 2, 2: 2}, 90.0)
            workers.pop().kill()  # the scheduler
            out, errors = running.communicate(timeout=120)
    assert running.returncode == 1
    assert errors == "the dask scheduler was lost: start it again, and the same command goes on from here\n"
    assert "2 ok, 2 stopped" in out
    (tmp_path / "out" / "go-on").touch()
    subprocess.run(command, capture_output=True, timeout=120, check=True)
    assert metrics(tmp_path) == [0.25, 0.25, 0.5, 0.5]
    assert times(tmp_path)[1] == 2


def test_a_scheduler_that_is_not_there_is_one_sentence(command):
    ended = subprocess.run([*command, "--scheduler", "tcp://127.0.0.1:9"], capture_output=True, text=True, timeout=90)
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: no dask scheduler at tcp://127.0.0.1:9")
    assert ended.stderr.count("\n") == 1
