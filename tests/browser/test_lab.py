"""JupyterLab shows every notebook of the course, whole and without an error."""

import json
import shutil

import pytest

from course_utils.paths import notebooks_dir
from course_utils.running.notebooks import discover

pytestmark = pytest.mark.browser
UNRENDERED = """
() => [...document.querySelectorAll('.jp-MarkdownCell')].filter(cell => !cell.querySelector('.jp-RenderedMarkdown'))
  .map(cell => cell.innerText.slice(0, 80))
"""
BAD_FORMULAS = "[...document.querySelectorAll('mjx-merror')].map(formula => formula.innerText)"


def test_every_notebook_opens_without_an_error(page, lab, troubles):
    for notebook in discover(notebooks_dir()):
        shutil.copy(notebook.path, lab.folder)
        lab.open(page, notebook.path.name, kernel=False)
        cells = json.loads(notebook.path.read_text(encoding="utf-8"))["cells"]
        page.wait_for_function(f"document.querySelectorAll('.jp-Cell').length === {len(cells)}")
        page.wait_for_function(f"({UNRENDERED})().length === 0")
        assert page.evaluate(BAD_FORMULAS) == [], notebook.name
        assert troubles == [], notebook.name
