"""docs/executed/ is what the notebooks gave when they last ran, and they are still those notebooks."""

import json

import pytest

from course_utils.paths import notebooks_dir, project_root
from course_utils.running.executed import (
    MAX_BYTES,
    code_of,
    copied_names,
    executed_dir,
    load_notebook,
    make_copy,
    renew_prose,
)
from course_utils.running.notebooks import discover
from course_utils.running.results import load_record

NAMES = [notebook.name for notebook in discover(notebooks_dir())]

every_name = pytest.mark.parametrize("name", NAMES)


def load_copy(name):
    path = executed_dir() / f"{name}.ipynb"
    if not path.exists():
        pytest.skip(f"{name} has never been published: `course publish` makes its copy from a laptop run")
    return load_notebook(path)


def test_no_copy_is_left_of_a_notebook_that_is_gone():
    assert sorted(set(copied_names()) - set(NAMES)) == []


@every_name
def test_its_code_is_the_notebooks(name):
    copy = load_copy(name)
    same = code_of(copy) == code_of(load_notebook(notebooks_dir() / f"{name}.ipynb"))
    assert same, f"{name}'s code has changed: `course run {name[:2]}`, then `course publish laptop`"


@every_name
def test_its_text_is_the_notebooks(name):
    copy = load_copy(name)
    source = load_notebook(notebooks_dir() / f"{name}.ipynb")
    if code_of(copy) != code_of(source):
        pytest.skip("its code has changed, which is another test's")
    assert renew_prose(name, source, copy, copied_names()) == copy, "`course publish --prose` carries the text over"


@every_name
def test_it_is_small_and_clean_and_says_what_it_ran_on(name):
    copy = load_copy(name)
    text = json.dumps(copy, indent=1, ensure_ascii=False)
    assert len(text.encode()) <= MAX_BYTES
    assert not {"papermill", "widgets"} & set(copy["metadata"])
    assert "injected-parameters" not in text
    assert "widget-view+json" not in text
    assert str(project_root()) not in text
    facts = copy["metadata"]["course"]
    assert facts["seconds"] > 0
    [said] = [cell for cell in copy["cells"] if "published" in cell["metadata"].get("tags", [])]
    assert f"{facts['environment']['cores']} core" in "".join(said["source"])
    assert facts["finished"][:4] in "".join(said["source"])


def picture_texts(content):
    """Return the texts for screen readers of all pictures."""
    return [
        output["metadata"].get(kind, {}).get("alt", "")
        for cell in content["cells"]
        for output in cell.get("outputs", [])
        for kind in output.get("data", {})
        if kind.startswith("image/")
    ]


@every_name
def test_every_picture_says_what_it_shows(name):
    assert all(text.strip() for text in picture_texts(load_copy(name)))


@pytest.mark.notebook
@pytest.mark.parametrize("name", [notebook.name for notebook in discover(notebooks_dir()) if notebook.is_core])
def test_a_copy_can_be_made_of_a_run(name, smoke_run):
    source, ran = (load_notebook(folder / f"{name}.ipynb") for folder in (notebooks_dir(), smoke_run.folder))
    copy = make_copy(name, source, ran, load_record(smoke_run.folder, name), set(NAMES))
    assert code_of(copy) == code_of(source)
    texts = picture_texts(copy)
    assert texts
    assert all(text.strip() for text in texts)
    assert str(project_root()) not in json.dumps(copy)
