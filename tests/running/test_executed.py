"""Executed copies: the notebook's own text, a run's outputs, small, and nothing of papermill."""

import copy
import json

import pytest

from course_utils.errors import CourseError
from course_utils.running import executed
from course_utils.running.executed import code_of, describe_run, make_copy, moved_links, renew_all, renew_prose

ENVIRONMENT = {"cores": 2, "device": "cpu", "precision": "32-true", "python": "3.12.1", "torch": "2.9.0"}
RECORD = {
    "started": "2026-03-01T10:00:00+00:00",
    "finished": "2026-03-01T10:03:07+00:00",
    "seconds": 187.2,
    "environment": ENVIRONMENT,
    "claims": [],
}


def cell(kind, source, tags=(), **more):
    about = {"cell_type": kind, "id": f"id-{len(source)}", "metadata": {"tags": list(tags)} if tags else {}}
    return {**about, "source": source.splitlines(keepends=True), **more}


def code(source, outputs=(), tags=(), count=None):
    return cell("code", source, tags, outputs=list(outputs), execution_count=count)


@pytest.fixture
def source():
    cells = [
        cell("markdown", "# Frogs\nsee [data](../data/README.md) and [next](02_toads.ipynb#top)"),
        cell("markdown", "**How long it took**", ["minutes"]),
        code("NUM = 1  # frogs", tags=["parameters"]),
        code("print(NUM)"),
    ]
    return {"cells": cells, "metadata": {"kernelspec": {"name": "python3"}}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def ran(source):
    content = copy.deepcopy(source)
    content["metadata"] |= {"papermill": {"input_path": "x"}, "widgets": {"state": {}}}
    content["cells"].insert(3, code('RUN_DIR = "runs/x"', tags=["injected-parameters"], count=2))
    content["cells"][-1] |= {"execution_count": 3, "metadata": {"papermill": {"duration": 1}}}
    content["cells"][-1]["outputs"] = [
        {"output_type": "execute_result", "execution_count": 3, "data": {"text/plain": "1"}, "metadata": {}}
    ]
    return content


def text_of(content):
    return "\n".join("".join(item["source"]) for item in content["cells"])


def test_a_copy_is_the_notebook_with_outputs_and_the_facts_of_its_run(source, ran):
    made = make_copy("01_frogs", source, ran, RECORD, {"01_frogs"})
    assert code_of(made) == code_of(source)
    assert [item["cell_type"] for item in made["cells"]] == ["markdown", "markdown", "markdown", "code", "code"]
    said = "".join(made["cells"][2]["source"])
    assert (
        "executed on 1 March 2026 in 3 min 7 s on a machine with 2 cores (32-true, Python 3.12.1, torch 2.9.0)" in said
    )
    assert "(../../notebooks/01_frogs.ipynb)" in said
    last = made["cells"][-1]
    assert (last["execution_count"], last["outputs"][0]["execution_count"]) == (2, 2), "papermill's cell doesn't count"
    assert "papermill" not in json.dumps(made)
    assert "widgets" not in made["metadata"]
    assert made["metadata"]["course"]["finished"] == RECORD["finished"]


def test_what_a_copy_says_of_itself_is_on_a_slide_only_if_the_minutes_are(source, ran):
    unmarked = make_copy("01", source, ran, RECORD, set())["cells"][2]["metadata"]
    minutes = next(item for item in source["cells"] if "minutes" in item["metadata"].get("tags", []))
    minutes["metadata"]["slideshow"] = {"slide_type": "skip"}
    marked = make_copy("01", source, ran, RECORD, set())["cells"][2]["metadata"]
    assert unmarked == {"tags": ["published"]}
    assert marked == {"tags": ["published"], "slideshow": {"slide_type": "skip"}}


def test_the_same_run_gives_the_same_copy(source, ran):
    assert make_copy("01", source, ran, RECORD, set()) == make_copy("01", source, copy.deepcopy(ran), RECORD, set())


def test_links_are_as_they_are_from_the_copys_folder():
    text = "[a](../data/README.md) [b](02_b.ipynb#top) [c](03_c.ipynb) [d](https://x.org) [e](#here)"
    assert moved_links(text, {"02_b"}) == (
        "[a](../../data/README.md) [b](02_b.ipynb#top) [c](../../notebooks/03_c.ipynb) [d](https://x.org) [e](#here)"
    )


def test_a_run_of_other_code_is_refused(source, ran):
    source["cells"][-1]["source"] = ["print(NUM + 1)"]
    with pytest.raises(CourseError, match="01_frogs has changed since this run"):
        make_copy("01_frogs", source, ran, RECORD, set())


def test_a_copy_that_stays_too_large_is_refused(source, ran):
    ran["cells"][-1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x" * 600_000}]
    with pytest.raises(CourseError, match=r"would have 60\d KB, more than 500"):
        make_copy("01_frogs", source, ran, RECORD, set())


def test_prose_is_carried_over_and_code_is_not(source, ran):
    made = make_copy("01_frogs", source, ran, RECORD, set())
    assert renew_prose("01_frogs", source, made, set()) == made, "nothing to do"
    source["cells"][0]["source"] = ["# Toads"]
    source["cells"].insert(1, cell("markdown", "A new thought."))
    renewed = renew_prose("01_frogs", source, made, set())
    assert "# Toads" in text_of(renewed)
    assert "A new thought." in text_of(renewed)
    assert renewed["cells"][-1]["outputs"] == made["cells"][-1]["outputs"]
    source["cells"][-1]["source"] = ["print(2)"]
    with pytest.raises(CourseError, match="code has changed since its copy was made"):
        renew_prose("01_frogs", source, made, set())


def test_all_copies_are_renewed_and_those_that_cannot_be_are_named(source, ran, tmp_path, monkeypatch):
    monkeypatch.setattr(executed, "docs_dir", lambda: tmp_path / "docs")
    monkeypatch.setattr(executed, "notebooks_dir", lambda: tmp_path / "notebooks")
    made = make_copy("01_frogs", source, ran, RECORD, {"01_frogs"})
    for name in ("01_frogs", "02_gone", "03_other"):
        executed.write_notebook(tmp_path / "docs" / "executed" / f"{name}.ipynb", made)
    source["cells"][0]["source"] = ["# Toads"]
    executed.write_notebook(tmp_path / "notebooks" / "01_frogs.ipynb", source)
    source["cells"][-1]["source"] = ["print(3)"]
    executed.write_notebook(tmp_path / "notebooks" / "03_other.ipynb", source)
    changed, problems = renew_all()
    assert [path.name for path in changed] == ["01_frogs.ipynb"]
    assert len(problems) == 2
    assert "can't read" in problems[0]
    assert "03_other's code has changed" in problems[1]


def test_a_gpu_and_one_core_are_told_as_they_are():
    facts = {**RECORD, "seconds": 42, "environment": {**ENVIRONMENT, "device": "cuda:0 (X100)", "cores": 1}}
    assert "in 42 s on a machine with cuda:0 (X100) and 1 core (" in describe_run(facts)
