"""What READMEs and the instructor's guide repeat of measured runs: written by a program, so that it can't grow old."""

import hashlib
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_utils.errors import CourseError
from course_utils.paths import data_dir, docs_dir, notebooks_dir, project_root, shipped_encoders_dir, write_text
from course_utils.running.executed import copied_names
from course_utils.running.notebooks import Notebook, discover
from course_utils.running.speed import load_measured
from course_utils.running.strict_yaml import read_yaml

BLOCK = re.compile(r"(<!-- (minutes|plan|notebooks|guide|encoders): ([\w-]+) -->)(.*?)(<!-- end -->)", re.S)
PLAN_HEAD = ["| from | minutes | what | machine works |", "|---|---|---|---|"]
ENCODERS_HEAD = ["| file | size | made by | learned from | sha256 |", "|---|---|---|---|---|"]
ROW = re.compile(r"^\| (\d\d) \| \[([^\]]+)\]\(notebooks/(\d\d_\w+)\.ipynb\) \| ([^|]+?) \|.*$", re.M)


@dataclass(frozen=True)
class Facts:
    """What the blocks are made of."""

    seconds: dict[str, float]  # of notebooks in the published laptop run
    plans: dict[str, dict[str, Any]]
    notebooks: dict[str, Notebook]
    copies: set[str]
    guide: tuple[str, ...] = ()  # pages about single notebooks


def renew_handbook() -> list[Path]:
    """Write the READMEs' and the guide's generated blocks anew; return the files that changed."""
    changed = []
    for path, text in handbook_texts().items():
        if text != path.read_text(encoding="utf-8"):
            write_text(path, text)
            changed.append(path)
    return changed


def handbook_texts() -> dict[Path, str]:
    """Return the READMEs' and the guide's texts as they should be."""
    facts = gather_facts()
    paths = [project_root() / "README.md", data_dir() / "README.md", *sorted((docs_dir() / "instructor").glob("*.md"))]
    return {path: renewed(path.read_text(encoding="utf-8"), facts) for path in paths if path.exists()}


def gather_facts() -> Facts:
    """Read the measured times, the plans and which notebooks there are."""
    plans = docs_dir() / "instructor" / "plans.yaml"
    return Facts(
        load_measured("laptop")["seconds"],
        read_yaml(plans) if plans.exists() else {},
        {notebook.name: notebook for notebook in discover(notebooks_dir())},
        set(copied_names()),
        tuple(path.stem for path in sorted((docs_dir() / "instructor").glob("[0-9][0-9]_*.md"))),
    )


def renewed(text: str, facts: Facts) -> str:
    """Return a text with its blocks as the facts say; a block is `<!-- KIND: NAME -->...<!-- end -->`.

    Raises:
        CourseError: a block asks for a plan that isn't in plans.yaml.
    """
    writers: dict[str, Callable[[str, str, Facts], str]] = {
        "minutes": lambda name, _, known: _minutes(name, known),
        "plan": lambda name, _, known: f"\n{plan_table(name, known)}\n",
        "notebooks": lambda _, old, known: f"\n{notebooks_table(old, known)}\n",
        "encoders": lambda *_: f"\n{encoders_table(shipped_encoders_dir())}\n",
        "guide": lambda *_: ", ".join(f"[{page[:2]}]({page}.md)" for page in facts.guide),
    }
    return BLOCK.sub(lambda found: found[1] + writers[found[2]](found[3], found[4], facts) + found[5], text)


def notebooks_table(old: str, facts: Facts) -> str:
    """Return README's table: its rows as they are, and those that are missing, with minutes and executed copies."""
    rows = {name: (number, title, question) for number, title, name, question in ROW.findall(old)}
    for name, notebook in facts.notebooks.items():
        rows.setdefault(name, (name[:2], notebook.title, _question(notebook)))
    lines = ["| no. | notebook | the question it answers | minutes | as it last ran |", "|---|---|---|---|---|"]
    for name, (number, title, question) in sorted(rows.items()):
        read = f"[results](docs/executed/{name}.ipynb)" if name in facts.copies else "not published yet"
        minutes = str(_whole_minutes(facts.seconds[name])) if name in facts.seconds else "not measured"
        lines.append(f"| {number} | [{title}](notebooks/{name}.ipynb) | {question} | {minutes} | {read} |")
    return "\n".join(lines)


def encoders_table(folder: Path) -> str:
    """Return data/README.md's table of the encoder files in a folder, each with its JSON file: size, origin, hash."""
    lines = [*ENCODERS_HEAD]
    for encoder in sorted(folder.glob("*.safetensors")):
        told = json.loads(encoder.with_suffix(".json").read_text(encoding="utf-8"))
        notebook = f"[{told['notebook'][:2]}](../notebooks/{told['notebook']}.ipynb), {told['date']}"
        for path in (encoder, encoder.with_suffix(".json")):
            content = path.read_bytes()
            cells = (f"`encoders/{path.name}`", _file_size(len(content)), notebook, f"`{told['dataset']}`")
            lines.append(f"| {' | '.join(cells)} | `{hashlib.sha256(content).hexdigest()}` |")
    return "\n".join(lines)


def _file_size(num_bytes: int) -> str:
    return f"{num_bytes / 1e6:.1f} MB" if num_bytes >= 100_000 else f"{num_bytes / 1e3:.1f} kB"


def plan_table(name: str, facts: Facts) -> str:
    """Return a plan as a table with its times, and what it adds up to; parts about notebooks to come are left out."""
    if name not in facts.plans:
        raise CourseError(f"there is no plan {name} in plans.yaml: there are {', '.join(facts.plans) or 'none'}")
    parts = facts.plans[name]["parts"]
    lines, clock, machine_total = [] if "day" in parts[0] else [*PLAN_HEAD], 0, 0.0
    for part in parts:
        if "day" in part:
            lines += ["", f"**{part['day']}**", "", *PLAN_HEAD]
            clock = 0
            continue
        if not _is_there(part, facts):
            continue
        machine = _machine_minutes(part, facts)
        length = part_minutes(part, machine)
        works = f"{_whole_minutes(60 * machine)} min" if machine else ("not measured" if part.get("run") else "")
        lines.append(f"| {clock // 60}:{clock % 60:02} | {length} | {_what(part, facts)} | {works} |")
        clock, machine_total = clock + length, machine_total + machine
    return "\n".join(lines).strip() + f"\n\n{_total(facts.plans[name], facts, machine_total)}"


def part_minutes(part: dict[str, Any], machine: float) -> int:
    """Return how long a part of a plan takes: what people need, or the machine if that is longer."""
    return max(int(part["minutes"]), math.ceil(machine))


def plan_minutes(plan: dict[str, Any], facts: Facts) -> int:
    """Return how long a plan takes in all, on the machine that was measured."""
    parts = [part for part in plan["parts"] if "minutes" in part and _is_there(part, facts)]
    return sum(part_minutes(part, _machine_minutes(part, facts)) for part in parts)


def _notebook_of(part: dict[str, Any], facts: Facts) -> str:
    """Return the name of the notebook that a part of a plan is about, "" if there is none."""
    number = part.get("notebook")
    return next((name for name in facts.notebooks if number and name.startswith(f"{number}_")), "")


def _is_there(part: dict[str, Any], facts: Facts) -> bool:
    return "notebook" not in part or _notebook_of(part, facts) != ""


def _machine_minutes(part: dict[str, Any], facts: Facts) -> float:
    return facts.seconds.get(_notebook_of(part, facts), 0.0) / 60 if part.get("run") else 0.0


def _total(plan: dict[str, Any], facts: Facts, machine: float) -> str:
    total = plan_minutes(plan, facts)
    left = plan["minutes"] - total
    spare = f"{left} minutes are left for questions" if left >= 0 else f"{-left} minutes too many: leave a part out"
    return f"In all {total} of {plan['minutes']} minutes; the machine works for {round(machine)} of them; {spare}."


def _what(part: dict[str, Any], facts: Facts) -> str:
    name = _notebook_of(part, facts)
    title = f"[{name[:2]} · {facts.notebooks[name].title}](../../notebooks/{name}.ipynb): " if name else ""
    return title + " ".join(part["what"].split())


def _minutes(name: str, facts: Facts) -> str:
    if name not in facts.seconds:
        return "not measured yet"
    minutes = _whole_minutes(facts.seconds[name])
    return f"{minutes} minute{'s' if minutes != 1 else ''}"


def _whole_minutes(seconds: float) -> int:
    return max(1, round(seconds / 60))


def _question(notebook: Notebook) -> str:
    found = re.search(r"^\*\*(.+\?)\*\*$", "".join(notebook.cells[0]["source"]), re.M)
    return found[1] if found else notebook.title
