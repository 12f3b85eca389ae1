import json

import pytest

from course_utils.running import identity
from course_utils.running.identity import identify
from course_utils.running.notebooks import Notebook

PARAMETERS = {"NUM_EPOCHS": 2, "SEED": 0, "RUN_DIR": "runs/laptop"}


@pytest.fixture
def notebook(make_notebook):
    return Notebook(make_notebook("05_simclr"))


def changed(notebook, change):
    content = json.loads(notebook.path.read_text())
    change(content["cells"])
    notebook.path.write_text(json.dumps(content))
    return identify(Notebook(notebook.path), PARAMETERS, {})


def test_prose_outputs_and_the_runs_folder_make_no_difference(notebook):
    before = identify(notebook, PARAMETERS, {})
    assert before == identify(notebook, {**PARAMETERS, "RUN_DIR": "runs/other"}, {})
    assert before == changed(notebook, lambda cells: cells[0].update(source=["# Another title"]))
    assert before == changed(notebook, lambda cells: cells[1].update(execution_count=3))


def test_everything_else_does(notebook, monkeypatch):
    found = {
        identify(notebook, PARAMETERS, {}),
        identify(notebook, {**PARAMETERS, "SEED": 1}, {}),
        identify(notebook, PARAMETERS, {"01_supervised_baselines": "a"}),
        identify(notebook, PARAMETERS, {"01_supervised_baselines": "b"}),
        changed(notebook, lambda cells: cells[2].update(source=["x = 1"])),
    }
    monkeypatch.setattr(identity, "package_identity", lambda: "another version")
    assert len(found | {identify(notebook, PARAMETERS, {})}) == 6


def test_the_data_count(notebook, monkeypatch):
    def fingerprint(content):
        monkeypatch.setattr(identity, "_data_identity", lambda parameters: content + parameters.get("DATASET", ""))
        return identify(notebook, {**PARAMETERS, "DATASET": "d"}, {})

    assert fingerprint("one") != fingerprint("two")


def test_the_texts_count(notebook, tmp_path):
    texts = tmp_path / "texts"  # the notebook lies beside
    for name in ("a", "b"):
        (texts / name).mkdir(parents=True)
        for number in range(3):
            (texts / name / f"{number}.txt").write_text(f"some words {number}")
    before = identify(notebook, {**PARAMETERS, "TEXT_DATASET": str(texts)}, {})
    (texts / "a" / "1.txt").write_text("other words here")
    assert identify(notebook, {**PARAMETERS, "TEXT_DATASET": str(texts)}, {}) != before


@pytest.mark.parametrize("named_by", ["code", "parameter"])
def test_the_recorded_findings_that_it_shows_count(notebook, tmp_path, monkeypatch, named_by):
    monkeypatch.setattr(identity, "docs_dir", lambda: tmp_path)
    finding, parameters = tmp_path / "findings" / "rates.json", dict(PARAMETERS)
    if named_by == "code":
        changed(notebook, lambda cells: cells[2].update(source=['finding = load_finding("rates")']))
    else:
        parameters["FINDING"] = "rates"
    shows = Notebook(notebook.path)
    finding.parent.mkdir()
    found = set()
    for content in ("", "one", "two"):
        finding.write_text(content)
        (tmp_path / "findings" / "other.json").write_text(f"not shown {content}")
        found.add(identify(shows, parameters, {}))
    assert len(found) == 3
    before = identify(shows, {**parameters, "FINDING": ""}, {})
    (tmp_path / "findings" / "other.json").write_text("changed")
    assert identify(shows, {**parameters, "FINDING": ""}, {}) == before


def test_the_packages_code_is_hashed():
    assert identity.package_identity() == identity.package_identity()
    assert len(identity.package_identity()) == 64
