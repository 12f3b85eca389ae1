"""Several notebooks beside each other: each in a process of its own, waited for by a thread, all told by one."""

import queue
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from course_utils.errors import SettingsError
from course_utils.running.environment import BYTES_A_KERNEL, count_cores, free_memory
from course_utils.running.execution import Outcome, Progress, Watcher
from course_utils.running.notebooks import DEPENDS_ON
from course_utils.running.plan import Job
from course_utils.running.profiles import SMOKE

Execution = Callable[[Watcher], Outcome]
"""Executes a notebook and tells the watcher how far it is; a watcher that raises ends it."""


class Desk(Protocol):
    """Who decides what is done for a notebook and keeps what comes out; called by one thread only."""

    def begin(self, job: Job) -> Execution | None:
        """Return what is to be executed, None if there is nothing to do; what the job builds on has ended."""

    def show(self, job: Job, progress: Progress) -> None:
        """Take in how far a notebook is; called several times a second for each that runs."""

    def end(self, job: Job, outcome: Outcome) -> None:
        """Take in how an execution ended."""


def read_num_jobs(text: str | None, profile: str, num_notebooks: int) -> int:
    """Return how many notebooks go side by side.

    Args:
        text: what the user wrote; None: as many as cores, memory and notebooks allow in the smoke profile, which only
            shows that everything runs; one in all others, whose trainings are timed and need the machine to themselves.
        profile: its name.
        num_notebooks: of the run; more would be idle.

    Raises:
        SettingsError: the text is no whole number, or less than 1.
    """
    if text is None:
        most = min(count_cores(), int(free_memory() / BYTES_A_KERNEL)) if profile == SMOKE else 1
        return max(1, min(most, num_notebooks))
    number = int(text) if re.fullmatch(r"\+?[0-9]{1,9}", text) else 0
    if number < 1:
        raise SettingsError(f"--jobs is how many notebooks run side by side, a whole number from 1, got {text!r}")
    return max(1, min(number, num_notebooks))


def share_threads(num_jobs: int, environment: Mapping[str, str]) -> dict[str, str]:
    """Return variables by which so many notebooks share the cores; what the user has set stays."""
    shared = thread_variables(max(1, count_cores() // num_jobs))
    return {name: environment.get(name, threads) for name, threads in shared.items()}


def thread_variables(threads: int) -> dict[str, str]:
    """Return the variables that have a process compute with so many threads."""
    return dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))


def do_side_by_side(jobs: Sequence[Job], num_jobs: int, desk: Desk) -> None:
    """Do all jobs, at most `num_jobs` at once; none begins before all that it builds on has ended.

    One at a time they go in the given order. Side by side, those on which the longest chains wait go first.

    Raises:
        KeyboardInterrupt: Ctrl-C, or the desk's; all executions have been ended, those that were done are kept.
        Exception: whatever an execution or the desk raised; likewise.
    """
    waiting = list(jobs) if num_jobs == 1 else sorted(jobs, key=lambda job: -_length_of_chain(job, jobs))
    team = _Team()
    try:
        while waiting or team.threads:
            job = _next(waiting, team) if len(team.threads) < num_jobs else None
            if job is None:
                team.listen(desk)
                continue
            waiting.remove(job)
            execution = desk.begin(job)
            if execution is not None:
                team.start(job, execution)
    finally:
        team.dismiss(desk)


@dataclass(frozen=True)
class _Word:
    """What a thread says: how far its notebook is, how it ended, or what was raised."""

    job: Job
    content: Progress | Outcome | BaseException


class _Team:
    """The threads at work, each of which executes a notebook and says how it goes."""

    def __init__(self) -> None:
        self.threads: dict[str, threading.Thread] = {}
        self.said: queue.Queue[_Word] = queue.Queue()
        self.is_over = threading.Event()

    def start(self, job: Job, execution: Execution) -> None:
        """Execute a notebook in a thread of its own."""
        thread = threading.Thread(target=self._execute, args=(job, execution), daemon=True)
        self.threads[job.name] = thread
        thread.start()

    def listen(self, desk: Desk) -> None:
        """Wait for a word and pass it on.

        Raises:
            BaseException: what an execution raised.
        """
        self._pass_on(self.said.get(), desk)

    def dismiss(self, desk: Desk) -> None:
        """End all that still runs; what ended well in this moment is kept."""
        self.is_over.set()
        for thread in self.threads.values():
            thread.join()
        while self.threads and not self.said.empty():
            word = self.said.get()
            if isinstance(word.content, Outcome):
                self._pass_on(word, desk)

    def _pass_on(self, word: _Word, desk: Desk) -> None:
        if isinstance(word.content, Progress):
            desk.show(word.job, word.content)
            return
        del self.threads[word.job.name]
        if isinstance(word.content, Outcome):
            desk.end(word.job, word.content)
        else:
            raise word.content

    def _execute(self, job: Job, execution: Execution) -> None:
        def watch(progress: Progress) -> None:
            if self.is_over.is_set():
                raise KeyboardInterrupt  # which ends the notebook
            self.said.put(_Word(job, replace(progress)))

        try:
            self.said.put(_Word(job, execution(watch)))
        except BaseException as error:  # raised again where it is awaited
            self.said.put(_Word(job, error))


def _next(waiting: Sequence[Job], team: _Team) -> Job | None:
    """Return the first job that waits for nothing but a place."""
    unfinished = {job.name for job in waiting} | team.threads.keys()
    ready = (job for job in waiting if unfinished.isdisjoint(DEPENDS_ON.get(job.name, ())))
    return next(ready, None)


def _length_of_chain(job: Job, jobs: Sequence[Job]) -> int:
    """Return how many of the jobs follow one on the other from this one on, itself included."""
    following = [other for other in jobs if job.name in DEPENDS_ON.get(other.name, ())]
    return 1 + max((_length_of_chain(other, jobs) for other in following), default=0)
