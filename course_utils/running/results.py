"""The files that notebooks leave in a run's folder: where they are, whether they are there, away with them."""

import hashlib
import json
import shutil
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from course_utils.paths import write_text
from course_utils.running.json_files import Shape, has_shape, read_json

Recorded = dict[str, Any]
"""A record as it stands in its file."""


def _inside(file: str) -> str:
    if PurePosixPath(file).is_absolute() or ".." in PurePosixPath(file).parts:
        raise ValueError("lies outside of the run's folder")
    return file


_File = Annotated[str, AfterValidator(_inside)]


class _Figure(Shape):
    file: _File
    caption: str


class _Record(Shape):
    notebook: str
    source: str = ""
    parameters: dict[str, Any] = Field(default_factory=dict)
    figures: list[_Figure] = Field(default_factory=list)
    encoders: list[_File] = Field(default_factory=list)


def record_path(run_dir: Path, notebook: str) -> Path:
    """Return where a notebook's record is."""
    return run_dir / "records" / f"{notebook}.json"


def executed_path(run_dir: Path, notebook: str) -> Path:
    """Return where a notebook's executed copy is."""
    return run_dir / f"{notebook}.ipynb"


def checkpoints_dir(run_dir: Path, notebook: str) -> Path:
    """Return where the trainings of a notebook keep their state."""
    return run_dir / "checkpoints" / notebook


def write_record(run_dir: Path, record: Recorded) -> None:
    """Write a record, whole or not at all.

    Raises:
        CourseError: the folder can't be written to.
    """
    path = record_path(run_dir, record["notebook"])
    write_text(path, json.dumps(record, indent=2, allow_nan=False) + "\n")


def load_record(run_dir: Path, notebook: str) -> Recorded | None:
    """Return what a notebook left in a run's folder, None if there is nothing that can be read."""
    try:
        record = read_json(record_path(run_dir, notebook))
    except FileNotFoundError:
        return None
    return dict(record) if has_shape(record, _Record) and record["notebook"] == notebook else None


def recorded_names(run_dir: Path) -> list[str]:
    """Return the names of the notebooks that left a record."""
    return sorted(path.stem for path in record_path(run_dir, "").parent.glob("[!.]*.json"))


def load_complete(run_dir: Path, notebook: str) -> Recorded | None:
    """Return a record if everything that it speaks of is still there and whole: executed copy, figures, encoders."""
    record = load_record(run_dir, notebook)
    if record is None or not executed_path(run_dir, notebook).exists():
        return None
    return record if record.get("hashes") == hash_files(run_dir, record) else None


def hash_files(run_dir: Path, record: Recorded) -> dict[str, str]:
    """Return a hash of each file that a record speaks of and that is there."""
    files = [file for file in _files(record) if (run_dir / file).exists()]
    return {file: hashlib.sha256((run_dir / file).read_bytes()).hexdigest() for file in files}


def forget(run_dir: Path, notebook: str, *, checkpoints: bool = False) -> None:
    """Delete what a notebook left, so that nothing old can pass for new.

    Args:
        run_dir: the run's folder.
        notebook: whose results.
        checkpoints: also what an interrupted training would go on from.
    """
    record = load_record(run_dir, notebook) or {}
    files = [run_dir / file for file in _files(record) if (run_dir / file).resolve().is_relative_to(run_dir)]
    for path in (*files, record_path(run_dir, notebook), executed_path(run_dir, notebook)):
        path.unlink(missing_ok=True)
    if checkpoints:
        shutil.rmtree(checkpoints_dir(run_dir, notebook), ignore_errors=True)


def claim_checkpoints(run_dir: Path, notebook: str, identity: str) -> None:
    """Keep an interrupted training's checkpoints only if they are of this identity: other code, other training."""
    folder = checkpoints_dir(run_dir, notebook)
    owner = folder / "identity"
    if not owner.exists() or owner.read_text(encoding="utf-8") != identity:
        shutil.rmtree(folder, ignore_errors=True)
        write_text(owner, identity)


def sweep(run_dir: Path) -> None:
    """Delete half-written notebooks that a killed run left."""
    for path in run_dir.glob(".*.ipynb"):
        path.unlink(missing_ok=True)


def _files(record: Recorded) -> list[str]:
    encoders = record.get("encoders", [])
    notes = [str(PurePosixPath(file).with_suffix(".json")) for file in encoders]  # beside each encoder: how it was made
    return [*(figure["file"] for figure in record.get("figures", [])), *encoders, *notes]
