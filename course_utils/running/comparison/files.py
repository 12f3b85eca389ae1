"""A comparison as files: one page of HTML that needs nothing else, and the same as CSV and JSON."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

from course_utils.errors import CourseError
from course_utils.paths import locate, resolve, write_text
from course_utils.running.comparison.groups import Comparison, Group
from course_utils.running.comparison.page import make_page
from course_utils.running.folder import find_run_dir
from course_utils.running.sweeps.files import is_sweep

NAME = "comparison"


def comparison_folder(words: list[str], chosen: str | None = None) -> Path:
    """Return where the files of a comparison go: a sweep's own folder, else runs/compared/.

    Args:
        words: what is compared.
        chosen: a folder that the user wants instead.
    """
    if chosen is not None:
        return locate(chosen)
    if len(words) == 1 and is_sweep(folder := find_run_dir(words[0])):
        return folder
    names = "-and-".join(find_run_dir(word).name for word in words)
    return resolve("runs/compared") / re.sub(r"[^\w.+-]+", "-", names)[:80]


def write_comparison(comparison: Comparison, folder: Path, title: str) -> Path:
    """Write comparison.html, .csv and .json, each whole or not at all; return the page's path.

    Raises:
        CourseError: the folder can't be written to.
    """
    if (folder / f"{NAME}.html").is_dir():
        raise CourseError(f"{folder / NAME}.html is a folder: choose another place with --into")
    write_text(folder / f"{NAME}.csv", make_csv(comparison))
    write_text(folder / f"{NAME}.json", json.dumps(make_json(comparison), indent=1, allow_nan=False) + "\n")
    page = folder / f"{NAME}.html"
    write_text(page, make_page(comparison, folder, title))
    return page


def make_csv(comparison: Comparison) -> str:
    """Return one line a run: its name, how it ended, the parameters, what was measured."""
    parameters = list(dict.fromkeys(name for run in comparison.runs for name in run.parameters if name != "RUN_DIR"))
    metrics = list(dict.fromkeys(name for run in comparison.runs for name in run.metrics))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["run", "status", "seconds", "error", *(_cell(name) for name in [*parameters, *metrics])])
    for run in comparison.runs:
        values = [run.parameters.get(name, "") for name in parameters] + [run.metrics.get(name, "") for name in metrics]
        facts = [run.name, run.status, run.seconds, run.error or ""]
        writer.writerow([_cell(value) for value in [*facts, *values]])
    return text.getvalue()


def make_json(comparison: Comparison) -> dict[str, Any]:
    """Return groups (means over seeds) and runs as plain data."""
    return {
        "schema": 1,
        "differing": comparison.differing,
        "common": comparison.common,
        "groups": [_group(group) for group in comparison.groups],
        "runs": [
            {
                "name": run.name,
                "folder": str(run.folder),
                "status": run.status,
                "seconds": run.seconds,
                "error": run.error,
                "parameters": run.parameters,
                "metrics": run.metrics,
                "claims": run.claims,
                "environment": run.environment,
            }
            for run in comparison.runs
        ],
    }


def _group(group: Group) -> dict[str, Any]:
    metrics = {
        name: {"mean": measured.mean, "sd": measured.spread, "runs": measured.count}
        for name, measured in group.metrics.items()
    }
    return {"parameters": group.parameters, "runs": [run.name for run in group.runs], "metrics": metrics}


def _cell(value: Any) -> Any:
    """Return a value as a cell; text that a spreadsheet would take for a formula is marked as text."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return json.dumps(value) if isinstance(value, list | dict | bool) else value
