"""From a good run into the repository: encoders, executed copies, README's picture, and minutes wherever they stand."""

import re
import shutil
from pathlib import Path

from course_utils.errors import CourseError
from course_utils.models.encoder_files import SHIPPED
from course_utils.paths import docs_dir, notebooks_dir, replacing, shipped_encoders_dir
from course_utils.running.executed import (
    MINUTES_TAG,
    Content,
    copied_names,
    executed_dir,
    load_notebook,
    make_copy,
    renew_all,
    write_notebook,
)
from course_utils.running.handbook import renew_handbook
from course_utils.running.notebooks import Notebook
from course_utils.running.profiles import GPU, LAPTOP, LIGHT
from course_utils.running.results import executed_path, load_record
from course_utils.running.settings import validate
from course_utils.running.speed import MEASURED, pace_of, write_measured
from course_utils.running.summary import Entry, Summary, load_summary

PROFILES = (LAPTOP, LIGHT, GPU)
PICTURE = "06_linear_evaluation_comparison.png"  # README shows it


def publish(run_dir: Path) -> list[Path]:
    """Take what a run gave into the repository; return the files written.

    A laptop run gives the encoders that ship, README's picture and an executed copy of each notebook; the others
    give minutes only. All copies are made before anything is written.

    Raises:
        CourseError: there is no such run, something in it failed, or it is not of the notebooks as they are now.
    """
    summary = load_summary(run_dir)
    if summary["status"] != "ok":
        raise CourseError(f"{run_dir} has failed notebooks: only a run that ended well is published")
    if summary["profile"] not in PROFILES:
        raise CourseError(f"{run_dir} is a run of {summary['profile']}: only {', '.join(PROFILES)} runs are published")
    entries = [entry for entry in summary["notebooks"] if (notebooks_dir() / f"{entry['name']}.ipynb").exists()]
    sources = {entry["name"]: _with_minutes(entry, summary) for entry in entries}
    written = []
    if summary["profile"] == LAPTOP:  # what is shipped is what a learner's own run would make
        known = {*copied_names(), *sources}
        copies = {entry["name"]: _copy_of(run_dir, entry, sources[entry["name"]], known) for entry in entries}
        for name, copy in copies.items():
            written.append(executed_dir() / f"{name}.ipynb")
            write_notebook(written[-1], copy)
        encoders = [path for path in sorted((run_dir / "encoders").glob("*.*")) if path.stem in SHIPPED]
        written += [_copy(path, shipped_encoders_dir() / path.name) for path in encoders]
        if (run_dir / "figures" / PICTURE).exists():
            written.append(_copy(run_dir / "figures" / PICTURE, docs_dir() / PICTURE))
    for name, content in sources.items():
        written.append(notebooks_dir() / f"{name}.ipynb")
        write_notebook(written[-1], content)
    written.append(write_measured(summary, docs_dir() / MEASURED))  # `course doctor` scales these to other machines
    return [*written, *renew_all()[0], *renew_handbook()]


def publish_prose() -> tuple[list[Path], list[str]]:
    """Carry changed text and minutes to where they are repeated, without a run.

    Returns:
        The files written; sentences that say which copies need a new run first.
    """
    changed, problems = renew_all()
    return [*changed, *renew_handbook()], problems


def _copy_of(run_dir: Path, entry: Entry, source: Content, known: set[str]) -> Content:
    """Return a notebook's executed copy.

    Raises:
        CourseError: the run had other parameters, or is of another version of the notebook, or is incomplete.
    """
    name = entry["name"]
    record = load_record(run_dir, name)
    if record is None or not executed_path(run_dir, name).exists():
        raise CourseError(f"{run_dir} has no whole result of {name}: `course run {name[:2]}` makes it anew")
    defaults = validate(name, Notebook(notebooks_dir() / f"{name}.ipynb").defaults()).parameters()
    other = [key for key, value in defaults.items() if key != "RUN_DIR" and entry["parameters"].get(key) != value]
    if other:
        raise CourseError(
            f"{name} ran with another {' and '.join(other)} than the notebook's own: that isn't published"
        )
    return make_copy(name, source, load_notebook(executed_path(run_dir, name)), record, known)


def describe_minutes(entry: Entry, summary: Summary) -> str:
    """Return how long a notebook took and on what, in words."""
    environment = summary["environment"]
    minutes = entry["seconds"] / 60
    length = f"{minutes:.0f} minutes" if minutes >= 1.5 else f"{max(10, round(entry['seconds'], -1)):.0f} seconds"
    place = f"{environment['cores']} cores" if environment["device"] == "cpu" else environment["device"]
    return f"{length} ({place}, {environment['precision']})"


def _with_minutes(entry: Entry, summary: Summary) -> Content:
    content = load_notebook(notebooks_dir() / f"{entry['name']}.ipynb")
    put_minutes(entry["name"], content, pace_of(summary, docs_dir() / MEASURED), describe_minutes(entry, summary))
    return content


def put_minutes(name: str, content: Content, pace: str, words: str) -> None:
    """Put the minutes of one profile, or of it on other machines, into the cell tagged `minutes`; others' stay.

    Of laptop and gpu it is also said if they were not measured.

    Args:
        name: the notebook's.
        content: the notebook, changed in place.
        pace: see `pace_of`.
        words: see `describe_minutes`.

    Raises:
        CourseError: the notebook has no such cell.
    """
    cells = [cell for cell in content["cells"] if MINUTES_TAG in cell["metadata"].get("tags", [])]
    if len(cells) != 1:
        raise CourseError(f"{name} needs one cell tagged `{MINUTES_TAG}`, it has {len(cells)}")
    known = dict(re.findall(r"^- ([^:\n]+): (.+)$", "".join(cells[0]["source"]), re.M)) | {pace: words}
    paces = sorted({*known, LAPTOP, GPU}, key=lambda pace: (PROFILES.index(pace.split(", ")[0]), pace))
    lines = ["**How long it took**", "", *(f"- {pace}: {known.get(pace, 'not measured')}" for pace in paces)]
    cells[0]["source"] = "\n".join(lines).splitlines(keepends=True)


def _copy(path: Path, copy: Path) -> Path:
    with replacing(copy) as temporary:
        shutil.copyfile(path, temporary)
    return copy
