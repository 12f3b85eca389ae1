"""What a good run leaves in the repository."""

import json
from types import SimpleNamespace

import pytest

from course_utils.errors import CourseError
from course_utils.running import executed, handbook, publishing
from course_utils.running.publishing import describe_minutes, publish, publish_prose, put_minutes

ENVIRONMENT = {"cores": 2, "device": "cpu", "precision": "32-true", "python": "3.12", "torch": "2.9"}
RECORD = {"notebook": "05_simclr", "started": "", "finished": "2026-03-01T10:00:00", "seconds": 250.0, "claims": []}


def write_notebook(path, tags=("minutes",), code="NUM_FROGS = 1  # how many"):
    head = {"cell_type": "markdown", "id": "a", "metadata": {"tags": list(tags)}, "source": ["<!-- minutes -->"]}
    cell = {"cell_type": "code", "id": "b", "metadata": {"tags": ["parameters"]}, "source": [code], "outputs": []}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": [head, {**cell, "execution_count": None}], "metadata": {}}))
    return path


def head(path):
    return "".join(json.loads(path.read_text())["cells"][0]["source"])


@pytest.fixture
def run(tmp_path, monkeypatch):
    for module in (publishing, executed, handbook):
        monkeypatch.setattr(module, "notebooks_dir", lambda: tmp_path / "notebooks")
        monkeypatch.setattr(module, "docs_dir", lambda: tmp_path / "docs")
    monkeypatch.setattr(handbook, "project_root", lambda: tmp_path)
    monkeypatch.setattr(handbook, "load_measured", lambda _: {"seconds": {"05_simclr": 250.0}})
    monkeypatch.setattr(publishing, "shipped_encoders_dir", lambda: tmp_path / "shipped")
    monkeypatch.setattr(publishing, "validate", lambda _, values: SimpleNamespace(parameters=lambda: values))
    (tmp_path / "README.md").write_text("<!-- notebooks: all --><!-- end -->")
    (tmp_path / "run" / "figures").mkdir(parents=True)
    (tmp_path / "run" / "figures" / publishing.PICTURE).write_bytes(b"picture")
    write_notebook(tmp_path / "notebooks" / "05_simclr.ipynb")
    write_notebook(tmp_path / "run" / "05_simclr.ipynb")
    (tmp_path / "run" / "records").mkdir()
    (tmp_path / "run" / "records" / "05_simclr.json").write_text(json.dumps({**RECORD, "environment": ENVIRONMENT}))
    (tmp_path / "run" / "encoders").mkdir()
    (tmp_path / "run" / "encoders" / "simclr.safetensors").write_bytes(b"weights")
    (tmp_path / "run" / "encoders" / "simclr.json").write_text("{}")
    (tmp_path / "run" / "encoders" / "next_word.safetensors").write_bytes(b"this one does not ship")

    def summarized(parameters=None, **changes):
        values = {"NUM_FROGS": 1, "RUN_DIR": "x", **(parameters or {})}
        entry = {"name": "05_simclr", "status": "ok", "seconds": 250.0, "metrics": {}, "parameters": values}
        entry |= {"claims": [], "error": None}
        whole = {"status": "ok", "profile": "laptop", "seconds": 250.0, "environment": ENVIRONMENT}
        summary = {**whole, "notebooks": [entry], **changes}
        (tmp_path / "run" / "summary.json").write_text(json.dumps({"schema": 1, **summary}))
        return tmp_path / "run"

    return summarized


def test_a_laptop_run_gives_encoders_and_minutes(run, tmp_path):
    written = publish(run())
    assert (tmp_path / "shipped" / "simclr.safetensors").read_bytes() == b"weights"
    assert not (tmp_path / "shipped" / "next_word.safetensors").exists()
    assert head(tmp_path / "notebooks" / "05_simclr.ipynb").splitlines()[2:] == [
        "- laptop: 4 minutes (2 cores, 32-true)",
        "- gpu: not measured",
    ]
    assert (tmp_path / "docs" / publishing.PICTURE).read_bytes() == b"picture"
    measured = json.loads((tmp_path / "docs" / publishing.MEASURED).read_text())
    assert measured == {"laptop": {"precision": "32-true", "seconds": {"05_simclr": 250.0}, "views_per_second": 0.0}}
    copy = json.loads((tmp_path / "docs" / "executed" / "05_simclr.ipynb").read_text())
    assert copy["metadata"]["course"]["seconds"] == 250.0
    assert "- laptop: 4 minutes" in "".join(copy["cells"][0]["source"])
    assert "| 05 | [05_simclr](notebooks/05_simclr.ipynb) | 05_simclr | 4 |" in (tmp_path / "README.md").read_text()
    assert len(written) == 7


def test_publishing_twice_changes_nothing(run, tmp_path):
    publish(run())
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    publish(run())
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert publish_prose() == ([], [])


def test_another_profile_adds_its_line_and_ships_nothing(run, tmp_path):
    publish(run())
    (tmp_path / "shipped" / "simclr.safetensors").unlink()
    publish(run(profile="gpu", environment={**ENVIRONMENT, "device": "cuda", "precision": "bf16-mixed"}))
    publish(run(profile="light"))
    assert head(tmp_path / "notebooks" / "05_simclr.ipynb").splitlines()[2:] == [
        "- laptop: 4 minutes (2 cores, 32-true)",
        "- light: 4 minutes (2 cores, 32-true)",
        "- gpu: 4 minutes (cuda, bf16-mixed)",
    ]
    assert not (tmp_path / "shipped" / "simclr.safetensors").exists()


def test_another_kind_of_machine_gets_a_line_of_its_own(run, tmp_path):
    publish(run(environment={**ENVIRONMENT, "precision": "bf16-mixed"}))
    before = (tmp_path / "README.md").read_text()
    for _ in range(2):
        publish(run())
    assert head(tmp_path / "notebooks" / "05_simclr.ipynb").splitlines()[2:] == [
        "- laptop: 4 minutes (2 cores, bf16-mixed)",
        "- laptop, 32-true: 4 minutes (2 cores, 32-true)",
        "- gpu: not measured",
    ]
    measured = json.loads((tmp_path / "docs" / publishing.MEASURED).read_text())
    assert {pace: taken["precision"] for pace, taken in measured.items()} == {
        "laptop": "bf16-mixed",
        "laptop, 32-true": "32-true",
    }
    assert (tmp_path / "README.md").read_text() == before


def test_a_run_that_failed_is_not_published(run, tmp_path):
    with pytest.raises(CourseError, match="only a run that ended well is published"):
        publish(run(status="failed"))
    assert not (tmp_path / "shipped").exists()


def test_short_runs_are_told_in_seconds():
    assert describe_minutes({"seconds": 43.0}, {"environment": ENVIRONMENT}) == "40 seconds (2 cores, 32-true)"


def test_a_notebook_without_the_cell_is_named():
    with pytest.raises(CourseError, match=r"x needs one cell tagged `minutes`, it has 0"):
        put_minutes("x", {"cells": []}, "laptop", "1 minute")


@pytest.mark.parametrize("profile", ["smoke", "mine"])
def test_only_runs_with_the_courses_own_profiles_are_published(run, profile):
    with pytest.raises(CourseError, match=f"is a run of {profile}: only laptop, light, gpu runs"):
        publish(run(profile=profile))


def test_a_run_with_other_parameters_is_not_published(run, tmp_path):
    with pytest.raises(CourseError, match="05_simclr ran with another NUM_FROGS than the notebook's own"):
        publish(run({"NUM_FROGS": 2}))
    assert not (tmp_path / "docs").exists()
    assert not (tmp_path / "shipped").exists()


def test_a_run_of_other_code_is_not_published(run, tmp_path):
    write_notebook(tmp_path / "run" / "05_simclr.ipynb", code="NUM_FROGS = 2  # how many")
    with pytest.raises(CourseError, match="05_simclr has changed since this run"):
        publish(run())
    assert head(tmp_path / "notebooks" / "05_simclr.ipynb") == "<!-- minutes -->"


def test_a_run_that_has_lost_its_notebook_is_not_published(run, tmp_path):
    (tmp_path / "run" / "05_simclr.ipynb").unlink()
    with pytest.raises(CourseError, match="has no whole result of 05_simclr: `course run 05` makes it anew"):
        publish(run())
