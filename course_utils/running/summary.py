"""`summary.json`: what a run gave, for people's scripts and for the report."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from course_utils.errors import CourseError
from course_utils.paths import write_text
from course_utils.running.environment import describe_environment
from course_utils.running.json_files import Shape, has_shape, read_json
from course_utils.running.results import Recorded

SCHEMA = 1
Status = Literal["ok", "failed", "skipped", "up-to-date"]
Entry = dict[str, Any]
"""One notebook in the summary."""
Summary = dict[str, Any]


class _Claim(Shape):
    statement: str
    source: str
    holds: bool
    evidence: dict[str, Any]


class _Entry(Shape):
    name: str
    status: Status
    seconds: float
    parameters: dict[str, Any]
    metrics: dict[str, float]
    claims: list[_Claim]
    error: str | None


class _Summary(Shape):
    profile: str
    status: Literal["ok", "failed"]
    seconds: float
    environment: dict[str, Any]
    notebooks: list[_Entry]


def finished_entry(record: Recorded, status: Status) -> Entry:
    """Return the entry of a notebook that ran well, now or earlier."""
    return {
        "name": record["notebook"],
        "status": status,
        "seconds": record["seconds"],
        "parameters": record["parameters"],
        "metrics": record["metrics"],
        "claims": record["claims"],
        "error": None,
    }


def unfinished_entry(name: str, status: Status, parameters: dict[str, Any], error: str, seconds: float = 0.0) -> Entry:
    """Return the entry of a notebook that has no result, and why."""
    return {
        "name": name,
        "status": status,
        "seconds": round(seconds, 2),
        "parameters": parameters,
        "metrics": {},
        "claims": [],
        "error": error,
    }


def summarize(profile: str, entries: Sequence[Entry], records: Sequence[Recorded]) -> Summary:
    """Return the summary of a run.

    Args:
        profile: its name.
        entries: of the notebooks, in order.
        records: of those that ran well; they know device and precision.
    """
    environment = describe_environment()
    for record in records:
        known = record.get("environment", {})
        environment |= {key: known[key] for key in ("device", "precision") if known.get(key)}
    failed = any(entry["status"] in ("failed", "skipped") for entry in entries)
    return {
        "schema": SCHEMA,
        "profile": profile,
        "status": "failed" if failed else "ok",
        "seconds": round(sum(entry["seconds"] for entry in entries), 2),  # what the results took, not this command
        "environment": environment,
        "notebooks": list(entries),
    }


def summary_path(run_dir: Path) -> Path:
    """Return where a run's summary is."""
    return run_dir / "summary.json"


def write_summary(run_dir: Path, summary: Summary) -> None:
    """Write `summary.json`, whole or not at all."""
    write_text(summary_path(run_dir), json.dumps(summary, indent=2, allow_nan=False) + "\n")


def load_summary(run_dir: Path) -> Summary:
    """Return a run's summary.

    Raises:
        CourseError: there is none, or it can't be read.
    """
    path = summary_path(run_dir)
    try:
        summary = read_json(path)
    except FileNotFoundError:
        raise CourseError(f"there is no run in {run_dir}: `course run` makes one") from None
    if isinstance(summary, dict) and summary.get("schema") != SCHEMA:
        raise CourseError(f"{path} is of another version of the course: use `course run` again")
    if not has_shape(summary, _Summary):
        raise CourseError(f"{path} can't be read: delete it and use `course run` again")
    return dict(summary)
