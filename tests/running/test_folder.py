"""Which folder a run may write to."""

import pytest

from course_utils import paths
from course_utils.errors import CourseError
from course_utils.paths import project_root
from course_utils.running.folder import MARKS, find_run_dir, folder_problems


@pytest.mark.parametrize("name", ["..", ".hidden", "a b", "-x", "", "a\nb", "{x}"])
def test_names_that_make_no_folder(name):
    with pytest.raises(CourseError, match="is no name for a run"):
        find_run_dir(name)


@pytest.mark.parametrize("name", ["laptop", "tau-0.2", "v1.0_b", "größer"])
def test_names_that_make_one(name):
    assert find_run_dir(name) == project_root() / "runs" / name


def test_a_path_is_the_folder_itself(tmp_path):
    assert find_run_dir(f"{tmp_path}/there/../here") == tmp_path / "here"


@pytest.mark.parametrize("folder", ["", "notebooks", "notebooks/new", "data", "runs", "course_utils/running"])
def test_the_courses_own_folders_are_no_place_for_results(folder):
    [problem] = folder_problems(project_root() / folder)
    assert "is part of the course itself: choose a plain name" in problem


def test_everything_below_runs_is(tmp_path, monkeypatch):
    assert folder_problems(project_root() / "runs" / "new") == []
    (tmp_path / "disk" / "old" / "figures").mkdir(parents=True)  # left by a notebook that was interrupted
    (tmp_path / "course" / "notebooks").mkdir(parents=True)
    (tmp_path / "course" / "runs").symlink_to(tmp_path / "disk")
    monkeypatch.setattr(paths, "__file__", str(tmp_path / "course" / "course_utils" / "paths.py"))
    assert folder_problems(find_run_dir("old")) == folder_problems(tmp_path / "disk" / "old") == []


def test_a_folder_elsewhere_must_be_new_or_empty(tmp_path):
    assert folder_problems(tmp_path) == folder_problems(tmp_path / "new") == []
    (tmp_path / ".DS_Store").touch()
    assert folder_problems(tmp_path) == []
    (tmp_path / "thesis.ipynb").touch()
    [problem] = folder_problems(tmp_path)
    assert problem.startswith(f"{tmp_path} holds other things than a run's results: choose a new or an empty folder")


@pytest.mark.parametrize("mark", MARKS)
def test_or_a_runs_own(tmp_path, mark):
    (tmp_path / "report.html").touch()
    (tmp_path / mark).mkdir()
    assert folder_problems(tmp_path) == []
