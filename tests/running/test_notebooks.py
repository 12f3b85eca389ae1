import json

import pytest

from course_utils.errors import CourseError
from course_utils.running.notebooks import Notebook, Parameter, discover, read_parameters, select


@pytest.fixture
def folder(make_notebook):
    for name in ("10_more", "05_simclr", "06_linear_evaluation", "09_downstream"):
        path = make_notebook(name)
    (path.parent / "draft.ipynb").write_text("{}")
    return path.parent


def names(notebooks):
    return [notebook.name for notebook in notebooks]


def test_notebooks_are_found_in_teaching_order(folder):
    assert names(discover(folder)) == ["05_simclr", "06_linear_evaluation", "09_downstream", "10_more"]


def test_no_words_mean_the_core_and_all_means_all(folder):
    assert names(select([], folder)) == ["05_simclr", "06_linear_evaluation"]
    assert len(select([], folder, everything=True)) == 4


@pytest.mark.parametrize("word", ["05", "5", "05_simclr", "simclr", "PATH"])
def test_a_number_a_name_or_a_path(folder, word):
    word = str(folder / "05_simclr.ipynb") if word == "PATH" else word
    assert names(select([word], folder)) == ["05_simclr"]


def test_each_once_and_in_order(folder):
    assert names(select(["06", "05", "simclr"], folder)) == ["05_simclr", "06_linear_evaluation"]


def test_words_that_mean_nothing_get_a_line_each(folder):
    with pytest.raises(CourseError) as caught:
        select(["05_simcrl", "77", "gone.ipynb", "05"], folder)
    assert str(caught.value).splitlines() == [
        "there is no notebook 05_simcrl: did you mean 05_simclr?",
        "there is no notebook 77: there are 05_simclr, 06_linear_evaluation, 09_downstream, 10_more",
        "there is no file gone.ipynb",
    ]


def test_two_files_of_one_name_are_refused(folder, tmp_path):
    (tmp_path / "05_simclr.ipynb").write_text("{}")
    with pytest.raises(CourseError, match="have the same name: rename one"):
        select(["05", str(tmp_path / "05_simclr.ipynb")], folder)


def test_an_empty_folder_is_one_sentence(tmp_path):
    with pytest.raises(CourseError, match="there are no notebooks in"):
        select([], tmp_path)


def test_all_and_a_name_contradict_each_other(folder):
    with pytest.raises(CourseError, match="--all runs every notebook"):
        select(["05"], folder, everything=True)


@pytest.mark.parametrize(
    ("heading", "title"), [("# SimCLR", "SimCLR"), ("# 05 · SimCLR", "SimCLR"), ("no heading", "05_simclr")]
)
def test_the_title_is_the_first_heading(make_notebook, heading, title):
    assert Notebook(make_notebook("05_simclr", title=heading)).title == title


def test_parameters_have_values_and_comments(make_notebook):
    first, second, *_ = Notebook(make_notebook("05_simclr")).parameters
    assert first == Parameter("NUM_EPOCHS", 2, "passes over the data")
    assert second == Parameter("LEARNING_RATE", 0.1, "at its peak")


def test_values_of_all_kinds():
    source = 'A = -1  # one\nB = [0, 1]\nC = "x # y"  # two\nD = [\n    1,\n]  # three\nE = False\n'
    values = [(item.name, item.value, item.comment) for item in read_parameters(source)]
    assert values == [("A", -1, "one"), ("B", [0, 1], ""), ("C", "x # y", "two"), ("D", [1], "three"), ("E", False, "")]


@pytest.mark.parametrize("source", ["A = B\n", "A = 1 + f()\n", "A, B = 1, 2\n", "import os\n", "A =\n", "A = (\n"])
def test_anything_but_plain_assignments_is_refused(make_notebook, source):
    with pytest.raises(CourseError, match="may hold only lines such as"):
        _ = Notebook(make_notebook("05_simclr", parameters=source)).parameters


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"cells": 3}', '{"cells": [{}]}'])
def test_a_file_that_is_no_notebook(tmp_path, content):
    (tmp_path / "05_x.ipynb").write_text(content)
    with pytest.raises(CourseError, match="is not a notebook"):
        _ = Notebook(tmp_path / "05_x.ipynb").cells


def test_a_notebook_without_a_parameters_cell(tmp_path):
    (tmp_path / "05_x.ipynb").write_text('{"cells": []}')
    with pytest.raises(CourseError, match="05_x needs one cell tagged `parameters`, it has 0"):
        _ = Notebook(tmp_path / "05_x.ipynb").parameters


def tagged(source):
    return json.dumps({"cells": [{"cell_type": "code", "source": source, "metadata": {"tags": ["parameters"]}}]})


@pytest.mark.parametrize(
    "content",
    [
        "",
        "3",
        "[]",
        "{}",
        "[" * 100_000,
        '{"cells": 3}',
        '{"cells": [3]}',
        '{"cells": [{"source": "x"}]}',
        '{"cells": [{"cell_type": "code", "source": 3}]}',
        '{"cells": [{"cell_type": "code", "source": "x", "metadata": 3}]}',
        '{"cells": [{"cell_type": "code", "source": "x", "metadata": {"tags": 3}}]}',
        tagged("a b"),
        tagged("A = {[]: 1}"),
        tagged("A = " + "(" * 5000),
        tagged("A = 1\0"),
        tagged("A = 9**9**9"),
        tagged("  A = 1"),
        tagged("A = ("),
    ],
    ids=lambda content: content[-30:],
)
def test_what_is_no_notebook_is_one_sentence(tmp_path, content):
    (tmp_path / "x.ipynb").write_text(content)
    with pytest.raises(CourseError, match=r"is not a notebook|may hold only lines such as") as told:
        Notebook(tmp_path / "x.ipynb").defaults()
    assert "\n" not in str(told.value)
