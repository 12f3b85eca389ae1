"""A widget that goes on with a sentence word by word, and shows how likely the next words are."""

from collections.abc import Callable
from html import escape

import ipywidgets
from matplotlib.figure import Figure

from course_utils.errors import CourseError
from course_utils.language.filling import Blank
from course_utils.plotting import BLUE, ORANGE
from course_utils.plotting import text as text_plotting

LONGEST_TEXT = 2000  # characters


class WordByWord(ipywidgets.VBox):
    """A sentence to begin with, the likeliest next words as bars, and a button that draws one of them.

    Args:
        guess: returns the likeliest next words of a text, or raises CourseError.
        draw: returns a text with one word drawn and appended.
        text: what stands there at first.
    """

    def __init__(self, guess: Callable[[str], Blank], draw: Callable[[str], str], text: str) -> None:
        self._guess, self._draw = guess, draw
        wide = ipywidgets.Layout(width="95%")
        self.text = ipywidgets.Textarea(value=text, description="Text", continuous_update=False, layout=wide)
        self.button = ipywidgets.Button(description="Next word", tooltip="Draw the next word and append it")
        self.words = ipywidgets.HTML()
        self.text.observe(self._show, "value")
        self.button.on_click(self._go_on)
        super().__init__([self.text, self.button, self.words])
        self._show()

    def _go_on(self, _: object = None) -> None:
        if len(self.text.value) >= LONGEST_TEXT:
            self.words.value = f"<p>The text is {LONGEST_TEXT:,} characters long: begin a new one.</p>"
            return
        try:
            self.text.value = self._draw(self.text.value)
        except CourseError as error:
            self.words.value = f"<p>{escape(str(error))}</p>"

    def _show(self, _: object = None) -> None:
        try:
            blank = self._guess(self.text.value[-LONGEST_TEXT:])
        except CourseError as error:
            self.words.value = f"<p>{escape(str(error))}</p>"
            return
        colors = [ORANGE, *[BLUE] * (len(blank.words) - 1)]
        rows = "".join(
            f"<tr><td>{escape(word)}</td><td>{share:.1%}</td>"
            f'<td><div style="width: {200 * share:.0f}px; height: 0.8em; background: {color}"></div></td></tr>'
            for word, share, color in zip(blank.words, blank.probabilities, colors, strict=True)
        )
        self.words.value = f"<table><tr><th>next word</th><th>probability</th><th></th></tr>{rows}</table>"

    def static_figure(self) -> Figure:
        """Draw what the widget shows at present, for readers without a browser."""
        try:
            blank = self._guess(self.text.value[-LONGEST_TEXT:])
        except CourseError as error:
            return text_plotting.blanks({str(error): ([""], [0.0])}, columns=1)
        return text_plotting.blanks({f"{self.text.value} …": (blank.words, blank.probabilities)}, columns=1)
