"""A few questions with an explanation for every answer, kept as plain data beside the notebooks."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import ipywidgets
import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from course_utils.errors import CourseError
from course_utils.paths import notebooks_dir

RIGHT, WRONG = "✔", "✘"
COLORS = {RIGHT: "#1a7f37", WRONG: "#9a3412"}


class Option(BaseModel):
    """An answer that can be chosen, and what is said to whoever chooses it."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    text: str = Field(min_length=1)
    why: str = Field(min_length=1)
    right: bool = False

    @property
    def mark(self) -> str:
        """The sign in front of the explanation."""
        return RIGHT if self.right else WRONG


class Question(BaseModel):
    """A question with its answers, one of them right."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    question: str = Field(min_length=1)
    options: list[Option] = Field(min_length=2, max_length=6)

    @field_validator("options")
    @classmethod
    def _one_is_right(cls, options: list[Option]) -> list[Option]:
        if sum(option.right for option in options) != 1:
            raise ValueError("exactly one option must be right")
        return options


class Quiz:
    """Questions to click through; without a browser they can be read, with the answers folded away or at the end.

    Args:
        questions: in order.
    """

    def __init__(self, questions: Sequence[Question]) -> None:
        self.questions = tuple(questions)

    def widget(self) -> ipywidgets.VBox:
        """Return a list of answers for each question; choosing one shows what there is to say about it."""
        return ipywidgets.VBox(
            [box for number, question in enumerate(self.questions, 1) for box in _controls(number, question)]
        )

    def as_text(self) -> str:
        """Return the questions, and after them all answers with their explanations."""
        asked, answered = [], []
        for number, question in enumerate(self.questions, 1):
            asked.append(f"{number}. {question.question}")
            for letter, option in zip(ascii_lowercase, question.options, strict=False):
                asked.append(f"   {letter}) {option.text}")
                answered.append(f"{number}{letter} {option.mark} {option.why}")
        return "\n".join([*asked, "", "Answers", *answered])

    def as_html(self) -> str:
        """Return the questions, each with its answers folded away; all text escaped."""
        return "".join(_folded(number, question) for number, question in enumerate(self.questions, 1))

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """Show the widget where there is one to show, and else the questions as text."""
        shown: dict[str, Any] = self.widget()._repr_mimebundle_() or {}
        return {**shown, "text/html": self.as_html(), "text/plain": self.as_text()}


def load_quiz(notebook: str, folder: Path | None = None) -> Quiz:
    """Return a notebook's quiz.

    Args:
        notebook: its name, such as "05_simclr".
        folder: where quizzes are; None: the course's.

    Raises:
        CourseError: there is none, or its file is not a list of questions with one right answer each.
    """
    path = (folder or notebooks_dir() / "quizzes") / f"{notebook}.yaml"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Quiz(TypeAdapter(list[Question]).validate_python(content))
    except OSError as error:
        raise CourseError(f"can't read the quiz {path}: {error.strerror}") from None
    except yaml.YAMLError:
        raise CourseError(f"{path} is not YAML") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise CourseError(f"{path}: {place}: {first['msg']}") from None


def _controls(number: int, question: Question) -> list[ipywidgets.Widget]:
    words = ipywidgets.HTML(f"<p><b>{number}.</b> {escape(question.question)}</p>")
    answers = ipywidgets.RadioButtons(
        options=[(option.text, place) for place, option in enumerate(question.options)],
        value=None,
        layout=ipywidgets.Layout(width="auto"),
    )
    explanation = ipywidgets.HTML()

    def explain(change: dict[str, Any]) -> None:
        option = question.options[change["new"]]
        mark = f'<b style="color: {COLORS[option.mark]}">{option.mark}</b>'
        explanation.value = f'<p role="status">{mark} {escape(option.why)}</p>'

    answers.observe(explain, "value")
    return [words, answers, explanation]


def _folded(number: int, question: Question) -> str:
    options = "".join(f"<li>{escape(option.text)}</li>" for option in question.options)
    answers = "".join(f"<li>{option.mark} {escape(option.why)}</li>" for option in question.options)
    return (
        f'<p><b>{number}.</b> {escape(question.question)}</p><ol type="a">{options}</ol>'
        f'<details><summary>Answers to question {number}</summary><ol type="a">{answers}</ol></details>'
    )
