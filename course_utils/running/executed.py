"""Executed copies in docs/executed/: each notebook as it last ran, for those who read before they run."""

import json
import os
import re
from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import Any

from course_utils.errors import CourseError
from course_utils.paths import docs_dir, notebooks_dir, project_root, write_text
from course_utils.running.outputs import clean_outputs, shrink_pictures
from course_utils.running.pictures import SHRINKINGS
from course_utils.running.results import Recorded

MAX_BYTES = 500_000
MINUTES_TAG, PUBLISHED_TAG = "minutes", "published"
FACTS = ("started", "finished", "seconds", "environment", "claims")  # of a record, kept in the copy's metadata

Content = dict[str, Any]
"""A notebook as JSON."""


def executed_dir() -> Path:
    """Return the folder of executed copies."""
    return docs_dir() / "executed"


def load_notebook(path: Path) -> Content:
    """Return a notebook as it stands in its file.

    Raises:
        CourseError: it isn't there, or it is not a notebook.
    """
    try:
        content: Content = json.loads(path.read_text(encoding="utf-8"))
        content["cells"] = list(content["cells"])
    except OSError as error:
        raise CourseError(f"can't read {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise CourseError(f"{path} is not a notebook: it should be a JSON file with cells") from None
    return content


def write_notebook(path: Path, content: Content) -> None:
    """Write a notebook, whole or not at all."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def code_of(content: Content) -> list[str]:
    """Return a notebook's code, without the parameters that papermill put in."""
    return [
        "".join(cell["source"])
        for cell in content["cells"]
        if cell["cell_type"] == "code" and "injected-parameters" not in cell["metadata"].get("tags", [])
    ]


def make_copy(name: str, source: Content, ran: Content, record: Recorded, known: Collection[str]) -> Content:
    """Return a notebook's copy: its own text, with what it gave when it ran, in at most 500 KB.

    Args:
        name: the notebook's.
        source: the notebook as it is now.
        ran: what a run left of it.
        record: the run's record of it.
        known: the notebooks that have a copy; links to others lead to the notebook itself.

    Raises:
        CourseError: the notebook's code has changed since the run, or no copy would be small enough.
    """
    facts = {key: record[key] for key in FACTS}
    outputs = [
        clean_outputs(cell["outputs"], str(project_root()))
        for cell in ran["cells"]
        if cell["cell_type"] == "code" and "injected-parameters" not in cell["metadata"].get("tags", [])
    ]
    if code_of(source) != code_of(ran):
        raise CourseError(f"{name} has changed since this run: run it again before it is published")
    for shrinking in SHRINKINGS:
        shrunk = [shrink_pictures(items, shrinking) for items in outputs]
        copy = _assemble(name, source, shrunk, facts, known)
        size = len(json.dumps(copy, indent=1, ensure_ascii=False).encode())
        if size < MAX_BYTES:
            return copy
    raise CourseError(
        f"{name}'s copy would have {size / 1000:.0f} KB, more than {MAX_BYTES / 1000:.0f}: fewer figures?"
    )


def renew_prose(name: str, source: Content, copy: Content, known: Collection[str]) -> Content:
    """Return a copy with the notebook's present text and the copy's outputs.

    Raises:
        CourseError: the code has changed, so that the outputs are of something else.
    """
    if code_of(source) != code_of(copy):
        raise CourseError(f"{name}'s code has changed since its copy was made: publish a new run of it")
    outputs = [cell["outputs"] for cell in copy["cells"] if cell["cell_type"] == "code"]
    return _assemble(name, source, outputs, copy["metadata"]["course"], known)


def renew_all() -> tuple[list[Path], list[str]]:
    """Carry the notebooks' text over to their copies; return the copies that changed, and why others couldn't."""
    changed, problems = [], []
    known = copied_names()
    for name in known:
        path = executed_dir() / f"{name}.ipynb"
        try:
            copy = load_notebook(path)
            renewed = renew_prose(name, load_notebook(notebooks_dir() / path.name), copy, known)
        except CourseError as error:
            problems.append(str(error))
            continue
        if renewed != copy:
            write_notebook(path, renewed)
            changed.append(path)
    return changed, problems


def copied_names() -> list[str]:
    """Return the names of the notebooks that have an executed copy."""
    return sorted(path.stem for path in executed_dir().glob("[0-9][0-9]_*.ipynb"))


def describe_run(facts: dict[str, Any]) -> str:
    """Return when, how long and on what a copy was executed, in words."""
    environment, day = facts["environment"], date.fromisoformat(facts["finished"][:10])
    cores = f"{environment['cores']} core{'s' if environment['cores'] != 1 else ''}"
    place = cores if environment["device"] == "cpu" else f"{environment['device']} and {cores}"
    minutes, seconds = divmod(round(facts["seconds"]), 60)
    length = f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
    versions = f"{environment['precision']}, Python {environment['python']}, torch {environment['torch']}"
    return f"executed on {day.day} {day:%B %Y} in {length} on a machine with {place} ({versions})"


def published_words(name: str, facts: dict[str, Any], link: str) -> str:
    """Return what a copy says of itself, with a link to the notebook."""
    return f"**This copy** was {describe_run(facts)}. To run it yourself, open [notebooks/{name}.ipynb]({link})."


def _assemble(name: str, source: Content, outputs: list[Any], facts: dict[str, Any], known: Collection[str]) -> Content:
    """Return the source's cells with these outputs, the facts in a cell beneath the minutes."""
    cells: list[dict[str, Any]] = []
    left = iter(outputs)
    number = 0
    for cell in source["cells"]:
        metadata = {key: value for key, value in cell["metadata"].items() if key not in ("papermill", "execution")}
        if cell["cell_type"] == "code":
            number += 1
            cells.append(
                {**cell, "metadata": metadata, "execution_count": number, "outputs": _count(next(left), number)}
            )
            continue
        text = moved_links("".join(cell["source"]), known)
        cells.append({**cell, "metadata": metadata, "source": text.splitlines(keepends=True)})
        if MINUTES_TAG in metadata.get("tags", []):
            words = published_words(name, facts, f"../../notebooks/{name}.ipynb")
            shown = {key: metadata[key] for key in metadata if key == "slideshow"}  # on a slide, or not, as the minutes
            said = {
                "cell_type": "markdown",
                "id": "published",
                "metadata": {**shown, "tags": [PUBLISHED_TAG]},
                "source": [words],
            }
            cells.append(said)
    metadata = {key: value for key, value in source["metadata"].items() if key not in ("papermill", "widgets")}
    return {**source, "cells": cells, "metadata": {**metadata, "course": facts}}


def _count(outputs: list[dict[str, Any]], number: int) -> list[dict[str, Any]]:
    return [{**item, "execution_count": number} if "execution_count" in item else item for item in outputs]


def moved_links(text: str, known: Collection[str]) -> str:
    """Return a notebook's text with its relative links as they are from docs/executed/."""

    def move(match: re.Match[str]) -> str:
        target, anchor = match.group(1), match.group(2) or ""
        if target.endswith(".ipynb") and target.removesuffix(".ipynb") in known:
            return f"]({target}{anchor})"  # its copy lies beside this one
        path = os.path.normpath(os.path.join("notebooks", target))  # noqa: PTH118 - it is a link's path
        return f"](../../{path}{anchor})"

    return re.sub(r"\]\((?![a-z]+:|/|#)([^)#\s]+)(#[^)\s]*)?\)", move, text)
