"""What goes wrong around a notebook: nothing that was finished is lost, and the user reads one sentence."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from samples import MEASURE

NAME = "image/simclr/linear/test_accuracy"
MEGABYTE = 1_000_000

pytestmark = pytest.mark.notebook


def entries(folder):
    return {entry["name"]: entry for entry in json.loads((folder / "summary.json").read_text())["notebooks"]}


@pytest.mark.parametrize("end", ["\\n", ""])
def test_a_notebook_that_prints_100_megabytes(course, make_notebook, tmp_path, end):
    chatter = f'for _ in range(100):\n    print("x" * {MEGABYTE}, end="{end}")'
    ended = course("run", make_notebook("05_x", chatter, MEASURE), "--name", f"{tmp_path}/run")
    assert ended.returncode == 0, ended.stderr
    assert entries(tmp_path / "run")["05_x"]["metrics"] == {NAME: 0.5}
    assert len(ended.stdout) < 20_000
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss  # kilobytes, of the largest process
    assert memory < 3_000_000


def test_a_notebook_that_never_ends_takes_nothing_with_it(course, make_notebook, tmp_path):
    spec = tmp_path / "spec.yaml"
    endless = "import time\nwhile NUM_EPOCHS == 2:\n    time.sleep(1)"
    notebook = make_notebook("05_x", endless, MEASURE)
    spec.write_text(json.dumps({"notebook": str(notebook), "grid": {"NUM_EPOCHS": [1, 2, 3]}}))
    started = time.monotonic()
    ended = course("sweep", spec, "--name", f"{tmp_path}/out", "--timeout", "0.5")
    assert ended.returncode == 1
    assert time.monotonic() - started < 120
    runs = json.loads((tmp_path / "out" / "sweep.json").read_text())["runs"]
    assert [run["status"] for run in runs] == ["ok", "failed", "ok"]
    assert "not done after 0.5 minutes" in runs[1]["error"]


def limit_files(size):
    """Return what makes writes beyond `size` bytes fail in a process and its children, as on a full disk."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_full_disk_is_a_sentence_and_keeps_what_there_was(course, make_notebook, tmp_path):
    good, large = make_notebook("01_a"), make_notebook("02_b", 'print("x" * 300_000)', MEASURE)
    assert course("run", good, "--name", f"{tmp_path}/run").returncode == 0
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*01_a*") if path.is_file()}
    ended = course("run", good, large, "--name", f"{tmp_path}/run", preexec_fn=limit_files(100_000))
    assert ended.returncode == 1
    assert entries(tmp_path / "run")["01_a"]["status"] == "up-to-date"
    assert entries(tmp_path / "run")["02_b"]["status"] == "failed"
    assert {path: path.read_bytes() for path in before} == before
    assert [path.name for path in (tmp_path / "run").rglob(".*") if path.name != ".lock"] == []
    assert course("run", good, large, "--name", f"{tmp_path}/run").returncode == 0


def test_a_disk_so_full_that_nothing_can_be_written_is_a_sentence(course, make_notebook, tmp_path):
    ended = course("run", make_notebook("01_a"), "--name", f"{tmp_path}/run", preexec_fn=limit_files(10))
    assert ended.returncode in (1, 2)
    assert "can't write" in ended.stdout + ended.stderr


def test_a_folder_that_cant_be_written_to_is_a_sentence_before_anything_runs(course, make_notebook, tmp_path):
    folder = Path("/proc/course") if os.geteuid() == 0 else tmp_path / "closed" / "run"  # root may write anywhere else
    if os.geteuid() != 0:
        folder.parent.mkdir(mode=0o500)
    spec = tmp_path / "spec.yaml"
    notebook = make_notebook("05_x")
    spec.write_text(json.dumps({"notebook": str(notebook), "seeds": [0]}))
    for words in (["run", notebook], ["sweep", spec]):
        ended = course(*words, "--name", f"{folder}/")
        assert ended.returncode == 2
        assert ended.stderr.startswith("error: can't write to ")
        assert ended.stderr.count("\n") == 1


def test_a_parameter_is_a_value_and_never_code(course, make_notebook, tmp_path):
    text = '"); open("owned", "w"); ("'
    notebook = make_notebook(
        "05_x", parameters='WORD = "a"\nNUM_EPOCHS = 2\nLEARNING_RATE = 0.1\nSEED = 0\nRUN_DIR = "x"\n'
    )
    for word in (text, "'; open('owned', 'w'); '", "\\", "{WORD}", "$(touch owned)"):
        ended = course("run", notebook, "-p", f"WORD={json.dumps(word)}", "--name", f"{tmp_path}/run", cwd=tmp_path)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert entries(tmp_path / "run")["05_x"]["metrics"] == {NAME: 0.5}
    assert list(tmp_path.rglob("owned")) == []


@pytest.fixture
def images(tmp_path):
    """Return a folder of two classes, four images each."""
    folder = tmp_path / "images"
    for label in ("cat", "dog"):
        for index in range(4):
            path = folder / label / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_png(path, index)
    return folder


def parameters_with(images):
    return f'DATASET = "{images}"\nNUM_EPOCHS = 2\nLEARNING_RATE = 0.1\nSEED = 0\nRUN_DIR = "x"\n'


def test_data_that_are_altered_between_two_runs_make_the_result_anew(course, make_notebook, images, tmp_path):
    words = ["run", make_notebook("05_x", parameters=parameters_with(images)), "--name", f"{tmp_path}/run"]
    assert "✓ ok" in course(*words).stdout
    assert "nothing to do" in course(*words).stdout
    write_png(images / "cat" / "0.png", 99)
    assert "✓ ok" in course(*words).stdout


def test_data_that_are_altered_while_a_notebook_runs_make_its_result_anew(course, make_notebook, images, tmp_path):
    alter = (
        "from pathlib import Path\n"
        'image = Path(DATASET) / "cat" / "0.png"\n'
        'if not Path(DATASET, "..", "altered").exists():\n'
        '    image.write_bytes(Path(DATASET, "dog", "3.png").read_bytes())\n'
        '    Path(DATASET, "..", "altered").touch()'
    )
    words = ["run", make_notebook("05_x", alter, MEASURE, parameters=parameters_with(images)), "--name"]
    for told in ("✓ ok", "✓ ok", "nothing to do"):  # the first result is of data that are no more
        assert told in course(*words, f"{tmp_path}/run").stdout


def test_data_that_are_cut_while_a_notebook_runs_fail_it_alone(course, make_notebook, images, tmp_path):
    cut = (
        "from pathlib import Path\n"
        "from course_utils.data.images import load_images\n"
        'image = Path(DATASET) / "cat" / "0.png"\n'
        "whole = image.read_bytes()\n"
        "image.write_bytes(whole[:30])\n"
        "try:\n"
        "    load_images(DATASET, image_size=16)\n"
        "finally:\n"
        "    image.write_bytes(whole)"
    )
    first, second = make_notebook("01_a"), make_notebook("05_x", cut, MEASURE, parameters=parameters_with(images))
    ended = course("run", first, second, make_notebook("07_c"), "--name", f"{tmp_path}/run")
    assert ended.returncode == 1
    told = {name: entry["status"] for name, entry in entries(tmp_path / "run").items()}
    assert told == {"01_a": "ok", "05_x": "failed", "07_c": "ok"}
    assert "0.png" in entries(tmp_path / "run")["05_x"]["error"]


def test_a_notebook_that_eats_all_memory_fails_alone(course, make_notebook, tmp_path):
    greedy = (
        "import resource\n"
        "resource.setrlimit(resource.RLIMIT_AS, (16 * 2**30, 16 * 2**30))\n"
        "hoard = []\n"
        "while True:\n"
        "    hoard.append(bytearray(2**32))  # zeros that are never written to: they take addresses, not memory"
    )
    ended = course("run", make_notebook("05_x", greedy), make_notebook("07_c"), "--name", f"{tmp_path}/run")
    assert ended.returncode == 1
    found = entries(tmp_path / "run")
    assert {name: entry["status"] for name, entry in found.items()} == {"05_x": "failed", "07_c": "ok"}
    assert "MemoryError" in found["05_x"]["error"]


def test_a_clock_that_jumps_repeats_nothing_and_measures_nothing_wrong(course, make_notebook, tmp_path):
    back = (
        "import datetime\n"
        "from course_utils.running import records\n"
        "class Past(datetime.datetime):\n"
        "    @classmethod\n"
        "    def now(cls, tz=None):\n"
        "        return cls(1999, 1, 1, tzinfo=tz)\n"
        "records.datetime = Past"
    )
    words = ["run", make_notebook("05_x", back, MEASURE), "--name", f"{tmp_path}/run"]
    assert course(*words).returncode == 0
    record = json.loads((tmp_path / "run" / "records" / "05_x.json").read_text())
    assert record["finished"].startswith("1999")
    assert 0 <= record["seconds"] < 300
    for year in (0, 60):  # since 1970: all files are old, all files are of the future
        for path in [tmp_path, *tmp_path.rglob("*")]:
            os.utime(path, (year * 365 * 86400, year * 365 * 86400))
        assert "nothing to do" in course(*words).stdout


STARTER = "from course_utils.__main__ import main; print('here', flush=True); main()"


@pytest.fixture
def foreground():
    """Return a function that starts a command line of `course` as a terminal does, once Python is there."""

    def start(*words):
        command = [sys.executable, "-c", STARTER, *map(str, words)]
        restore = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.default_int_handler)}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        process = subprocess.Popen(command, start_new_session=True, **pipes, **restore)
        assert process.stdout.readline() == "here\n"
        return process

    return start


def kernels_in(folder):
    """Return the kernels that work below a folder."""
    below = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if "ipykernel" in " ".join(process.cmdline()) and process.cwd().startswith(str(folder)):
                below.append(process.pid)
    return below


@pytest.mark.parametrize("command", ["run", "sweep"])
def test_ctrl_c_at_any_moment_is_quiet_and_costs_nothing_that_was_finished(
    foreground, make_notebook, tmp_path, command
):
    spec, one, two = tmp_path / "spec.yaml", make_notebook("01_a"), make_notebook("02_b")
    spec.write_text(json.dumps({"notebook": str(one), "grid": {"NUM_EPOCHS": [1, 2]}}))
    words = ["run", one, two] if command == "run" else ["sweep", spec, "--workers", "1"]
    started = time.monotonic()
    foreground(*words, "--name", f"{tmp_path}/whole").communicate(timeout=120)
    whole = time.monotonic() - started
    folder, finished, codes = tmp_path / "stopped", {}, []
    for share in (0.05, 0.3, 0.55, 0.8, None):  # of the time that the whole takes; None: to the end
        process = foreground(*words, "--name", f"{folder}/")
        if share is not None:
            time.sleep(share * whole)
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all that are in the foreground
        said = "".join(process.communicate(timeout=120))
        codes.append(process.returncode)
        assert "Traceback" not in said
        assert finished.items() <= {path: path.read_bytes() for path in folder.rglob("records/*.json")}.items()
        finished = {path: path.read_bytes() for path in folder.rglob("records/*.json")}
    assert set(codes[:-1]) <= {0, 130}
    assert (codes[0], codes[-1]) == (130, 0)
    assert len(finished) == 2
    assert [path.name for path in folder.rglob(".*") if path.name != ".lock"] == []
    assert kernels_in(tmp_path) == []


def test_ctrl_c_after_the_work_is_done_changes_nothing():
    late = "import atexit, os, signal; atexit.register(os.kill, os.getpid(), signal.SIGINT)"
    code = f"{late}; signal.signal(signal.SIGINT, signal.default_int_handler); {STARTER}"
    ended = subprocess.run([sys.executable, "-c", code, "list"], capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stderr) == (0, "")


def write_png(path, value):
    from PIL import Image

    Image.new("RGB", (16, 16), (value, value, 2 * value)).save(path)
