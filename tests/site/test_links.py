from pathlib import Path

import pytest

from course_utils.errors import CourseError
from course_utils.site.links import Layout, broken_links, outside_code, relative


@pytest.fixture
def layout(tmp_path):
    (tmp_path / "LICENSE").write_text("x")
    return Layout(tmp_path, {"README.md": "index.md", "docs/a.md": "a.md", "docs/in/b.md": "in/b.md"})


def test_pages_lead_to_pages_and_other_files_come_along(layout):
    text = "[r](../../README.md#top) [a](../a.md) [l](../../LICENSE) [w](https://x.org) [h](#here)"
    moved = layout.relocate(text, "docs/in/b.md", "in/b.md")
    assert moved == "[r](../index.md#top) [a](../a.md) [l](../files/LICENSE) [w](https://x.org) [h](#here)"
    assert layout.files == {"LICENSE"}


def test_a_notebook_that_is_no_page_is_there_to_be_downloaded(layout, tmp_path):
    (tmp_path / "solution.ipynb").write_text("x")
    moved = layout.relocate("the [solution](../solution.ipynb) is", "docs/a.md", "a.md")
    assert moved == "the {download}`solution <files/solution.ipynb>` is"


def test_a_link_to_nothing_is_named(layout):
    with pytest.raises(CourseError, match=r"docs/a\.md: the link to docs/gone\.md leads to no file"):
        layout.relocate("[x](gone.md)", "docs/a.md", "a.md")


def test_code_is_left_alone():
    text = "a `a` a\n```\na\n```\na"
    assert outside_code(text, lambda prose: prose.replace("a", "b")) == "b `a` b\n```\na\n```\nb"


def test_relative_ways():
    assert relative("files/x", "in/b.md") == "../files/x"
    assert relative("in/c.md", "in/b.md") == "c.md"


def write(folder: Path, name: str, body: str) -> None:
    (folder / name).write_text(f"<html><body>{body}</body></html>")


def test_broken_links_are_found_and_good_ones_are_not(tmp_path):
    write(tmp_path, "a.html", '<h1 id="top"></h1><a href="b.html#place">x</a><a href="https://x.org/no">y</a>')
    write(tmp_path, "b.html", '<p id="place"></p><a href="a.html">x</a><a href="#none">y</a><img src="no.png">')
    (tmp_path / "c.html").write_text('<a href="b.html#gone">x</a><a href="d.html">y</a>')
    assert broken_links(tmp_path) == [
        "b.html: #none leads to no place in its page",
        "b.html: no.png leads to no file",
        "c.html: b.html#gone leads to no place in its page",
        "c.html: d.html leads to no file",
    ]
