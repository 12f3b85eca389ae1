"""Sliders above a picture that is drawn again when one moves."""

import base64
import io
from collections.abc import Callable
from html import escape

import ipywidgets
from matplotlib.figure import Figure

from course_utils.errors import CourseError

DOTS_PER_INCH = 100


def explore(draw: Callable[..., Figure], caption: str, **sliders: ipywidgets.Widget) -> ipywidgets.VBox:
    """Return sliders with a picture below them.

    The picture without sliders, for readers without a browser, is `draw(**{name: slider.value …})`.

    Args:
        draw: returns the figure for the sliders' values, which it takes by their names; a `CourseError` that it
            raises is shown in the picture's place.
        caption: what the picture shows, for screen readers.
        sliders: name → control, with its start value.
    """
    picture = ipywidgets.HTML()

    def redraw(_: object = None) -> None:
        try:
            figure = draw(**{name: slider.value for name, slider in sliders.items()})
        except CourseError as error:
            picture.value = f"<p>{escape(str(error))}</p>"
            return
        picture.value = f'<img alt="{escape(caption, quote=True)}" src="{_data_url(figure)}" style="max-width: 100%">'

    for slider in sliders.values():
        slider.observe(redraw, "value")
    redraw()
    return ipywidgets.VBox([*sliders.values(), picture])


def _data_url(figure: Figure) -> str:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=DOTS_PER_INCH, facecolor="white")
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()
