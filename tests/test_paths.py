"""Paths come from the project's root; files are replaced whole or not at all."""

import os

import pytest

from course_utils import paths
from course_utils.errors import CourseError


def test_root_does_not_depend_on_the_working_directory(tmp_path, monkeypatch):
    expected = paths.project_root()
    monkeypatch.chdir(tmp_path)
    assert paths.project_root() == expected
    assert (expected / "pyproject.toml").exists()
    assert paths.resolve("runs/x") == expected / "runs" / "x"
    assert paths.resolve(tmp_path / "x") == tmp_path / "x"
    assert paths.resolve("~/x").is_absolute()
    assert "~" not in str(paths.resolve("~/x"))


def test_what_the_user_means_is_found_as_a_shell_does(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    (tmp_path / "link").symlink_to(tmp_path / "there")
    assert paths.expand("~/x") == tmp_path / "me" / "x"
    assert paths.locate("~/x") == tmp_path / "me" / "x"
    assert paths.locate("x/../link/y") == tmp_path / "there" / "y"
    (tmp_path / "file").touch()
    assert paths.locate("file/below") == tmp_path / "file" / "below"


@pytest.mark.parametrize("place", ["~nobody.at.all/x", "x" * 300, "a\0b", "loop"])
def test_a_place_that_can_not_be_is_one_sentence(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(
        CourseError, match=r"nobody's home here; write the whole path|^can't use .*; choose another"
    ) as told:
        paths.locate(place)
    assert "\n" not in str(told.value)


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "new" / "file.txt"
    paths.write_text(path, "first")
    paths.write_text(path, "λ")
    assert path.read_text(encoding="utf-8") == "λ"
    assert [p.name for p in path.parent.iterdir()] == ["file.txt"]


def test_a_broken_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "file.txt"
    paths.write_text(path, "old")
    with pytest.raises(RuntimeError), paths.replacing(path) as temporary:
        temporary.write_text("half of the n")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]


def test_no_room_or_no_permission_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CourseError, match=r"can't write .*file/inside.txt: .*; free the disk or choose another folder"):
        paths.write_text(tmp_path / "file" / "inside.txt", "x")


def test_a_full_disk_in_mid_write_changes_nothing(tmp_path):
    path = tmp_path / "file.txt"
    paths.write_text(path, "old")
    with pytest.raises(CourseError, match="No space left on device; nothing was changed"), paths.replacing(path):
        raise OSError(28, os.strerror(28))
    assert path.read_text() == "old"
