"""Several runs beside each other: which parameters differ, what was measured, seeds as mean and spread."""

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from course_utils.errors import CourseError
from course_utils.running.folder import find_run_dir
from course_utils.running.metrics import SPREAD, key_metrics
from course_utils.running.summary import Entry, Summary, load_summary, unfinished_entry
from course_utils.running.sweeps.files import is_sweep, load_manifest

NOT_COMPARED = ("RUN_DIR", "SEED")
GOOD = ("ok", "up-to-date")


@dataclass(frozen=True)
class Run:
    """One run's results, its notebooks taken together."""

    name: str
    folder: Path
    status: str
    seconds: float = 0.0
    error: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    claims: list[dict[str, Any]] = field(default_factory=list)
    environment: dict[str, Any] = field(default_factory=dict)
    notebooks: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether all of it ran well."""
        return self.status in GOOD


@dataclass(frozen=True)
class Measured:
    """A metric of a group: its mean, its standard deviation and over how many runs."""

    mean: float
    spread: float | None
    count: int


@dataclass(frozen=True)
class Group:
    """Runs that differ in nothing but the seed."""

    parameters: dict[str, Any]  # those that differ between groups
    runs: list[Run]

    @cached_property
    def metrics(self) -> dict[str, Measured]:
        """Mean and spread of each metric over the runs that have it."""
        names = dict.fromkeys(name for run in self.runs for name in run.metrics)
        return {name: _measure(name, self.runs) for name in names if not _is_spread(name, names)}


@dataclass(frozen=True)
class Comparison:
    """What several runs have in common and what sets them apart."""

    runs: list[Run]
    apart: bool = False  # each run by itself; else runs that differ in the seed only are one group

    @cached_property
    def differing(self) -> list[str]:
        """The parameters that differ, but for where results go, and the seed unless runs stay apart."""
        left_out = NOT_COMPARED[: 1 if self.apart else None]
        return [name for name in self._parameters() if name not in left_out and self._is_differing(name)]

    @cached_property
    def common(self) -> dict[str, Any]:
        """The parameters that are the same everywhere."""
        unlike = {*self.differing, *NOT_COMPARED}
        return {
            name: value for run in self._with_results() for name, value in run.parameters.items() if name not in unlike
        }

    @cached_property
    def groups(self) -> list[Group]:
        """The runs that ended well, by the parameters that differ."""
        groups: dict[str, Group] = {}
        for run in self.runs:
            if run.is_good:
                values = {name: run.parameters.get(name) for name in self.differing}
                key = str(run.folder) if self.apart else json.dumps(values)
                groups.setdefault(key, Group(values, [])).runs.append(run)
        return list(groups.values())

    @property
    def metrics(self) -> list[str]:
        """The names of all that was measured."""
        return list(dict.fromkeys(name for group in self.groups for name in group.metrics))

    @property
    def key_metrics(self) -> list[str]:
        """The names of the few that there is room for."""
        return list(key_metrics(dict.fromkeys(self.metrics, 0.0)))

    def _parameters(self) -> dict[str, None]:
        return dict.fromkeys(name for run in self._with_results() for name in run.parameters)

    def _is_differing(self, name: str) -> bool:
        known = self._with_results()
        return len({json.dumps(run.parameters.get(name)) for run in known}) > 1

    def _with_results(self) -> list[Run]:
        return [run for run in self.runs if run.parameters]


def compare(words: Iterable[str], *, apart: bool = False) -> Comparison:
    """Return the comparison of runs and of sweeps' runs.

    Args:
        words: names, such as "laptop", or folders.
        apart: see `Comparison`; a sweep's seeds are taken together all the same.

    Raises:
        CourseError: one is neither a run nor a sweep.
    """
    found: dict[Path, Summary] = {}  # each once, even if it was named twice
    folders = [find_run_dir(word) for word in words]
    for folder in folders:
        found |= _load_sweep(folder) if is_sweep(folder) else {folder: load_summary(folder)}
    if not found:
        raise CourseError("name at least one run or sweep")
    parameters, metrics = (_ambiguous(found.values(), what) for what in ("parameters", "metrics"))
    runs = [_make_run(folder, summary, parameters, metrics) for folder, summary in found.items()]
    return Comparison(runs, apart and not any(is_sweep(folder) for folder in folders))


def _load_sweep(folder: Path) -> dict[Path, Summary]:
    """Return the summaries of all runs of a sweep, in its order; what has no result gets one that says so."""
    summaries = {}
    for entry in load_manifest(folder)["runs"]:
        run_dir = folder / entry["folder"]
        try:
            summaries[run_dir] = load_summary(run_dir)
        except CourseError:
            lost = unfinished_entry("sweep", "skipped", {}, entry["error"] or "not run")
            summaries[run_dir] = {"status": entry["status"], "seconds": 0.0, "environment": {}, "notebooks": [lost]}
    return summaries


def _make_run(folder: Path, summary: Summary, parameters: set[str], metrics: set[str]) -> Run:
    """Return a run; `parameters` and `metrics` are the names that say whose they are."""
    entries: list[Entry] = summary["notebooks"]
    errors = [f"{entry['name']}: {entry['error']}" for entry in entries if entry["error"]]
    return Run(
        name=folder.name,
        folder=folder,
        status=summary["status"],
        seconds=summary["seconds"],
        error="; ".join(errors) or None,
        parameters=_join(entries, "parameters", parameters),
        metrics=_join(entries, "metrics", metrics),
        claims=[claim for entry in entries for claim in entry["claims"]],
        environment=summary["environment"],
        notebooks=[entry["name"] for entry in entries],
    )


def _ambiguous(summaries: Iterable[Summary], what: str) -> set[str]:
    """Return the names that two notebooks of one run have for unlike values."""
    names = set()
    for summary in summaries:
        seen: dict[str, Any] = {}
        for entry in summary["notebooks"]:
            names |= {name for name, value in entry[what].items() if seen.setdefault(name, value) != value}
    return names


def _join(entries: Sequence[Entry], what: str, ambiguous: set[str]) -> dict[str, Any]:
    """Return names and values of all notebooks."""
    return {
        f"{name} ({entry['name']})" if name in ambiguous else name: value
        for entry in entries
        for name, value in entry[what].items()
    }


def _is_spread(name: str, names: Iterable[str]) -> bool:
    return name.endswith(SPREAD) and name.removesuffix(SPREAD) in names


def _measure(name: str, runs: Sequence[Run]) -> Measured:
    values = [run.metrics[name] for run in runs if name in run.metrics]
    own = runs[0].metrics.get(name + SPREAD) if len(runs) == 1 else None
    return Measured(statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else own, len(values))
