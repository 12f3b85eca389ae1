"""What is made from code, citation and claims, and the notebooks' pages."""

import json

import pytest

from course_utils.paths import project_root
from course_utils.running.notebooks import Notebook
from course_utils.site import claims, source
from course_utils.site.claims import claims_page
from course_utils.site.docstrings import escape_line, prepare_signature, prepared
from course_utils.site.glossary import FirstUses, read_glossary
from course_utils.site.links import Layout
from course_utils.site.reference import api_pages, cite_page, find_modules, find_rooms, room_of
from course_utils.site.source import notebook_page

FACTS = {
    "finished": "2026-03-01T10:00:00",
    "seconds": 30,
    "environment": {"cores": 2, "device": "cpu", "precision": "32-true", "python": "3.12", "torch": "2.9"},
    "claims": [
        {"id": "a", "statement": "A | B *beats* C", "source": "X <1>", "holds": True, "evidence": {"acc": 0.5}},
        {"id": "b", "statement": "D", "source": "Y", "holds": False, "evidence": {"n": 3}},
    ],
}


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    image = {"image/png": {"alt": "Ten frogs", "width": 10}}
    output = {"output_type": "display_data", "data": {"image/png": "AAAA"}, "metadata": image}
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Frogs\n", "A label. See [it](../../data/README.md)."]},
        {"cell_type": "markdown", "metadata": {"tags": ["published"]}, "source": ["**This copy** was made."]},
        {"cell_type": "code", "metadata": {}, "source": ["1"], "outputs": [output], "execution_count": 1},
        {"cell_type": "markdown", "metadata": {}, "source": ["## References\n", "On labels."]},
    ]
    path = tmp_path / "01_frogs.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": {"course": FACTS}}))
    for module in (claims, source):
        monkeypatch.setattr(module, "executed_dir", lambda: tmp_path)
    return Notebook(path)


def test_claims_are_told_whether_they_hold_or_not(notebook):
    page = claims_page([notebook])
    assert "1 of 2 hold." in page
    assert r"| ✓ yes | A \| B \*beats\* C<br>*X \<1\>* | acc: **0.500** |" in page
    assert "| ✗ no | D<br>*Y* | n: **3** |" in page


def test_without_copies_the_claims_page_says_so(notebook):
    notebook.path.unlink()
    assert "have not been published" in claims_page([notebook])


def test_a_notebooks_page_has_alternatives_links_and_the_way_to_the_file(notebook):
    layout = Layout(project_root(), {"data/README.md": "data.md"})
    page = notebook_page(notebook, layout, FirstUses(read_glossary("- **label** (labels): x.\n")))
    first, how, code, last = page["cells"]
    assert first["source"] == "# Frogs\nA {term}`label <label>`. See [it](../data.md)."
    assert "{download}`Run this page <../files/notebooks/01_frogs.ipynb>`" in how["source"]
    assert "executed on 1 March 2026" in how["source"]
    assert code["metadata"]["mystnb"] == {"image": {"alt": "Ten frogs"}}
    assert last["source"] == "## References\nOn labels."
    assert layout.files == {"notebooks/01_frogs.ipynb"}


def test_every_module_is_in_the_reference_once():
    modules = find_modules(project_root() / "course_utils")
    shown = [name for name in modules if room_of(name) != "site"]
    text = "\n".join(api_pages().values())
    assert [text.count(f"automodule:: {name}\n") for name in shown] == [1] * len(shown)
    assert all(modules[name] for name in shown), "each says what it is"
    assert list(find_rooms([*modules, "course_utils.new.thing"]))[-1] == "new", "nobody has to be told of a new room"


def test_how_to_cite_names_what_the_file_says():
    page = cite_page((project_root() / "CITATION.cff").read_text(encoding="utf-8"))
    assert "@software{" in page
    assert "Version 0.1.0" in page


def test_signatures_have_short_names():
    signature = "(a: ~collections.abc.Callable[[~x.y.Z], None])"
    assert prepare_signature(None, "", "", None, None, signature, None) == ("(a: Callable[[Z], None])", None)


def test_docstrings_are_read_as_they_are_meant():
    assert escape_line("`a_` and b_ of *all*, |x|") == r"``a_``\  and b\_ of \*all\*, \|x\|"
    lines = ["Do.", "", "    code = a_", "", "Args:", "    x: `y`."]
    assert prepared(lines) == ["Do.", "", "::", "", "    code = a_", "", "Args:", r"    x: ``y``\ ."]
