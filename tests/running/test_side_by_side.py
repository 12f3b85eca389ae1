"""Notebooks side by side: order, how many at once, what is kept when something ends them."""

import threading
import time
from types import SimpleNamespace

import pytest

from course_utils.errors import SettingsError
from course_utils.running import side_by_side
from course_utils.running.execution import Outcome, Progress
from course_utils.running.notebooks import DEPENDS_ON
from course_utils.running.side_by_side import do_side_by_side, read_num_jobs, share_threads

CORE = ["00_start_here", "01_supervised_baselines", "02_what_labels_cost", "03_predicting_rotations"]
CORE += ["04_masked_words", "05_simclr", "06_linear_evaluation"]


class Desk:
    """Has each job take some hundredths of a second, and notes what happened."""

    def __init__(self, seconds=None, nothing_to_do=(), outcomes=None):
        self.seconds, self.nothing_to_do, self.outcomes = seconds or {}, nothing_to_do, outcomes or {}
        self.begun, self.ended, self.shown, self.threads = [], [], [], set()
        self.running, self.most = 0, 0
        self.lock = threading.Lock()

    def begin(self, job):
        self.threads.add(threading.get_ident())
        assert {name for name in DEPENDS_ON.get(job.name, ()) if name in CORE} <= set(self.ended)
        self.begun.append(job.name)
        if job.name in self.nothing_to_do:
            self.ended.append(job.name)
            return None
        return lambda watch: self.execute(job, watch)

    def execute(self, job, watch):
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        end = time.monotonic() + self.seconds.get(job.name, 0.05)
        try:
            while time.monotonic() < end:
                watch(Progress(line=job.name))
                time.sleep(0.005)
        finally:
            with self.lock:
                self.running -= 1
        outcome = self.outcomes.get(job.name, Outcome(0.02, None))
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def show(self, job, progress):
        self.threads.add(threading.get_ident())
        self.shown.append((job.name, progress.line))

    def end(self, job, outcome):
        self.threads.add(threading.get_ident())
        self.ended.append(job.name)


def jobs(names=CORE):
    return [SimpleNamespace(name=name) for name in names]


def test_one_at_a_time_goes_in_order():
    desk = Desk()
    do_side_by_side(jobs(), 1, desk)
    assert desk.begun == desk.ended == CORE
    assert desk.most == 1


@pytest.mark.parametrize("num_jobs", [2, 3, 7])
def test_side_by_side_nothing_begins_before_what_it_builds_on(num_jobs):
    desk = Desk()
    do_side_by_side(jobs(), num_jobs, desk)
    assert sorted(desk.ended) == CORE
    assert 1 < desk.most <= num_jobs
    assert desk.begun[0] == "01_supervised_baselines", "two others wait for it, one after the other"
    assert desk.threads == {threading.get_ident()}, "one thread keeps the books"
    assert all(name == line for name, line in desk.shown)


def test_what_is_up_to_date_takes_no_place():
    desk = Desk(nothing_to_do=CORE[:6])
    do_side_by_side(jobs(), 2, desk)
    assert sorted(desk.ended) == CORE
    assert desk.most == 1


def test_a_chosen_few_do_not_wait_for_what_is_not_among_them(monkeypatch):
    monkeypatch.setitem(DEPENDS_ON, "01_supervised_baselines", ("another",))
    desk = Desk()
    do_side_by_side(jobs(CORE[1:2]), 2, desk)
    assert desk.ended == CORE[1:2]


@pytest.mark.parametrize("raised", [KeyboardInterrupt(), RuntimeError("the disk is full")])
def test_what_an_execution_raises_ends_the_others_and_keeps_what_was_done(raised):
    desk = Desk(seconds={"05_simclr": 600.0}, outcomes={"03_predicting_rotations": raised})
    with pytest.raises(type(raised)):
        do_side_by_side(jobs(), 2, desk)
    assert desk.running == 0
    assert "01_supervised_baselines" in desk.ended
    assert "05_simclr" not in desk.ended


def test_what_ends_well_in_the_moment_of_the_interrupt_is_kept():
    class Interrupted(Desk):
        def show(self, job, progress):
            time.sleep(1.0)  # meanwhile the other ends
            raise KeyboardInterrupt

    desk = Interrupted(seconds={"01_supervised_baselines": 600.0})
    with pytest.raises(KeyboardInterrupt):
        do_side_by_side(jobs(), 2, desk)
    assert desk.running == 0
    assert desk.ended == ["05_simclr"]


@pytest.mark.parametrize(
    ("text", "profile", "notebooks", "expected"),
    [
        (None, "laptop", 7, 1),
        (None, "gpu", 7, 1),
        (None, "smoke", 7, 4),
        (None, "smoke", 2, 2),
        (None, "smoke", 0, 1),
        ("3", "laptop", 7, 3),
        ("+3", "laptop", 7, 3),
        ("100", "laptop", 7, 7),
    ],
)
def test_how_many_at_once(monkeypatch, text, profile, notebooks, expected):
    monkeypatch.setattr(side_by_side, "count_cores", lambda: 4)
    monkeypatch.setattr(side_by_side, "free_memory", lambda: 2**40)
    assert read_num_jobs(text, profile, notebooks) == expected


def test_little_memory_means_fewer_at_once(monkeypatch):
    monkeypatch.setattr(side_by_side, "count_cores", lambda: 8)
    monkeypatch.setattr(side_by_side, "free_memory", lambda: 4 * 2**30)
    assert read_num_jobs(None, "smoke", 7) == 2
    assert read_num_jobs("5", "smoke", 7) == 5, "who says a number gets it"


@pytest.mark.parametrize("text", ["0", "-1", "x", "2.5", "", "٣x", "1e3", "--2"])
def test_a_number_that_is_none_is_a_sentence(text):
    with pytest.raises(SettingsError, match="a whole number from 1, got"):
        read_num_jobs(text, "smoke", 7)


def test_cores_are_shared_unless_the_user_did(monkeypatch):
    monkeypatch.setattr(side_by_side, "count_cores", lambda: 8)
    assert share_threads(3, {}) == {"OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}
    assert share_threads(100, {"OMP_NUM_THREADS": "5"})["OMP_NUM_THREADS"] == "5"
    assert share_threads(100, {"OMP_NUM_THREADS": "5"})["MKL_NUM_THREADS"] == "1"
