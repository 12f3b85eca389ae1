"""Recorded findings: what a grid too long for a notebook measured, kept with the command and the date."""

import datetime
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from course_utils.errors import CourseError, DataError
from course_utils.paths import docs_dir, project_root, write_text
from course_utils.running.comparison import Group, Run, compare
from course_utils.running.sweeps.files import SweepEntry, load_manifest
from course_utils.running.sweeps.spec import Values, read_spec

SCHEMA = 1
DIGITS = 6  # that count: more would be noise
GOOD = ("ok", "up-to-date")


@dataclass(frozen=True)
class Measurement:
    """One metric over the seeds of a row; `sd` is None where there is one seed only."""

    mean: float
    sd: float | None
    count: int


@dataclass(frozen=True)
class Row:
    """One set of parameters, and what was measured with it."""

    parameters: dict[str, Any]
    metrics: dict[str, Measurement]


@dataclass(frozen=True)
class Finding:
    """A recorded sweep: how it was made, and a row for each set of parameters."""

    schema: int
    name: str
    notebooks: list[str]
    profile: str
    fixed: dict[str, Any]  # parameters that the sweep sets in all of its runs
    command: str
    date: str  # of the last run, YYYY-MM-DD
    package: str
    commit: str
    machine: dict[str, str]  # cores, device, torch, precision
    minutes: float  # of all runs together
    rows: list[Row]

    @property
    def num_seeds(self) -> int:
        """The most runs that a mean is taken over."""
        return max((measured.count for row in self.rows for measured in row.metrics.values()), default=0)

    def row(self, **parameters: Any) -> Row:
        """Return the one row with these parameters, such as `finding.row(MASK_RATE=0.15)`.

        Raises:
            DataError: there is none, or there are several.
        """
        rows = [row for row in self.rows if parameters.items() <= row.parameters.items()]
        if len(rows) != 1:
            raise DataError(f"the finding {self.name} has {len(rows)} rows with {parameters}: name one that it has")
        return rows[0]

    def caption(self) -> str:
        """Return a sentence for beneath a table or plot: when, how and on what it was measured."""
        cores, device = self.machine["cores"], self.machine["device"]
        place = f"{cores} cores" if device == "cpu" else device
        seeds = f"{self.num_seeds} seeds" if self.num_seeds > 1 else "one seed"
        return (
            f"Recorded on {self.date} by `{self.command}` on {place} "
            f"(torch {self.machine['torch']}, {self.machine['precision']}), {seeds}."
        )


def findings_dir() -> Path:
    """Return the folder of recorded findings and of the specs that make them."""
    return docs_dir() / "findings"


def load_finding(name: str, folder: Path | None = None) -> Finding:
    """Return a recorded finding.

    Args:
        name: of docs/findings/NAME.json.
        folder: where it is, if not in docs/findings/.

    Raises:
        DataError: it is missing or damaged.
    """
    path = (folder or findings_dir()) / f"{name}.json"
    again = f"`course sweep docs/findings/{name}.yaml --record` makes it"
    try:
        finding = TypeAdapter(Finding).validate_json(path.read_bytes())
    except FileNotFoundError:
        raise DataError(f"there is no recorded finding {name!r} in {path.parent}: {again}") from None
    except (OSError, ValidationError):
        raise DataError(f"{path} can't be read as a recorded finding: {again} anew") from None
    if finding.schema != SCHEMA or not finding.rows:
        raise DataError(f"{path} is of another version of the course, or empty: {again} anew")
    return finding


def record_finding(spec_path: Path, sweep_folder: Path) -> Path:
    """Write the result of a finished sweep beside its spec, as NAME.json; return where.

    Args:
        spec_path: the sweep's YAML file.
        sweep_folder: where its runs are.

    Raises:
        CourseError: a run is missing or failed, or the folder holds another sweep; nothing is written.
    """
    manifest = load_manifest(sweep_folder)
    entries: list[SweepEntry] = manifest["runs"]
    spec = read_spec(spec_path)
    if [entry["values"] for entry in entries] != spec.expand() or manifest["parameters"] != spec.parameters:
        raise CourseError(f"{sweep_folder} holds other runs than {spec_path.name} asks for: use `course sweep` first")
    if bad := sum(entry["status"] not in GOOD for entry in entries):
        raise CourseError(f"{bad} of the {len(entries)} runs have no result: nothing was recorded")
    runs = compare([f"{sweep_folder}/"]).runs
    values = [{name: value for name, value in entry["values"].items() if name != "SEED"} for entry in entries]
    content = {
        "schema": SCHEMA,
        "name": spec_path.stem,
        "notebooks": manifest["notebooks"],
        "profile": manifest["profile"],
        "fixed": manifest["parameters"],
        "command": f"course sweep {_from_root(spec_path)} --record",
        "date": _last_date(sweep_folder, entries),
        "package": _joined(runs, "package"),
        "commit": _joined(runs, "commit"),
        "machine": {name: _joined(runs, name) for name in ("cores", "device", "torch", "precision")},
        "minutes": round(sum(run.seconds for run in runs) / 60, 1),
        "rows": _rows(values, runs),
    }
    path = spec_path.with_suffix(".json")
    write_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n")
    return path


def _rows(values: Sequence[Values], runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Return a row for each set of parameters, over its seeds."""
    groups: dict[str, Group] = {}
    for point, run in zip(values, runs, strict=True):
        groups.setdefault(json.dumps(point), Group(point, [])).runs.append(run)
    return [{"parameters": group.parameters, "metrics": _metrics(group)} for group in groups.values()]


def _metrics(group: Group) -> Mapping[str, Any]:
    return {
        name: {"mean": _round(measured.mean), "sd": _round(measured.spread), "count": measured.count}
        for name, measured in sorted(group.metrics.items())
    }


def _round(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{DIGITS}g}")


def _joined(runs: Iterable[Run], what: str) -> str:
    """Return what the runs ran on, in one text where they differ."""
    return " and ".join(dict.fromkeys(str(run.environment.get(what, "")) for run in runs))


def _last_date(folder: Path, entries: Sequence[SweepEntry]) -> str:
    """Return when the last run ended: recording again later changes nothing."""
    last = max((folder / entry["folder"] / "summary.json").stat().st_mtime for entry in entries)
    return datetime.datetime.fromtimestamp(last, datetime.UTC).date().isoformat()


def _from_root(path: Path) -> str:
    path = path.resolve()
    return str(path.relative_to(project_root())) if path.is_relative_to(project_root()) else str(path)
