"""Real processes that train together: killed, stopped, lost, never come. Nothing hangs, nothing is left behind."""

import signal
import subprocess
import sys

import pytest
import tiny
from safetensors.torch import load_file
from torch.testing import assert_close

from course_utils.running.records import load_record

NUM_SECONDS = 60  # in which an end must be noticed
LONGEST = 240  # that a whole training may take on a slow, busy machine


@pytest.fixture
def two(tmp_path):
    """Return a folder, and a tiny run by two processes that has saved its first state there."""
    folder = tmp_path / "run"
    process = tiny.start([*tiny.words(folder), "--devices", "2", "--patience", "10"])
    try:
        tiny.wait_for(tiny.checkpoint(folder), process)
        yield folder, process
    finally:
        process.kill()
        if not process.stdout.closed:
            process.communicate()


def finish(command, **environment):
    process = tiny.start(command, **environment)
    out, err = process.communicate(timeout=LONGEST)
    return process.returncode, out, err


def test_killed_with_two_processes_it_goes_on_with_one(two, tmp_path):
    """To the last digits of float64 this is shown in tests/test_together.py; here, that real processes do it."""
    folder, process = two
    children = tiny.workers(process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(children) == 2
    assert tiny.are_gone(children), "no process outlives the one that started it"
    assert 0 < tiny.saved_step(folder) < tiny.NUM_STEPS
    assert finish(tiny.words(folder))[0] == 0
    assert finish(tiny.words(tmp_path / "alone"))[0] == 0
    resumed, alone = (load_record(path, "05_simclr")["metrics"] for path in (folder, tmp_path / "alone"))
    assert resumed["image/simclr/loss"] == pytest.approx(alone["image/simclr/loss"], rel=1e-4)
    weights = [load_file(path / "encoders" / "simclr.safetensors") for path in (folder, tmp_path / "alone")]
    for name, tensor in weights[1].items():
        assert_close(weights[0][name], tensor, rtol=1e-3, atol=1e-4)


def test_sigterm_saves_first(two):
    folder, process = two
    children = tiny.workers(process)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=NUM_SECONDS)
    assert process.returncode == 143
    step = tiny.saved_step(folder)
    assert 0 < step < tiny.NUM_STEPS
    assert f"stopped by SIGTERM after step {step}, which is saved" in err
    assert tiny.are_gone(children)


def test_a_lost_process_is_named(two):
    _folder, process = two
    children = tiny.workers(process)
    children[1].kill()
    _, err = process.communicate(timeout=NUM_SECONDS)
    assert process.returncode == 3
    assert err.strip() == (
        "error: process 1 of 2 was killed by SIGKILL: the same command goes on from the last checkpoint, with any "
        "number of processes"
    )
    assert tiny.are_gone(children)


@pytest.mark.parametrize("rank", [0, 1])
def test_a_frozen_process_is_not_waited_for(two, tmp_path, rank):
    folder, process = two
    children = tiny.workers(process)
    children[rank].suspend()  # SIGSTOP: it neither answers nor ends
    _, err = process.communicate(timeout=NUM_SECONDS)
    assert process.returncode == 3
    assert err.strip() == (
        f"error: process {rank} of 2 did not answer for 10 s and was ended: the same command goes on from the last "
        "checkpoint, with any number of processes"
    )
    assert tiny.are_gone(children), "a frozen one does not stay behind"
    assert finish(tiny.words(folder))[0] == 0


@pytest.mark.parametrize(
    ("rank", "sentence"),
    [
        ("0", "error: not all of the 2 processes came to 127.0.0.1:"),
        ("1", "error: process 1 did not meet process 0 and the others of 2 at 127.0.0.1:"),
    ],
)
def test_who_does_not_come_is_not_waited_for(tmp_path, rank, sentence):
    code = "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])"
    port = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    command = [*tiny.words(tmp_path / "run"), "--patience", "2"]
    around = {"RANK": rank, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    code, out, err = finish(command, **around)
    assert (code, out) == (3, "")
    assert err.startswith(sentence)
    assert err.count("\n") == 1
