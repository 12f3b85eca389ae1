"""Every notebook is made the same way, so that people, papermill and the tests find their way."""

import ast
import json
import re

import pytest

from course_utils.paths import notebooks_dir
from course_utils.running.notebooks import DEPENDS_ON, Notebook, discover
from course_utils.running.profiles import list_profiles, read_profile
from course_utils.running.settings import SETTINGS, validate

NOTEBOOKS = discover(notebooks_dir())
LONGEST_CELL = 25
FORBIDDEN = {
    "sys.path": r"sys\.path",
    "pip in a cell": r"^\s*[!%]\s*pip\b",
    "shell or magic": r"^\s*[!%]",
    "import *": r"import \*",
    "commented-out code": r"^\s*#\s*(import \w+$|from \w+ import|\w+ = |\w+\(.*\)$|for \w+ in .*:$|if .*:$)",
    "a switch for CI": r"\bCI\b|PYTEST",
}

every_notebook = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.name)


def index_of_parameters(notebook):
    [index] = [index for index, cell in enumerate(notebook.cells) if "parameters" in cell["metadata"].get("tags", [])]
    return index


def markdown(notebook):
    return [cell["source"] for cell in notebook.cells if cell["cell_type"] == "markdown"]


def position(notebook, words):
    """Return where a heading, or a line in bold, is among all of the notebook's markdown."""
    text = "\n\n".join(markdown(notebook))
    found = re.search(rf"^(#+ |\*\*){words}", text, re.M)
    assert found, f"{notebook.name} needs a section “{words}”"
    return found.start()


def test_the_spine_of_the_course_is_there():
    assert {"01_supervised_baselines", "05_simclr", "06_linear_evaluation"} <= {item.name for item in NOTEBOOKS}
    assert {item.name for item in NOTEBOOKS} == set(SETTINGS)


@every_notebook
def test_it_begins_with_its_title_and_question(notebook):
    first = notebook.cells[0]
    assert first["cell_type"] == "markdown"
    assert first["source"].startswith("# ")
    assert "?" in first["source"], "the question that the notebook answers"


@every_notebook
def test_sections_come_in_the_agreed_order(notebook):
    order = ["You will", "1 · ", "Your turn", "You have", "References"]
    positions = [position(notebook, words) for words in order]
    assert positions == sorted(positions)
    assert notebook.cells[-1]["cell_type"] == "markdown"
    assert "## References" in notebook.cells[-1]["source"]


@every_notebook
def test_sections_are_numbered_without_gaps(notebook):
    numbers = [int(number) for number in re.findall(r"^## (\d+) · ", "\n".join(markdown(notebook)), re.M)]
    assert numbers == list(range(1, len(numbers) + 1))


@every_notebook
def test_imports_parameters_start_stand_together(notebook):
    index = index_of_parameters(notebook)
    imports, start = notebook.cells[index - 1], notebook.cells[index + 1]
    assert all(cell["cell_type"] == "markdown" for cell in notebook.cells[: index - 1])
    statements = ast.parse(imports["source"]).body
    assert all(isinstance(statement, ast.Import | ast.ImportFrom) for statement in statements)
    assert f'start_notebook("{notebook.name}", globals())' in start["source"]


@every_notebook
def test_imports_stand_in_one_cell(notebook):
    for cell in notebook.cells[index_of_parameters(notebook) + 1 :]:
        if cell["cell_type"] == "code":
            kinds = {type(statement) for statement in ast.walk(ast.parse(cell["source"]))}
            assert not kinds & {ast.Import, ast.ImportFrom}, cell["source"]


@every_notebook
def test_parameters_are_upper_case_with_a_comment_and_those_that_the_settings_know(notebook):
    assert all(parameter.name.isupper() for parameter in notebook.parameters)
    assert [parameter.name for parameter in notebook.parameters if not parameter.comment] == []
    assert notebook.defaults()["RUN_DIR"] == "runs/interactive"
    assert isinstance(notebook.defaults()["SEED"], int)
    assert sorted(notebook.defaults()) == sorted(SETTINGS[notebook.name].parameter_names())
    assert json.loads(json.dumps(notebook.defaults())) == notebook.defaults()


@every_notebook
@pytest.mark.parametrize("profile", list_profiles(notebooks_dir() / "profiles"))
def test_every_profile_fits(notebook, profile):
    values = read_profile(profile, notebooks_dir() / "profiles").values
    settings = validate(notebook.name, {**notebook.defaults(), **values.get(notebook.name, {})})
    assert settings.parameters().keys() == notebook.defaults().keys()


AFTER_THE_END = {"exercise", "quiz"}


@every_notebook
def test_the_record_is_finished_before_the_exercises(notebook):
    """What a run measures is kept before the learner's turn comes: an exercise that breaks off costs nothing."""
    code = [cell for cell in notebook.cells if cell["cell_type"] == "code"]
    is_after = [bool(AFTER_THE_END & set(cell["metadata"].get("tags", []))) for cell in code]
    last = max(index for index, after in enumerate(is_after) if not after)
    assert code[last]["source"].rstrip().endswith("record.finish()")
    assert not any(is_after[:last])
    assert not any("record." in cell["source"] for cell in code[last + 1 :])


@every_notebook
def test_cells_are_short_and_parse(notebook):
    """But for lists that are looked up and not read: the imports and the parameters, one with its comment a line."""
    parameters = notebook.cells[index_of_parameters(notebook)]["source"]
    for source in notebook.code:
        only_imports = all(isinstance(part, ast.Import | ast.ImportFrom) for part in ast.parse(source).body)
        only_parameters = source == parameters and len(source.splitlines()) == len(notebook.parameters)
        assert only_imports or only_parameters or len(source.splitlines()) <= LONGEST_CELL, source


@every_notebook
@pytest.mark.parametrize("what", FORBIDDEN)
def test_what_has_no_place_in_a_notebook(notebook, what):
    found = [match.group() for source in notebook.code if (match := re.search(FORBIDDEN[what], source, re.M))]
    assert found == []


@every_notebook
def test_nothing_of_a_run_is_left(notebook):
    content = json.loads(notebook.path.read_text(encoding="utf-8"))
    assert not {"papermill", "widgets"} & set(content["metadata"])
    for cell in content["cells"]:
        assert "papermill" not in cell["metadata"]
        assert "injected-parameters" not in cell["metadata"].get("tags", [])
        if cell["cell_type"] == "code" and "keep_output" not in cell["metadata"].get("tags", []):
            assert cell["outputs"] == []
            assert cell["execution_count"] is None


@every_notebook
def test_cells_have_names_of_their_own(notebook):
    identities = [cell["id"] for cell in notebook.cells]
    assert len(set(identities)) == len(identities)


@every_notebook
def test_one_cell_tells_how_long_it_took(notebook):
    tagged = [cell for cell in notebook.cells if "minutes" in cell["metadata"].get("tags", [])]
    assert [cell["cell_type"] for cell in tagged] == ["markdown"], "`course publish` writes into it"


@every_notebook
def test_a_sentence_stands_before_the_code(notebook):
    """Code explains itself less than its author thinks: never more than four cells without a word."""
    silent = 0
    for cell in notebook.cells[index_of_parameters(notebook) + 2 :]:
        silent = silent + 1 if cell["cell_type"] == "code" else 0
        assert silent <= 4, cell["source"]


@every_notebook
def test_links_between_notebooks_lead_somewhere(notebook):
    links = re.findall(r"\]\(([^)#:]+\.ipynb)\)", "\n".join(markdown(notebook)))
    assert [link for link in links if not (notebook.path.parent / link).exists()] == []


@every_notebook
def test_encoders_come_from_notebooks_that_it_is_known_to_build_on(notebook):
    """`DEPENDS_ON` is what the runner knows; the code is what is true."""
    saved = {
        name: item.name for item in NOTEBOOKS for name in re.findall(r'encoder_path\("(\w+)"\)', "\n".join(item.code))
    }
    finds_encoders = "find_encoder(" in "\n".join(notebook.code)
    assert finds_encoders == (notebook.name in DEPENDS_ON)
    for need in DEPENDS_ON.get(notebook.name, ()):
        assert need in saved.values()


def test_a_notebook_that_breaks_a_rule_is_noticed(tmp_path):
    """The checks above can fail: this is what they would see."""
    (tmp_path / "05_x.ipynb").write_text(
        json.dumps({"cells": [{"cell_type": "markdown", "source": "", "metadata": {}}]})
    )
    broken = Notebook(tmp_path / "05_x.ipynb")
    with pytest.raises(AssertionError, match="needs a section “You will”"):
        test_sections_come_in_the_agreed_order(broken)
    with pytest.raises(AssertionError):
        test_it_begins_with_its_title_and_question(broken)
