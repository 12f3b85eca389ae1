"""All claims of the course in one table: who says what, and whether our own published run agrees."""

from collections.abc import Sequence
from typing import Any

from course_utils.running.executed import describe_run, executed_dir, load_notebook
from course_utils.running.metrics import show_evidence
from course_utils.running.notebooks import Notebook

INTRODUCTION = """# Claims

Sentences of papers and articles, each held against what the published run of these notebooks measured. One that does
not hold here is not refuted: most papers speak of larger networks and longer training. `make run` measures all of them
on your machine, and its report has this table with your numbers.
"""
HEAD = ["| holds here | claim | measured |", "|---|---|---|"]
NONE = "Notebooks have not been published with results yet: `make run` shows their claims with your own numbers."


def claims_page(notebooks: Sequence[Notebook]) -> str:
    """Return the page's Markdown, from what the executed copies keep of their runs."""
    sections = [INTRODUCTION]
    total = held = 0
    for notebook in notebooks:
        path = executed_dir() / notebook.path.name
        facts = load_notebook(path)["metadata"].get("course", {}) if path.exists() else {}
        if not (claims := facts.get("claims")):
            continue
        total, held = total + len(claims), held + sum(claim["holds"] for claim in claims)
        link = f"[{notebook.name[:2]} · {_safe(notebook.title)}](notebooks/{notebook.path.name})"
        sections.append(f"## {link}\n\nThis notebook was {describe_run(facts)}.\n")
        sections.append("\n".join([*HEAD, *map(_row, claims)]) + "\n")
    sections.insert(1, f"{held} of {total} hold.\n" if total else NONE)
    return "\n".join(sections)


def _row(claim: dict[str, Any]) -> str:
    holds = "✓ yes" if claim["holds"] else "✗ no"
    evidence = "<br>".join(f"{_safe(name)}: **{_safe(value)}**" for name, value in show_evidence(claim["evidence"]))
    return f"| {holds} | {_safe(claim['statement'])}<br>*{_safe(claim['source'])}* | {evidence} |"


def _safe(text: str) -> str:
    """Return text that Markdown takes as text."""
    for mark in "\\`*_|<>[]{}$":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())
