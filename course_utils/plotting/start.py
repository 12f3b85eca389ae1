"""Pictures of notebook 00: what self-supervised learning is, and the way through the course."""

from collections.abc import Mapping, Sequence
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from torch import Tensor

from course_utils.plotting.style import BLUE, FAINT, GRAY, INK, ORANGE

QUIET = "#57606a"  # of words beside the point, dark enough to be read
BOX_WIDTH, BOX_HEIGHT = 0.88, 0.7  # of a stop on the map, in steps and lanes


def idea(image: Tensor, with_hole: Tensor, hidden: Tensor, label: str) -> Figure:
    """Draw where the answer comes from in supervised and in self-supervised learning, and what comes after.

    Args:
        image: (3, H, W) uint8.
        with_hole: the same with a square hidden.
        hidden: the square, (3, h, w) uint8.
        label: what the image shows.
    """
    figure, axis = _canvas(width=8.4, height=5.2, right=10.0, top=6.0)
    rows = {
        5.0: ("Supervised learning", image, f"“{label}”", "a person looked and wrote it down"),
        3.0: ("Self-supervised learning", with_hole, "", "it was cut out of the image itself"),
        1.0: ("What it is for", image, f"“{label}”", "a few labels now go a long way"),
    }
    for y, (title, picture, answer, origin) in rows.items():
        learned = y < 2
        axis.text(0.1, y, fill(title, 15), fontsize=11, fontweight="bold", va="center", color=INK)
        _picture(axis, picture, 2.7, y, 0.72)
        _box(axis, 4.9, y, "network\n(learned above)" if learned else "network", ORANGE if y < 4 else BLUE)
        _arrow(axis, (3.5, y), (4.05, y))
        _arrow(axis, (5.75, y), (6.35, y))
        if answer:
            axis.text(6.9, y, answer, fontsize=11, ha="center", va="center", color=INK)
        else:
            _picture(axis, hidden, 6.9, y, 0.4)
        axis.text(7.75, y, fill(origin, 20), fontsize=9.5, va="center", color=INK)
    axis.text(6.9, 5.85, "the answer", fontsize=9, ha="center", color=QUIET)
    axis.text(7.75, 5.85, "where it comes from", fontsize=9, color=QUIET)
    axis.text(2.7, 5.85, "what the network sees", fontsize=9, ha="center", color=QUIET)
    _arrow(axis, (4.9, 2.5), (4.9, 1.5))
    return figure


def course_map(
    titles: Mapping[int, str], lanes: Mapping[str, Sequence[int]], builds_on: Mapping[int, Sequence[int]], core: int
) -> Figure:
    """Draw the notebooks from left to right, each in its lane, with arrows from those whose networks it uses.

    Args:
        titles: number → title; what follows a colon is left out.
        lanes: name → numbers of the notebooks in it; numbers without a title are left out.
        builds_on: number → numbers of the notebooks whose encoders it takes.
        core: the last notebook of the core course; later ones are drawn in gray.
    """
    numbers = sorted(titles)
    figure, axis = _canvas(width=10.4, height=0.95 * len(lanes), right=len(numbers) + 1.4, top=len(lanes))
    heights = {number: len(lanes) - 0.5 - row for row, (_, lane) in enumerate(lanes.items()) for number in lane}
    for row, name in enumerate(lanes):
        if row % 2 == 0:
            axis.axhspan(len(lanes) - row - 1, len(lanes) - row, color=FAINT, alpha=0.5, linewidth=0, zorder=0)
        axis.text(0.08, len(lanes) - row - 0.5, fill(name, 11), fontsize=10, fontweight="bold", va="center", color=INK)
    places = {number: (1.85 + step, heights[number]) for step, number in enumerate(numbers)}
    for number, needs in builds_on.items():
        for need in needs:
            if number in places and need in places:
                _pipe(axis, places[need], places[number])
    for number, (x, y) in places.items():
        color = BLUE if number <= core else GRAY
        title = fill(titles[number].partition(":")[0], 13)
        _box(axis, x, y, f"{number:02}\n{title}", color, BOX_WIDTH, BOX_HEIGHT, size=8)
    return figure


def _pipe(axis: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw an arrow out of a box, down or up to the other's lane and along it: arrows to the same box run together."""
    (x, y), (to_x, to_y) = start, end
    axis.plot([x, x, to_x - BOX_WIDTH / 2 - 0.1], [y, to_y, to_y], color=GRAY, linewidth=1.4, zorder=0.9)
    _arrow(axis, (to_x - BOX_WIDTH / 2 - 0.2, to_y), (to_x - BOX_WIDTH / 2, to_y))


def _canvas(width: float, height: float, right: float, top: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axis = figure.add_subplot()
    axis.set(xlim=(0, right), ylim=(0, top))
    axis.axis("off")
    return figure, axis


def _picture(axis: Axes, image: Tensor, x: float, y: float, half: float) -> None:
    inset = axis.inset_axes((x - half, y - half, 2 * half, 2 * half), transform=axis.transData)
    inset.imshow(image.permute(1, 2, 0).numpy())
    inset.set(xticks=[], yticks=[])
    inset.spines[:].set_visible(False)


def _box(
    axis: Axes, x: float, y: float, words: str, color: str, width: float = 1.7, height: float = 0.9, size: float = 10
) -> None:
    corner = (x - width / 2, y - height / 2)
    style = "round,pad=0,rounding_size=0.08"
    axis.add_patch(FancyBboxPatch(corner, width, height, boxstyle=style, facecolor="white", edgecolor=color, lw=2))
    axis.text(x, y, words, ha="center", va="center", fontsize=size, color=INK)


def _arrow(axis: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    style = {"arrowstyle": "-|>", "mutation_scale": 12, "color": GRAY, "linewidth": 1.4}
    axis.add_patch(FancyArrowPatch(start, end, shrinkA=0, shrinkB=1, **style))  # type: ignore[arg-type]
