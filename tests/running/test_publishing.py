"""What a good run leaves in the repository."""

import json

import pytest

from course_utils.errors import CourseError
from course_utils.running import publishing
from course_utils.running.publishing import describe_minutes, publish, write_minutes

ENVIRONMENT = {"cores": 2, "device": "cpu", "precision": "32-true"}


def write_notebook(path, tags=("minutes",)):
    cell = {"cell_type": "markdown", "metadata": {"tags": list(tags)}, "source": ["<!-- minutes -->"]}
    path.write_text(json.dumps({"cells": [cell], "metadata": {}}))
    return path


def head(path):
    return "".join(json.loads(path.read_text())["cells"][0]["source"])


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr(publishing, "notebooks_dir", lambda: tmp_path / "notebooks")
    monkeypatch.setattr(publishing, "shipped_encoders_dir", lambda: tmp_path / "shipped")
    monkeypatch.setattr(publishing, "docs_dir", lambda: tmp_path / "docs")
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "run" / "figures").mkdir(parents=True)
    (tmp_path / "run" / "figures" / publishing.PICTURE).write_bytes(b"picture")
    write_notebook(tmp_path / "notebooks" / "05_simclr.ipynb")
    (tmp_path / "run" / "encoders").mkdir()
    (tmp_path / "run" / "encoders" / "simclr.safetensors").write_bytes(b"weights")
    (tmp_path / "run" / "encoders" / "simclr.json").write_text("{}")

    def summarized(**changes):
        entry = {"name": "05_simclr", "status": "ok", "seconds": 250.0, "metrics": {}}
        summary = {"status": "ok", "profile": "laptop", "environment": ENVIRONMENT, "notebooks": [entry], **changes}
        (tmp_path / "run" / "summary.json").write_text(json.dumps({"schema": 1, **summary}))
        return tmp_path / "run"

    return summarized


def test_a_laptop_run_gives_encoders_and_minutes(run, tmp_path):
    written = publish(run())
    assert (tmp_path / "shipped" / "simclr.safetensors").read_bytes() == b"weights"
    assert head(tmp_path / "notebooks" / "05_simclr.ipynb").splitlines()[2:] == [
        "- laptop: 4 minutes (2 cores, 32-true)",
        "- gpu: not measured",
    ]
    assert (tmp_path / "docs" / publishing.PICTURE).read_bytes() == b"picture"
    measured = json.loads((tmp_path / "docs" / publishing.MEASURED).read_text())
    assert measured == {"laptop": {"seconds": {"05_simclr": 250.0}, "views_per_second": 0.0}}
    assert len(written) == 5


def test_another_profile_adds_its_line_and_ships_nothing(run, tmp_path):
    publish(run())
    (tmp_path / "shipped" / "simclr.safetensors").unlink()
    publish(run(profile="gpu", environment={**ENVIRONMENT, "device": "cuda", "precision": "bf16-mixed"}))
    assert head(tmp_path / "notebooks" / "05_simclr.ipynb").splitlines()[2:] == [
        "- laptop: 4 minutes (2 cores, 32-true)",
        "- gpu: 4 minutes (cuda, bf16-mixed)",
    ]
    assert not (tmp_path / "shipped" / "simclr.safetensors").exists()


def test_a_run_that_failed_is_not_published(run, tmp_path):
    with pytest.raises(CourseError, match="only a run that ended well is published"):
        publish(run(status="failed"))
    assert not (tmp_path / "shipped").exists()


def test_short_runs_are_told_in_seconds():
    assert describe_minutes({"seconds": 43.0}, {"environment": ENVIRONMENT}) == "40 seconds (2 cores, 32-true)"


def test_a_notebook_without_the_cell_is_named(tmp_path):
    with pytest.raises(CourseError, match=r"x\.ipynb needs one cell tagged `minutes`, it has 0"):
        write_minutes(write_notebook(tmp_path / "x.ipynb", tags=()), "laptop", "1 minute")
