"""A widget to type a sentence with [MASK] into and see what a model says stands there."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from matplotlib.figure import Figure

from course_utils.errors import CourseError
from course_utils.language.filling import Blank
from course_utils.plotting import text as text_plotting

CODE = Path(__file__).parent
LONGEST_SENTENCE = 2000  # characters that a browser may send


class FillInTheBlank(anywidget.AnyWidget):
    """Type a sentence with [MASK]: below it appear the likeliest words, or one sentence that says what is wrong.

    Args:
        fill: returns the answers for a sentence, or raises CourseError.
        sentence: what stands there at first.
    """

    _esm = CODE / "blanks.js"
    _css = CODE / "blanks.css"

    sentence = traitlets.Unicode().tag(sync=True)
    answers: traitlets.List[Any] = traitlets.List().tag(sync=True)  # of blanks: lists of [word, probability]
    problem = traitlets.Unicode().tag(sync=True)

    def __init__(self, fill: Callable[[str], Sequence[Blank]], sentence: str) -> None:
        super().__init__(sentence=sentence)
        self._fill = fill
        self.observe(self._answer, "sentence")
        self._answer()

    def _answer(self, _: object = None) -> None:
        try:
            blanks = self._fill(self.sentence[:LONGEST_SENTENCE])
        except CourseError as error:
            self.problem, self.answers = str(error), []
            return
        self.problem = ""
        self.answers = [
            [[word, share] for word, share in zip(blank.words, blank.probabilities, strict=True)] for blank in blanks
        ]

    def static_figure(self) -> Figure:
        """Draw the present answers: what the widget shows, for readers without a browser."""
        words = {
            f"{self.sentence}  (blank {place})" if len(self.answers) > 1 else self.sentence: (
                [word for word, _ in blank],
                [share for _, share in blank],
            )
            for place, blank in enumerate(self.answers, start=1)
        }
        return text_plotting.blanks(words or {self.problem: ([""], [0.0])}, columns=max(1, min(2, len(words))))
