"""What goes wrong around a notebook: nothing that was finished is lost, and the user reads one sentence."""

import json
import os
import resource
import time
from pathlib import Path

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


def test_data_that_are_altered_between_two_runs_make_the_result_anew(course, make_notebook, tmp_path):
    images = tmp_path / "images"
    for label in ("cat", "dog"):
        for index in range(4):
            path = images / label / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_png(path, index)
    parameters = f'DATASET = "{images}"\nNUM_EPOCHS = 2\nLEARNING_RATE = 0.1\nSEED = 0\nRUN_DIR = "x"\n'
    words = ["run", make_notebook("05_x", parameters=parameters), "--name", f"{tmp_path}/run"]
    assert "✓ ok" in course(*words).stdout
    assert "nothing to do" in course(*words).stdout
    write_png(images / "cat" / "0.png", 99)
    assert "✓ ok" in course(*words).stdout


def write_png(path, value):
    from PIL import Image

    Image.new("RGB", (16, 16), (value, value, 2 * value)).save(path)
