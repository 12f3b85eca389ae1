"""A run: the plan's notebooks one after the other or side by side, each result kept as soon as it is there."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from course_utils.errors import CourseError
from course_utils.running.execution import Outcome, Progress, Watcher, execute
from course_utils.running.identity import identify, shipped_encoders_identity
from course_utils.running.locking import locked
from course_utils.running.notebooks import DEPENDS_ON, Notebook
from course_utils.running.plan import Job, Plan
from course_utils.running.report import write_report
from course_utils.running.results import (
    Recorded,
    claim_checkpoints,
    executed_path,
    forget,
    hash_files,
    load_complete,
    load_record,
    recorded_names,
    sweep,
    write_record,
)
from course_utils.running.side_by_side import Execution, do_side_by_side, share_threads
from course_utils.running.stopping import sender_of
from course_utils.running.summary import (
    Entry,
    Summary,
    finished_entry,
    summarize,
    unfinished_entry,
    write_summary,
)


class Display(Protocol):
    """Who is told how a run goes."""

    def show(self, job: Job, progress: Progress) -> None:
        """Take in how far a notebook is; called several times a second for each that runs."""

    def ended(self, entry: Entry) -> None:
        """Take in how a notebook ended."""


@dataclass(frozen=True)
class Result:
    """What a run came to."""

    summary: Summary
    report: Path
    executed: int  # notebooks that this run executed, well or not
    stopped_by: str = ""  # who interrupted: "Ctrl-C" or "SIGTERM"

    @property
    def interrupted(self) -> bool:
        """Whether somebody stopped the run."""
        return self.stopped_by != ""


def run_plan(
    plan: Plan,
    display: Display,
    *,
    force: bool = False,
    max_seconds: float = 3600.0,
    environment: Mapping[str, str] | None = None,
    num_jobs: int = 1,
) -> Result:
    """Execute what is not up to date; a notebook that fails takes only those with it that build on it.

    Args:
        plan: what to execute, checked.
        display: see `Display`.
        force: execute also what is up to date, and train from the beginning.
        max_seconds: for one notebook.
        environment: variables that the notebooks' processes get beside ours.
        num_jobs: how many notebooks run side by side, where none builds on another; they share the cores.

    Raises:
        BusyError: another run works in the folder.
        CourseError: it can't be written to.
    """
    with locked(plan.run_dir):
        sweep(plan.run_dir)
        shared = share_threads(num_jobs, os.environ) if num_jobs > 1 else {}
        run = _Run(plan, display, force, max_seconds, {**shared, **(environment or {})})
        try:
            do_side_by_side(plan.jobs, num_jobs, run)
        except KeyboardInterrupt as error:
            run.stop(sender_of(error))
        return Result(run.save(), write_report(plan.run_dir), run.executed, run.stopped_by)


def is_up_to_date(plan: Plan) -> bool:
    """Tell whether the folder holds results of all that the plan would execute, so that there is nothing to do."""
    run = _Run(plan)
    return all(run.load_current(job) for job in plan.jobs)


class Silence:
    """A display for a run at which nobody looks."""

    def show(self, job: Job, progress: Progress) -> None:
        """Do nothing."""

    def ended(self, entry: Entry) -> None:
        """Do nothing."""


@dataclass
class _Run:
    plan: Plan
    display: Display = field(default_factory=Silence)
    force: bool = False
    max_seconds: float = 3600.0
    environment: Mapping[str, str] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    records: dict[str, Recorded] = field(default_factory=dict)
    identities: dict[str, str] = field(default_factory=dict)  # of what is being executed
    executed: int = 0
    stopped_by: str = ""

    def begin(self, job: Job) -> Execution | None:
        """Return what would bring one notebook's result up to date; None if it is, or can't be."""
        failed = [name for name in DEPENDS_ON.get(job.name, ()) if self._has_failed(name)]
        if failed:
            because = f"it builds on {' and '.join(failed)}, which did not run well"
            self._end(unfinished_entry(job.name, "skipped", job.parameters, because))
            return None
        record = None if self.force else self.load_current(job)
        if record:
            self._end(finished_entry(record, "up-to-date"), record)
            return None
        return self._prepare(job)

    def show(self, job: Job, progress: Progress) -> None:
        """Pass on how far a notebook is."""
        self.display.show(job, progress)

    def end(self, job: Job, outcome: Outcome) -> None:
        """Keep what an executed notebook left."""
        run_dir = self.plan.run_dir
        record = load_record(run_dir, job.name)
        if outcome.error is None and record is None:
            outcome = Outcome(outcome.seconds, "it left no record: its last cell should call record.finish()")
        if outcome.error is not None or record is None:
            error = outcome.error or ""
            self._end(unfinished_entry(job.name, "failed", job.parameters, error, outcome.seconds))
            return
        record |= {"identity": self.identities[job.name], "source": str(job.notebook.path)}
        record["seconds"] = round(outcome.seconds, 2)
        record["hashes"] = hash_files(run_dir, record)
        write_record(run_dir, record)
        self._end(finished_entry(record, "ok"), record)

    def load_current(self, job: Job) -> Recorded | None:
        """Return a notebook's record if executing it would give the same again."""
        record = load_complete(self.plan.run_dir, job.name)
        return record if record and record.get("identity") == self._identify(job.notebook, job.parameters) else None

    def stop(self, sender: str) -> None:
        """Say of all that is not done that it was stopped."""
        self.stopped_by = sender
        for job in self.plan.jobs:
            if job.name not in self.entries:
                self._end(unfinished_entry(job.name, "skipped", job.parameters, f"stopped by {sender}"))

    def save(self) -> Summary:
        """Write what is known so far, with those results of other notebooks in the folder that are still true."""
        kept = self._records_of_others()
        entries = [*self.entries.values(), *(finished_entry(record, "up-to-date") for record in kept)]
        entries.sort(key=lambda entry: entry["name"])
        summary = summarize(self.plan.profile, entries, [*kept, *self.records.values()])
        write_summary(self.plan.run_dir, summary)
        return summary

    def _prepare(self, job: Job) -> Execution:
        run_dir, identity = self.plan.run_dir, self._identify(job.notebook, job.parameters)
        forget(run_dir, job.name, checkpoints=self.force)
        claim_checkpoints(run_dir, job.name, identity)
        self.identities[job.name] = identity
        self.executed += 1

        def execution(watch: Watcher) -> Outcome:
            return execute(
                job.notebook,
                executed_path(run_dir, job.name),
                job.parameters,
                max_seconds=self.max_seconds,
                watch=watch,
                environment=self.environment,
            )

        return execution

    def _end(self, entry: Entry, record: Recorded | None = None) -> None:
        self.entries[entry["name"]] = entry
        if record:
            self.records[entry["name"]] = record
        self.save()
        self.display.ended(entry)

    def _has_failed(self, name: str) -> bool:
        return name in self.entries and self.entries[name]["status"] in ("failed", "skipped")

    def _identify(self, notebook: Notebook, parameters: dict[str, object]) -> str:
        """Return the identity that a result must have, given what is in the folder now."""
        needs = {}
        for name in DEPENDS_ON.get(notebook.name, ()):
            record = self.records.get(name) or load_record(self.plan.run_dir, name) or {}
            needs[name] = record.get("identity") or shipped_encoders_identity()
        return identify(notebook, parameters, needs)

    def _records_of_others(self) -> list[Recorded]:
        """Return the records of notebooks that this run leaves alone and whose results would be the same today."""
        ours = {job.name for job in self.plan.jobs}
        names = [name for name in recorded_names(self.plan.run_dir) if name not in ours]
        records = [load_complete(self.plan.run_dir, name) for name in names]
        return [record for record in records if record and self._is_still_true(record)]

    def _is_still_true(self, record: Recorded) -> bool:
        notebook = Notebook(Path(record.get("source", "")))
        if any(self._has_failed(name) for name in DEPENDS_ON.get(notebook.name, ())):
            return False
        try:
            return self._identify(notebook, record.get("parameters", {})) == record.get("identity")
        except CourseError:  # the notebook or its data are gone
            return False
