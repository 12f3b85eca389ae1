"""The archive to hand out: all that is needed, nothing of what was run here, whole or not at all."""

import json
import os
import subprocess
import sys
import zipfile

import pytest

from course_utils.errors import CourseError
from course_utils.paths import project_root
from course_utils.running import bundling
from course_utils.running.bundling import TOP, write_bundle


@pytest.fixture
def course(tmp_path, monkeypatch):
    """Return a small course's folder, in which somebody has worked."""
    root = tmp_path / "course"
    cell = {"cell_type": "code", "source": "1", "metadata": {}, "outputs": [{"x": 1}], "execution_count": 3}
    kept = {**cell, "metadata": {"tags": ["keep_output"]}}
    notebook = {"cells": [cell, kept], "metadata": {"widgets": {}}}
    files = {
        **dict.fromkeys(("README.md", "LICENSE", "pyproject.toml", "Makefile", "data/encoders/a.json"), "x"),
        "notebooks/01_a.ipynb": json.dumps(notebook),
        "docs/executed/01_a.ipynb": json.dumps(notebook),
        **dict.fromkeys(
            ("data/cache/big", "course_utils/__pycache__/a.pyc", "notebooks/.ipynb_checkpoints/b", "runs/r"), ""
        ),
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    monkeypatch.setattr(bundling, "project_root", lambda: root)
    monkeypatch.setattr(bundling, "cache_dir", lambda: root / "data" / "cache")
    return root


def names(path):
    with zipfile.ZipFile(path) as archive:
        return {name.removeprefix(f"{TOP}/") for name in archive.namelist()}


def test_what_is_in_it(course, tmp_path):
    path = write_bundle(tmp_path / "out.zip")
    assert names(path) == {
        *("README.md", "LICENSE", "pyproject.toml", "Makefile", "data/encoders/a.json"),
        *("notebooks/01_a.ipynb", "docs/executed/01_a.ipynb"),
    }


def test_notebooks_are_handed_out_as_new_and_copies_as_executed(course, tmp_path):
    with zipfile.ZipFile(write_bundle(tmp_path / "out.zip")) as archive:
        notebook = json.loads(archive.read(f"{TOP}/notebooks/01_a.ipynb"))
        copy = json.loads(archive.read(f"{TOP}/docs/executed/01_a.ipynb"))
    assert [cell["outputs"] for cell in notebook["cells"]] == [[], [{"x": 1}]]
    assert "widgets" not in notebook["metadata"]
    assert copy["cells"][0]["outputs"] == [{"x": 1}]


def test_the_same_course_gives_the_same_archive(course, tmp_path):
    first, second = (write_bundle(tmp_path / name).read_bytes() for name in ("a.zip", "b.zip"))
    assert first == second


def test_whole_or_not_at_all(course, tmp_path, monkeypatch):
    path = tmp_path / "out.zip"
    path.write_text("the old one")
    monkeypatch.setattr(bundling, "_content", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(CourseError, match="No space left on device; nothing was changed"):
        write_bundle(path)
    assert path.read_text() == "the old one"
    assert [item.name for item in tmp_path.iterdir() if item.name.startswith(".")] == []


def test_half_a_course_is_not_handed_out(course, tmp_path):
    (course / "data" / "encoders" / "a.json").unlink()
    (course / "data" / "encoders").rmdir()
    with pytest.raises(CourseError, match=r"has no data/encoders: hand out a whole course"):
        write_bundle(tmp_path / "out.zip")


def test_another_ending_is_refused(course, tmp_path):
    with pytest.raises(CourseError, match=r"should end with \.zip, got out\.tar"):
        write_bundle(tmp_path / "out.tar")


def test_the_real_one_unpacks_to_a_course_that_works(tmp_path):
    path = write_bundle(tmp_path / "course.zip")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / TOP
    assert path.stat().st_size < 100e6
    environment = {**os.environ, "PYTHONPATH": str(folder), "HOME": str(tmp_path)}
    lay_out = "from pathlib import Path; from course_utils.site.source import write_source; write_source(Path('pages'))"
    commands = (["-m", "course_utils", "list"], ["-m", "course_utils", "data", "verify"], ["-c", lay_out])
    for words in commands:
        done = subprocess.run([sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    dry = subprocess.run(["make", "-n", "run"], cwd=folder, capture_output=True, text=True)
    assert "course run --profile auto" in dry.stdout
    assert (folder / "tests" / "conftest.py").exists(), "`make test` has something to do"
    assert (folder / "LICENSE").read_bytes() == (project_root() / "LICENSE").read_bytes()
