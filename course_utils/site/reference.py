"""Pages that are made from code and from CITATION.cff: the package's reference, and how to cite."""

import ast
from collections.abc import Iterable
from pathlib import Path

import yaml

from course_utils.paths import project_root

LEFT_OUT = {"__main__", "cli", "site"}
OF_RUNNING = {"api", "sweeps.runner", "records", "metrics", "settings", "notebooks", "findings", "summary"}
"""What people call by themselves; the rest serves the command."""
ROOMS = {
    "data": "Data",
    "models": "Models",
    "pretext": "Pretext tasks",
    "": "Views, training, what all of it uses",
    "evaluation": "Evaluation",
    "labeling": "What labels cost",
    "language": "Asking language models",
    "detection": "Detection",
    "plotting": "Plots",
    "widgets": "Widgets",
    "checks": "Exercises and quizzes",
    "running": "Running and recording",
    "pretraining": "Long pretraining",
}
MODULE = """## {name}

```{{eval-rst}}
.. automodule:: {name}
   :members:
```
"""


def api_pages() -> dict[str, str]:
    """Return path → text of a page for every room of the package, and of a page that lists what is in them."""
    modules = find_modules(project_root() / "course_utils")
    lines = [
        "# The package",
        "",
        "What the notebooks import. All of it is tested, and may be used in your own code.",
        "",
    ]
    pages = {}
    for room, title in find_rooms(modules).items():
        page = room or "course_utils"
        inside = {name: words for name, words in modules.items() if room_of(name) == room}
        pages[f"api/{page}.md"] = f"# {title}\n\n" + "\n".join(MODULE.format(name=name) for name in inside)
        lines += [f"## [{title}]({page}.md)", "", "| module | what it is |", "|---|---|"]
        lines += [f"| {{py:mod}}`{name}` | {words} |" for name, words in inside.items()]
        lines.append("")
    return {**pages, "api/index.md": "\n".join(lines)}


def find_rooms(modules: Iterable[str]) -> dict[str, str]:
    """Return the rooms that these modules are in, with their titles, in order."""
    there = sorted({room_of(name) for name in modules} - LEFT_OUT)
    known = {room: title for room, title in ROOMS.items() if room in there}
    return {**known, **{room: room.capitalize() for room in there if room not in ROOMS}}


def find_modules(package: Path) -> dict[str, str]:
    """Return the modules to be shown with the first line of what each says of itself."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = [package.name, *path.relative_to(package).with_suffix("").parts]
        words = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        name = ".".join(parts)
        is_inner = room_of(name) == "running" and ".".join(parts[2:]) not in OF_RUNNING
        if parts[-1] not in LEFT_OUT and not parts[-1].startswith("_") and not is_inner:
            found[name] = words.partition("\n")[0].replace("|", "\\|").replace("<", "\\<")
    return found


def room_of(module: str) -> str:
    """Return the part of the package that a module is in, "" for its ground floor."""
    parts = module.split(".")
    return parts[1] if len(parts) > 2 else ""


def cite_page(citation: str) -> str:
    """Return the page about citing, from CITATION.cff's text."""
    about = yaml.safe_load(citation)
    authors = [
        author.get("name") or f"{author.get('given-names', '')} {author.get('family-names', '')}".strip()
        for author in about["authors"]
    ]
    names = " and ".join(f"{{{author}}}" for author in authors)
    lines = [
        f"@software{{self_supervised_course,\n  author = {{{names}}},\n  title = {{{about['title']}}},",
        f"  version = {{{about['version']}}},\n  license = {{{about['license']}}}\n}}",
    ]
    sentence = f"{', '.join(authors)}. *{about['title']}.* Version {about['version']}."
    return (
        f"# How to cite\n\n{about['message']}\n\n{sentence}\n\n"
        "```bibtex\n" + "\n".join(lines) + "\n```\n\n"
        "The same as a file that programs read: `CITATION.cff` in the course's folder. Please also cite the papers\n"
        "whose methods you use: each notebook ends with its references. Data: see [where they come from](data.md).\n"
    )
