"""Sweeps: a notebook (or a few that build on each other) with many sets of parameters, here or on a cluster."""

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from course_utils.errors import CourseError
from course_utils.paths import expand
from course_utils.running.locking import locked
from course_utils.running.runs import is_up_to_date
from course_utils.running.summary import load_summary
from course_utils.running.sweeps.cluster import (
    Size,
    check_installed,
    choose_size,
    existing_cluster,
    local_cluster,
    size_of,
)
from course_utils.running.sweeps.files import (
    Manifest,
    Status,
    SweepEntry,
    is_sweep,
    load_manifest,
    make_manifest,
    write_manifest,
)
from course_utils.running.sweeps.plan import SweepPlan, SweepRun, make_sweep_plan
from course_utils.running.sweeps.spec import read_spec
from course_utils.running.sweeps.task import Done, Task, do_run, hash_code

if TYPE_CHECKING:
    from distributed import Client

SECONDS_BETWEEN_WRITES = 1.0


class SweepDisplay(Protocol):
    """Who is told how a sweep goes."""

    def started(self, entries: Sequence[SweepEntry], size: Size) -> None:
        """Take in what is to be done."""

    def ended(self, entry: SweepEntry) -> None:
        """Take in how a run ended."""


@dataclass(frozen=True)
class SweepOptions:
    """How a sweep is run; none of it changes what comes out.

    Args:
        scheduler: address of a dask scheduler, such as "tcp://10.0.0.1:8786"; None: this machine.
        workers: how many runs beside each other on this machine; None: as many as cores and memory allow.
        threads: how many a run computes with; None: the cores, shared.
        max_seconds: for one notebook.
        retry_failed: only what failed before.
        force: run also what is up to date.
    """

    scheduler: str | None = None
    workers: int | None = None
    threads: int | None = None
    max_seconds: float = 3600.0
    retry_failed: bool = False
    force: bool = False


@dataclass(frozen=True)
class SweepResult:
    """What a sweep came to."""

    folder: Path
    manifest: Manifest
    executed: int  # runs that this sweep executed, well or not
    interrupted: bool

    @property
    def failed(self) -> list[SweepEntry]:
        """The runs that failed."""
        return [entry for entry in self.manifest["runs"] if entry["status"] == "failed"]

    @property
    def is_lost(self) -> bool:
        """Whether runs were not done because the scheduler went away."""
        return not self.interrupted and any(entry["status"] == "stopped" for entry in self.manifest["runs"])

    def summaries(self) -> dict[str, dict[str, Any]]:
        """Return the `summary.json` of each run that ended well, by its folder's name."""
        good = [entry["folder"] for entry in self.manifest["runs"] if entry["status"] in ("ok", "up-to-date")]
        return {name: load_summary(self.folder / name) for name in good}


def sweep(
    spec: str | Path | Mapping[str, Any],
    *,
    name: str | None = None,
    options: SweepOptions | None = None,
    display: SweepDisplay | None = None,
) -> SweepResult:
    """Run a notebook with many sets of parameters; what is up to date is not run again.

    All is checked before anything runs. Each run has a folder of its own, runs/SWEEP/RUN/, with everything that
    `course run` leaves; `sweep.json` beside them lists them. A run that fails stops no other. After Ctrl-C, or a
    crash, the same call goes on: what was finished is kept, what was interrupted goes on from its last checkpoint.

        from course_utils.running import sweep

        result = sweep({"notebook": "05", "grid": {"TEMPERATURE": [0.1, 0.2, 0.5]}, "seeds": [0, 1, 2]}, name="warmth")
        for run, summary in result.summaries().items():
            print(run, summary["notebooks"][0]["metrics"]["image/simclr/validation_accuracy"])

    Args:
        spec: a YAML file, or what it would hold: `notebook` (number, name or path, or a list), `grid` or `list`,
            `seeds`, `parameters` (the same in all runs), `profile`, `name`.
        name: of the folder in runs/, or a folder's path; else the spec's `name`, else the file's.
        options: see `SweepOptions`.
        display: see `SweepDisplay`.

    Raises:
        CourseError: something is wrong with the spec, dask isn't installed, no scheduler answers, or another sweep
            works in the folder; one line, a sentence, for each thing. Nothing was run.
    """
    check_installed()
    source = expand(spec) if isinstance(spec, str | Path) else spec
    checked = read_spec(source)
    chosen = name or checked.name or (source.stem if isinstance(source, Path) else "sweep")
    plan = make_sweep_plan(checked, chosen)
    return run_sweep(plan, display or _Silence(), options or SweepOptions())


def run_sweep(plan: SweepPlan, display: SweepDisplay, options: SweepOptions) -> SweepResult:
    """Do what a checked plan says; see `sweep`."""
    with locked(plan.folder):
        going = _Sweep(plan, display, options)
        going.look()
        due = going.due()
        if due:
            with _open_cluster(going.options, len(plan.runs)) as (client, size), suppress(KeyboardInterrupt):
                going.run(client, size, due)
        going.save()
        return SweepResult(plan.folder, going.manifest(), going.executed, going.interrupted)


@contextmanager
def _open_cluster(options: SweepOptions, num_runs: int) -> "Iterator[tuple[Client, Size]]":
    """Yield a client and the cluster's size, which depends on all of the sweep's runs, not on what is left."""
    if options.scheduler:
        with existing_cluster(options.scheduler) as client:
            yield client, size_of(client, options.threads)
        return
    size = choose_size(num_runs, options.workers, options.threads)
    with local_cluster(size) as client:
        yield client, size


class _Silence:
    def started(self, entries: Sequence[SweepEntry], size: Size) -> None:
        pass

    def ended(self, entry: SweepEntry) -> None:
        pass


@dataclass
class _Sweep:
    plan: SweepPlan
    display: SweepDisplay
    options: SweepOptions
    entries: dict[str, SweepEntry] = field(default_factory=dict)
    executed: int = 0
    interrupted: bool = False
    saved_at: float = 0.0
    threads: int | None = None

    def __post_init__(self) -> None:
        self.values = {run.name: run.values for run in self.plan.runs}

    def look(self) -> None:
        """See what is there already, and write down what there is to be."""
        known = self._known_failures()
        if self.options.threads is None and self.threads is not None:
            self.options = replace(self.options, threads=self.threads)  # what is made again comes out the same
        for run in self.plan.runs:
            if not self.options.force and is_up_to_date(run.plan):
                self._set(run.name, "up-to-date", load_summary(run.plan.run_dir)["seconds"])
            elif run.name in known:
                self.entries[run.name] = known[run.name] | {"values": run.values}
            else:
                self._set(run.name, "waiting")
        self.save()

    def due(self) -> list[SweepRun]:
        """Return what is to be run: all that has no result, or with --retry-failed only what failed."""
        wanted = {"failed"} if self.options.retry_failed else {"failed", "waiting"}
        return [run for run in self.plan.runs if self.entries[run.name]["status"] in wanted]

    def run(self, client: "Client", size: Size, due: Sequence[SweepRun]) -> None:
        """Have the workers do the runs, and keep account."""
        from distributed import as_completed

        self.threads = size.threads
        for run in due:
            self._set(run.name, "waiting")
        self.display.started(list(self.entries.values()), size)
        with self._stop_file() as stop:
            tasks = self._tasks(due, size, stop)
            futures = client.map(do_run, tasks, key=[f"{run.name}-{stop.name}" for run in due], pure=False)
            names = {future.key: run.name for future, run in zip(futures, due, strict=True)}
            ended = iter(as_completed(futures, loop=client.loop))
            del futures
            while True:
                try:
                    future = next(ended)
                except StopIteration:
                    return
                except KeyboardInterrupt:
                    if self.interrupted:
                        raise
                    self.interrupted = True
                    stop.touch()  # the workers end their notebooks, and say so
                    continue
                self._end(names[future.key], _done(future))

    def save(self) -> None:
        """Write the manifest."""
        write_manifest(self.plan.folder, self.manifest())
        self.saved_at = time.monotonic()

    def manifest(self) -> Manifest:
        """Return what is known so far."""
        spec, entries = self.plan.spec, [self.entries[run.name] for run in self.plan.runs if run.name in self.entries]
        names = [notebook.name for notebook in self.plan.notebooks]
        return make_manifest(self.plan.name, spec.profile, names, spec.parameters, entries, self.threads)

    def _tasks(self, due: Sequence[SweepRun], size: Size, stop: Path) -> list[Task]:
        code = hash_code(self.plan.notebooks)
        return [
            {
                "folder": str(self.plan.folder),
                "run_dir": str(run.plan.run_dir),
                "profile": run.plan.profile,
                "notebooks": [(str(job.notebook.path), job.parameters) for job in run.plan.jobs],
                "code": code,
                "stop": str(stop),
                "threads": size.threads,
                "gpus": list(size.gpus),
                "max_seconds": self.options.max_seconds,
                "force": self.options.force,
            }
            for run in due
        ]

    @contextmanager
    def _stop_file(self) -> Iterator[Path]:
        path = self.plan.folder / f".stop-{uuid.uuid4().hex[:12]}"
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def _end(self, name: str, done: Done) -> None:
        status: Status = "ok" if done["status"] == "ok" else "stopped" if done["status"] == "stopped" else "failed"
        self.executed += status != "stopped"
        self._set(name, status, done["seconds"], done["error"])
        if time.monotonic() - self.saved_at > SECONDS_BETWEEN_WRITES:
            with suppress(CourseError):  # results are safe in the runs' own folders; the last `save` says what is wrong
                self.save()
        self.display.ended(self.entries[name])

    def _set(self, name: str, status: Status, seconds: float = 0.0, error: str | None = None) -> None:
        self.entries[name] = {
            "folder": name,
            "values": self.values[name],
            "status": status,
            "seconds": seconds,
            "error": error,
        }

    def _known_failures(self) -> dict[str, SweepEntry]:
        """Return what failed the last time, by its folder's name; also take in how many threads the runs had."""
        if not is_sweep(self.plan.folder):
            return {}
        with suppress(CourseError, KeyError, TypeError):
            manifest = load_manifest(self.plan.folder)
            entries, threads = manifest["runs"], manifest.get("threads")
            self.threads = threads if isinstance(threads, int) and threads > 0 else None
            return {entry["folder"]: entry for entry in entries if entry["status"] == "failed"}
        return {}


def _done(future: Any) -> Done:
    """Return what a worker said, or why it said nothing."""
    if future.status == "finished":
        done: Done = future.result()
        return done
    if future.status != "error":
        return {"status": "stopped", "seconds": 0.0, "error": "the dask scheduler was lost"}
    error = future.exception()
    words = f"{type(error).__name__}: {' '.join(str(error).split())}"
    if type(error).__name__ == "KilledWorker":
        words = "its dask workers were killed again and again, most often for want of memory"
    return {"status": "failed", "seconds": 0.0, "error": words}
