"""What Sphinx reads: the repository's texts and executed notebooks, laid out as pages."""

import json
import shutil
from pathlib import Path
from typing import Any

from course_utils.errors import CourseError
from course_utils.paths import docs_dir, notebooks_dir, project_root
from course_utils.running.executed import PUBLISHED_TAG, describe_run, executed_dir, load_notebook
from course_utils.running.notebooks import Notebook, discover
from course_utils.site.claims import claims_page
from course_utils.site.glossary import FirstUses, glossary_page, read_glossary
from course_utils.site.links import Layout, relative
from course_utils.site.reference import api_pages, cite_page

TEXTS = {
    "README.md": "index.md",
    "docs/glossary.md": "glossary.md",
    "docs/sweeps.md": "sweeps.md",
    "docs/gpus.md": "gpus.md",
    "docs/scale.md": "scale.md",
    "docs/pretraining.md": "pretraining.md",
    "data/README.md": "data.md",
    "benchmarks/README.md": "benchmarks.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
}
UNPUBLISHED = "This notebook has not been published with results yet: here is its text and code. "
CONTENTS = """
```{{toctree}}
:hidden:
:caption: {caption}
:maxdepth: 1

{entries}
```
"""


def write_source(folder: Path) -> None:
    """Write the site's source into an empty folder.

    Raises:
        CourseError: a text links to what isn't there, or the glossary or an executed copy is wrong.
    """
    root = project_root()
    notebooks = discover(notebooks_dir())
    guide = sorted((docs_dir() / "instructor").glob("*.md"))
    guide_pages = {f"docs/instructor/{path.name}": f"instructor/{path.name}" for path in guide}
    layout = Layout(root, {**TEXTS, **guide_pages, "CITATION.cff": "cite.md"})
    for notebook in notebooks:
        page = f"notebooks/{notebook.path.name}"
        layout.pages |= {page: page, f"docs/executed/{notebook.path.name}": page}
    pages = {
        page: layout.relocate(_read(root / path), path, page)
        for path, page in layout.pages.items()
        if path.endswith(".md")
    }
    terms = read_glossary(pages["glossary.md"])
    pages["glossary.md"] = glossary_page(pages["glossary.md"])
    references = api_pages()
    pages |= {"claims.md": claims_page(notebooks), "cite.md": cite_page(_read(root / "CITATION.cff")), **references}
    pages["index.md"] += _contents(
        notebooks,
        [Path(page).stem for page in guide_pages.values()],
        [page.removesuffix(".md") for page in references if page != "api/index.md"],
    )
    for page, text in pages.items():
        _write(folder / page, text)
    for notebook in notebooks:
        content = notebook_page(notebook, layout, FirstUses(terms))
        _write(folder / "notebooks" / notebook.path.name, json.dumps(content, ensure_ascii=False))
    for path in sorted(layout.files):
        (folder / "files" / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / path, folder / "files" / path)


def notebook_page(notebook: Notebook, layout: Layout, first_uses: FirstUses) -> dict[str, Any]:
    """Return a notebook's page: its executed copy, or else itself, with links to the glossary and to the file."""
    copy = executed_dir() / notebook.path.name
    here, page = f"docs/executed/{copy.name}", f"notebooks/{copy.name}"
    if not copy.exists():
        here = page
    content = load_notebook(copy if copy.exists() else notebook.path)
    facts = content["metadata"].pop("course", None)
    cells, in_references = [], False
    for cell in content["cells"]:
        if PUBLISHED_TAG in cell["metadata"].get("tags", []):
            continue
        source = "".join(cell["source"])
        in_references = in_references or "## References" in source
        if cell["cell_type"] == "markdown":
            head, references, tail = source.partition("## References")
            source = layout.relocate(first_uses.link(head) + references + tail, here, page)
        cells.append(_with_alternatives({**cell, "source": source}))
    layout.files.add(page)
    cells.insert(1, _how_to_run(notebook.name, facts, relative(f"files/{page}", page)))
    return {**content, "cells": cells}


def _how_to_run(name: str, facts: dict[str, Any] | None, link: str) -> dict[str, Any]:
    said = f"What you see here was {describe_run(facts)}. " if facts else UNPUBLISHED
    file = f"it is `notebooks/{name}.ipynb` in the course's folder; `make lab` opens it."
    words = f"{said}{{download}}`Run this page <{link}>`: {file}"
    admonition = f":::{{admonition}} This page is a notebook\n:class: tip\n\n{words}\n:::"
    return {"cell_type": "markdown", "id": "how-to-run", "metadata": {}, "source": admonition}


def _with_alternatives(cell: dict[str, Any]) -> dict[str, Any]:
    """Return a cell that tells myst-nb its pictures' texts for screen readers."""
    texts = [
        about["alt"]
        for output in cell.get("outputs", [])
        for kind, about in output.get("metadata", {}).items()
        if kind.startswith("image/") and "alt" in about
    ]
    if not texts:
        return cell
    return {**cell, "metadata": {**cell["metadata"], "mystnb": {"image": {"alt": "; ".join(texts)}}}}


def _contents(notebooks: list[Notebook], guide: list[str], references: list[str]) -> str:
    pages = [page for page in guide if page[0].isdigit()]
    groups = {
        "Learn": [f"{item.name[:2]} · {item.title} <notebooks/{item.name}>" for item in notebooks],
        "Look up": ["glossary", "claims"],
        "Run": ["sweeps", "pretraining", "gpus", "scale", "data", "benchmarks"],
        "Teach": [
            f"instructor/{page}"
            for page in ("index", "plans", "preparation", "slides", *pages, "feedback")
            if page in guide
        ],
        "The package": ["Overview <api/index>", *references],
        "About": ["How to cite <cite>", "contributing", "changelog", "security"],
    }
    return "".join(CONTENTS.format(caption=name, entries="\n".join(group)) for name, group in groups.items())


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise CourseError(f"can't read {path}: {error.strerror}") from None


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
