"""Who is named when several processes end: scripts of a line stand in for the trainings."""

import os
import stat
import sys

import pytest

from course_utils.errors import FAILED, LOST
from course_utils.pretraining import launch
from course_utils.pretraining.order import Order
from course_utils.pretraining.signals import StopRequest

IS_KILLED = "os.kill(os.getpid(), 9)"
NOTICES = f"print('error: another of the 2 processes was lost', file=sys.stderr); sys.exit({LOST})"
LOSES_ITS_READER = f"print('error: a process that reads images was killed', file=sys.stderr); sys.exit({LOST})"
FAILS = "1 / 0"
HANGS = "time.sleep(600)"
ENDS = "pass"
KILLED = "error: process 1 of 2 was killed by SIGKILL: "


@pytest.fixture
def end_of(monkeypatch, tmp_path):
    """Return a function that launches scripts; those that end have all ended before the first look at them."""

    def end(*scripts):
        stand_in = tmp_path / "python"
        stand_in.write_text(f"#!{sys.executable}\nimport os, sys, time\nexec({scripts!r}[int(os.environ['RANK'])])\n")
        stand_in.chmod(stat.S_IRWXU)
        watch = launch._watch

        def look_late(processes, request):
            for process, script in zip(processes, scripts, strict=True):
                if script != HANGS:
                    process.popen.wait(timeout=60)
            return watch(processes, request)

        monkeypatch.setattr(launch.sys, "executable", str(stand_in))
        monkeypatch.setattr(launch, "_watch", look_late)
        monkeypatch.setattr(launch, "_free_port", lambda: 0)  # nobody meets there
        monkeypatch.setattr(launch, "SECONDS_TO_END", 0.0)
        return launch.launch(Order("simclr", {}, num_devices=len(scripts)), StopRequest(), dict(os.environ))

    return end


@pytest.mark.parametrize("others", [NOTICES, HANGS, ENDS])
def test_the_killed_one_is_named_whoever_noticed(end_of, others):
    end = end_of(others, IS_KILLED)
    assert end.exit_code == LOST
    assert end.words.startswith(KILLED)


def test_an_error_of_its_own_goes_before_a_loss(end_of):
    end = end_of(NOTICES, FAILS)
    assert end.exit_code == FAILED
    assert end.words.endswith("error: process 1 of 2 ended unexpectedly: ZeroDivisionError: division by zero")


def test_one_that_neither_answers_nor_ends_is_named(end_of):
    end = end_of(NOTICES, HANGS)
    assert end.exit_code == LOST
    assert end.words.startswith("error: process 1 of 2 did not answer for 40 s and was ended: the same command goes on")


def test_a_loss_that_is_its_own_goes_before_one_that_was_noticed(end_of):
    """Such as a process that read the images of process 1: both processes of the training end with the same code."""
    end = end_of(NOTICES, LOSES_ITS_READER)
    assert (end.exit_code, end.words) == (LOST, "error: a process that reads images was killed")


def test_a_loss_without_a_cause_is_told_as_it_was_noticed(end_of):
    end = end_of(NOTICES, NOTICES)
    assert (end.exit_code, end.words) == (LOST, "error: another of the 2 processes was lost")


def test_all_well(end_of):
    end = end_of(ENDS, ENDS)
    assert (end.exit_code, end.words) == (0, "")
