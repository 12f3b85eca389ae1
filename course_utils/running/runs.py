"""A run: the plan's notebooks one after the other, each result kept before the next begins."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from course_utils.errors import CourseError
from course_utils.running.execution import Progress, execute
from course_utils.running.identity import identify, shipped_encoders_identity
from course_utils.running.locking import locked
from course_utils.running.notebooks import DEPENDS_ON, Notebook, discover
from course_utils.running.plan import Job, Plan
from course_utils.running.report import write_report
from course_utils.running.results import (
    Recorded,
    executed_path,
    forget,
    load_complete,
    load_record,
    write_record,
)
from course_utils.running.summary import (
    Entry,
    Summary,
    finished_entry,
    load_summary,
    summarize,
    unfinished_entry,
    write_summary,
)

INTERRUPTED = "stopped by Ctrl-C"


class Display(Protocol):
    """Who is told how a run goes."""

    def show(self, job: Job, progress: Progress) -> None:
        """Take in how far a notebook is; called several times a second."""

    def ended(self, entry: Entry) -> None:
        """Take in how a notebook ended."""


@dataclass
class Result:
    """What a run came to."""

    summary: Summary
    report: Path
    executed: int = 0  # notebooks that this run executed, well or not
    interrupted: bool = False


def run_plan(plan: Plan, display: Display, *, force: bool = False, max_seconds: float = 3600.0) -> Result:
    """Execute what is not up to date; a notebook that fails takes only those with it that build on it.

    Args:
        plan: what to execute, checked.
        display: see `Display`.
        force: execute also what is up to date, and training from its beginning.
        max_seconds: for one notebook.

    Raises:
        CourseError: another run works in the folder, or it can't be written to.
    """
    with locked(plan.run_dir):
        run = _Run(plan, display, force, max_seconds)
        try:
            for job in plan.jobs:
                run.do(job)
        except KeyboardInterrupt:
            run.stop()
        run.save()
        return Result(run.summary(), write_report(plan.run_dir), run.executed, run.interrupted)


@dataclass
class _Run:
    plan: Plan
    display: Display
    force: bool
    max_seconds: float
    entries: dict[str, Entry] = field(default_factory=dict)
    records: dict[str, Recorded] = field(default_factory=dict)
    executed: int = 0
    interrupted: bool = False

    def do(self, job: Job) -> None:
        """Bring one notebook's result up to date, or say why it can't be."""
        missing = [name for name in DEPENDS_ON.get(job.name, ()) if self._has_failed(name)]
        identity = identify(job.notebook, job.parameters, self._needs(job.name))
        record = load_complete(self.plan.run_dir, job.name)
        if missing:
            because = f"it builds on {' and '.join(missing)}, which did not run well"
            self._end(unfinished_entry(job.name, "skipped", job.parameters, because))
        elif record and record.get("identity") == identity and not self.force:
            self._end(finished_entry(record, "up-to-date"), record)
        else:
            self._execute(job, identity)

    def _execute(self, job: Job, identity: str) -> None:
        run_dir = self.plan.run_dir
        forget(run_dir, job.name, checkpoints=self.force)
        self.executed += 1
        outcome = execute(
            job.notebook,
            executed_path(run_dir, job.name),
            job.parameters,
            max_seconds=self.max_seconds,
            watch=lambda progress: self.display.show(job, progress),
        )
        record = load_record(run_dir, job.name)
        error = outcome.error
        if error is None and record is None:
            error = "it wrote no record: its last cell should call record.finish()"
        if error is None and record is not None:
            record |= {"identity": identity, "seconds": round(outcome.seconds, 2)}
            write_record(run_dir, record)
            self._end(finished_entry(record, "ok"), record)
        else:
            self._end(unfinished_entry(job.name, "failed", job.parameters, error or "", outcome.seconds))

    def stop(self) -> None:
        """Say of all that is not done that it was stopped."""
        self.interrupted = True
        for job in self.plan.jobs:
            if job.name not in self.entries:
                self._end(unfinished_entry(job.name, "skipped", job.parameters, INTERRUPTED))

    def save(self) -> None:
        write_summary(self.plan.run_dir, self.summary())

    def summary(self) -> Summary:
        """Return what is known so far, with the still valid results of notebooks that this run leaves alone."""
        kept = self._kept_records()
        entries = self.entries | {name: finished_entry(record, "up-to-date") for name, record in kept.items()}
        in_order = [entries[name] for name in sorted(entries)]
        return summarize(self.plan.profile, in_order, [*kept.values(), *self.records.values()])

    def _end(self, entry: Entry, record: Recorded | None = None) -> None:
        self.entries[entry["name"]] = entry
        if record:
            self.records[entry["name"]] = record
        self.save()
        self.display.ended(entry)

    def _has_failed(self, name: str) -> bool:
        return name in self.entries and self.entries[name]["status"] in ("failed", "skipped")

    def _needs(self, name: str) -> dict[str, str]:
        """Return the identities of what a notebook builds on: results in this folder, or else shipped encoders."""
        found = {}
        for need in DEPENDS_ON.get(name, ()):
            record = self.records.get(need) or load_record(self.plan.run_dir, need) or {}
            found[need] = record.get("identity") or shipped_encoders_identity()
        return found
