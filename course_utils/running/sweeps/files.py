"""`sweep.json`: which runs belong to a sweep, where they are and how each ended."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from course_utils.errors import CourseError
from course_utils.paths import write_text
from course_utils.running.folder import SWEEP_MARK
from course_utils.running.json_files import Shape, has_shape, read_json

SCHEMA = 1
Status = Literal["ok", "up-to-date", "failed", "stopped", "waiting"]
SweepEntry = dict[str, Any]
"""One run in the manifest: folder, values, status, seconds, error."""
Manifest = dict[str, Any]


class _Entry(Shape):
    folder: Annotated[str, Field(pattern=r"^[\w+-][\w.+-]*$")]  # in the sweep's own, and nowhere else
    values: dict[str, Any]
    status: Status
    seconds: float
    error: str | None


class _Manifest(Shape):
    schema_: Annotated[Literal[1], Field(alias="schema")]
    name: str
    profile: str
    notebooks: list[str]
    parameters: dict[str, Any]
    threads: int | None = None
    runs: list[_Entry]


def manifest_path(folder: Path) -> Path:
    """Return where a sweep's manifest is."""
    return folder / SWEEP_MARK


def make_manifest(
    name: str,
    profile: str,
    notebooks: Sequence[str],
    parameters: dict[str, Any],
    entries: Sequence[SweepEntry],
    threads: int | None = None,
) -> Manifest:
    """Return a manifest.

    Args:
        name: the sweep's.
        profile: where values come from that the sweep doesn't set.
        notebooks: what each run executes, in order.
        parameters: what the sweep sets in all runs.
        entries: one a run.
        threads: how many each run computes with, which decides its last digits.
    """
    return {
        "schema": SCHEMA,
        "name": name,
        "profile": profile,
        "notebooks": list(notebooks),
        "parameters": parameters,
        "threads": threads,
        "runs": list(entries),
    }


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write `sweep.json`, whole or not at all.

    Raises:
        CourseError: the folder can't be written to.
    """
    write_text(manifest_path(folder), json.dumps(manifest, indent=1, allow_nan=False) + "\n")


def is_sweep(folder: Path) -> bool:
    """Tell whether a folder holds a sweep."""
    return manifest_path(folder).is_file()


def load_manifest(folder: Path) -> Manifest:
    """Return a sweep's manifest.

    Raises:
        CourseError: there is none, or it can't be read.
    """
    path = manifest_path(folder)
    try:
        manifest = read_json(path)
    except FileNotFoundError:
        raise CourseError(f"there is no sweep in {folder}: `course sweep` makes one") from None
    if not has_shape(manifest, _Manifest):
        raise CourseError(
            f"{path} can't be read: delete it and use `course sweep` again, which repeats no finished run"
        )
    return dict(manifest)
