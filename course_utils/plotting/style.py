"""What all pictures share: colors, markers, an axis, lines to compare with."""

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, RED, GRAY = "#2f6fb5", "#e08a1e", "#3a9d6e", "#c94f4f", "#9aa3ad"
COLORS = (BLUE, ORANGE, GREEN, RED, "#7d62b3", "#4aa7b5", "#b5658f", "#8a7a5c")
MARKERS = "osD^vPX*"  # so that curves can be told apart without colors
INK, FAINT = "#24292f", "#e4e7eb"


def new_axis(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a figure of this size in inches with one axis on a faint grid."""
    figure = Figure(figsize=(width, height), layout="constrained")
    axis = figure.subplots()
    axis.set_axisbelow(True)
    axis.grid(color=FAINT)
    axis.spines[:].set_visible(False)
    axis.tick_params(colors=INK, labelsize=9)
    return figure, axis


def nothing_to_show(words: str) -> Figure:
    """Return what stands where there would be pictures, if there were any."""
    figure = Figure(figsize=(4, 0.5))
    figure.text(0.02, 0.5, words, color=INK, fontsize=10, va="center")
    return figure


def draw_reference_lines(axis: Axes, lines: Mapping[str, float], percent: bool) -> None:
    """Draw horizontal lines with their names and values."""
    for name, value in lines.items():
        axis.axhline(value, color=GRAY, linestyle="--", linewidth=1.2)
        words = f"{name} {100 * value:.1f} %" if percent else f"{name} {value:.2f}"
        axis.annotate(
            words,
            (1, value),
            xycoords=("axes fraction", "data"),
            xytext=(-2, 3),
            textcoords="offset points",
            ha="right",
            fontsize=8.5,
            color="#6b747d",
        )


def show_percent(axis: Axes) -> None:
    """Write the y axis's shares as percent."""
    axis.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
