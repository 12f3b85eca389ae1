"""Quizzes: every answer has an explanation, one is right, and text stays text."""

import pytest
import yaml

from course_utils.errors import CourseError
from course_utils.paths import notebooks_dir
from course_utils.running.notebooks import discover
from course_utils.widgets import Quiz, load_quiz
from course_utils.widgets.quizzes import Question

EVIL = "<script>alert(1)</script> & “so”"
QUESTION = {
    "question": f"Why {EVIL}?",
    "options": [
        {"text": f"yes {EVIL}", "why": f"right, {EVIL}", "right": True},
        {"text": "no", "why": "think again"},
    ],
}
QUIZZES = sorted(path.stem for path in (notebooks_dir() / "quizzes").glob("*.yaml"))


@pytest.fixture
def quiz():
    return Quiz([Question.model_validate(QUESTION), Question.model_validate(QUESTION)])


def test_choosing_an_answer_shows_its_explanation(quiz):
    _, answers, explanation, *_ = quiz.widget().children
    assert answers.value is None
    assert explanation.value == ""
    answers.value = 1
    assert "think again" in explanation.value
    assert "✘" in explanation.value
    answers.value = 0
    assert "✔" in explanation.value


def test_all_text_is_escaped(quiz):
    words, answers, explanation, *_ = quiz.widget().children
    answers.value = 0
    for html in (words.value, explanation.value, quiz.as_html()):
        assert "<script>" not in html
        assert "&lt;script&gt;" in html


def test_without_a_browser_it_can_be_read(quiz):
    text = quiz.as_text()
    asked, answered = text.split("Answers")
    assert f"yes {EVIL}" in asked
    assert "think again" not in asked
    assert "2b ✘ think again" in answered
    bundle = quiz._repr_mimebundle_()
    assert bundle["text/plain"] == text
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/html"].count("<details>") == 2


@pytest.mark.parametrize("name", QUIZZES)
def test_each_of_the_course_has_a_few_questions(name):
    quiz = load_quiz(name)
    assert 3 <= len(quiz.questions) <= 6
    for question in quiz.questions:
        assert question.question.endswith("?")
        texts = [option.text for option in question.options]
        assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("name", QUIZZES)
def test_the_right_answer_is_not_always_in_the_same_place(name):
    places = [[option.right for option in question.options].index(True) for question in load_quiz(name).questions]
    assert len(set(places)) > 1


def test_each_stands_in_its_notebook():
    shown = {
        notebook.name: next((source for source in notebook.code if "load_quiz(" in source), "")
        for notebook in discover(notebooks_dir())
    }
    assert [name for name in QUIZZES if shown[name].strip() != f'load_quiz("{name}")'] == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([{**QUESTION, "options": QUESTION["options"][1:] * 2}], "exactly one option must be right"),
        ([{"question": "Why?"}], "options"),
        ("Why?", "list"),
    ],
)
def test_what_is_no_quiz_is_refused_in_a_sentence(tmp_path, content, words):
    (tmp_path / "x.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(CourseError, match=words):
        load_quiz("x", tmp_path)


def test_a_file_that_is_not_there_or_not_yaml(tmp_path):
    (tmp_path / "x.yaml").write_text("[")
    with pytest.raises(CourseError, match="not YAML"):
        load_quiz("x", tmp_path)
    with pytest.raises(CourseError, match="can't read"):
        load_quiz("y", tmp_path)
