"""From a good run into the repository: the encoders that ship with the course, README's picture, notebooks' minutes."""

import json
import re
import shutil
from pathlib import Path

from course_utils.errors import CourseError
from course_utils.paths import docs_dir, notebooks_dir, replacing, shipped_encoders_dir, write_text
from course_utils.running.speed import MEASURED, write_measured
from course_utils.running.summary import Entry, Summary, load_summary

MINUTES_TAG = "minutes"
PROFILES = ("laptop", "gpu")
PICTURE = "06_linear_evaluation_comparison.png"  # README shows it


def publish(run_dir: Path) -> list[Path]:
    """Take a run's encoders, README's picture and its notebooks' minutes into the repository; return the files written.

    Raises:
        CourseError: there is no such run, or something in it failed.
    """
    summary = load_summary(run_dir)
    if summary["status"] != "ok":
        raise CourseError(f"{run_dir} has failed notebooks: only a run that ended well is published")
    written = []
    if summary["profile"] == "laptop":  # what is shipped is what a learner's own run would make
        encoders = sorted(path for path in (run_dir / "encoders").iterdir() if path.suffix in (".safetensors", ".json"))
        written += [_copy(path, shipped_encoders_dir() / path.name) for path in encoders]
        if (run_dir / "figures" / PICTURE).exists():
            written.append(_copy(run_dir / "figures" / PICTURE, docs_dir() / PICTURE))
    for entry in summary["notebooks"]:
        path = notebooks_dir() / f"{entry['name']}.ipynb"
        if summary["profile"] in PROFILES and path.exists():
            write_minutes(path, summary["profile"], describe_minutes(entry, summary))
            written.append(path)
    if summary["profile"] in PROFILES:
        written.append(write_measured(summary, docs_dir() / MEASURED))  # `course doctor` scales these to other machines
    return written


def describe_minutes(entry: Entry, summary: Summary) -> str:
    """Return how long a notebook took and on what, in words."""
    environment = summary["environment"]
    minutes = entry["seconds"] / 60
    length = f"{minutes:.0f} minutes" if minutes >= 1.5 else f"{max(10, round(entry['seconds'], -1)):.0f} seconds"
    place = f"{environment['cores']} cores" if environment["device"] == "cpu" else environment["device"]
    return f"{length} ({place}, {environment['precision']})"


def write_minutes(path: Path, profile: str, words: str) -> None:
    """Put one profile's minutes into the cell tagged `minutes`; the other profiles' stay as they are.

    Raises:
        CourseError: the notebook has no such cell.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    cells = [cell for cell in content["cells"] if MINUTES_TAG in cell["metadata"].get("tags", [])]
    if len(cells) != 1:
        raise CourseError(f"{path.name} needs one cell tagged `{MINUTES_TAG}`, it has {len(cells)}")
    known = dict(re.findall(r"^- (\w+): (.+)$", "".join(cells[0]["source"]), re.M)) | {profile: words}
    lines = ["**How long it took**", "", *(f"- {name}: {known.get(name, 'not measured')}" for name in PROFILES)]
    cells[0]["source"] = "\n".join(lines).splitlines(keepends=True)
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _copy(path: Path, copy: Path) -> Path:
    with replacing(copy) as temporary:
        shutil.copyfile(path, temporary)
    return copy
