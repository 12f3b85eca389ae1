"""Which folder a run may write to: its own, and nobody else's."""

import os
import re
from pathlib import Path

from course_utils.errors import CourseError
from course_utils.paths import locate, project_root, resolve

SWEEP_MARK = "sweep.json"
MARKS = (".lock", "summary.json", "records", "checkpoints")
"""What only a run's folder holds; a notebook that was run by itself leaves the last two."""


def find_run_dir(name: str) -> Path:
    """Return the folder of a run's results: runs/NAME, or the folder itself where NAME is a path.

    Raises:
        CourseError: such a name makes no folder.
    """
    if os.sep in name or "/" in name:
        return locate(name)
    if not re.fullmatch(r"\w[\w.+-]*", name):
        raise CourseError(f"{name!r} is no name for a run: use letters, digits, '.', '-' and '_', or a folder's path")
    locate(folder := resolve("runs") / name)
    return folder


def folder_problems(run_dir: Path, *, sweep: bool = False) -> list[str]:
    """Say why a run (or a sweep) must not write to this folder; nothing is written."""
    existing = next(folder for folder in (run_dir, *run_dir.parents) if folder.exists())
    if not existing.is_dir():
        return [f"can't write to {run_dir}: {existing} is a file; choose another name with --name"]
    if not os.access(existing, os.R_OK | os.W_OK | os.X_OK):
        return [f"can't write to {run_dir}: no permission for {existing}; choose a folder with --name"]
    if (run_dir / SWEEP_MARK).exists() and not sweep:
        return [f"{run_dir} holds a sweep's runs: choose another name with --name"]
    if _is_below_runs(run_dir):
        return []
    if run_dir.is_relative_to(project_root()):
        return [f"{run_dir} is part of the course itself: choose a plain name with --name, which means runs/NAME"]
    if existing == run_dir and not _is_free(run_dir):
        return [f"{run_dir} holds other things than a run's results: choose a new or an empty folder with --name"]
    return []


def _is_below_runs(run_dir: Path) -> bool:
    runs = resolve("runs")  # perhaps a link to a larger disk
    return runs in run_dir.parents or runs.resolve() in run_dir.parents


def _is_free(folder: Path) -> bool:
    """Tell whether a folder is empty or was made by a run."""
    names = {path.name for path in folder.iterdir()} - {".DS_Store"}
    return not names or not names.isdisjoint((*MARKS, SWEEP_MARK))
