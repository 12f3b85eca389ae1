"""Pictures of what features know: maps of them, what each class gains, the labels that pretraining saves."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from course_utils.labeling.savings import Saving
from course_utils.plotting.style import BLUE, FAINT, GRAY, INK, ORANGE

CLASS_COLORS = (
    "#332288", "#88ccee", "#44aa99", "#117733", "#999933", "#ddcc77", "#cc6677", "#882255", "#aa4499", "#777777",
)  # fmt: skip
"""Paul Tol's muted colors, which color-blind people can tell apart, and gray."""


def class_color(label: int) -> str:
    """Return a class's color; with more than ten classes they repeat."""
    return CLASS_COLORS[label % len(CLASS_COLORS)]


def feature_maps(maps: Mapping[str, Tensor], labels: Tensor, class_names: Sequence[str]) -> Figure:
    """Draw maps of the same images side by side, each image a point in its class's color.

    A class's name stands at its middle in every map.

    Args:
        maps: name → positions (N, 2).
        labels: (N,).
        class_names: of the labels.
    """
    figure = Figure(figsize=(3.7 * len(maps) + 1.1, 3.9), layout="constrained")
    axes = figure.subplots(1, len(maps), squeeze=False)[0]
    for axis, (name, points) in zip(axes, maps.items(), strict=True):
        _scatter(axis, points.numpy(), labels.numpy(), class_names)
        axis.set_title(name, fontsize=10, color=INK)
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside right center", frameon=False, fontsize=8.5, markerscale=2)
    return figure


def class_gains(
    base: Sequence[float],
    reached: Sequence[float],
    class_names: Sequence[str],
    names: tuple[str, str],
    measure: str = "test images of the class named right",
) -> Figure:
    """Draw for each class how far a better encoder gets beyond another one, the largest gain at the top.

    Args:
        base, reached: accuracies of the classes, shares in [0, 1].
        class_names: in the same order.
        names: of the two encoders.
        measure: what the shares are.
    """
    figure = Figure(figsize=(6.4, 0.9 + 0.3 * len(class_names)), layout="constrained")
    axis = figure.subplots()
    order = np.argsort(np.array(reached) - np.array(base))  # the largest gain last, which is at the top
    for height, index in enumerate(order):
        start, end = base[index], reached[index]
        axis.plot([start, end], [height, height], color=GRAY, linewidth=2, zorder=1)
        axis.scatter(start, height, color=BLUE, s=42, zorder=2, label=names[0] if height == 0 else None)
        axis.scatter(end, height, color=ORANGE, marker="D", s=38, zorder=2, label=names[1] if height == 0 else None)
        words = f"{100 * (end - start):+.0f}".replace("-", "−")
        right = (max(start, end), height)
        axis.annotate(words, right, xytext=(9, 0), textcoords="offset points", va="center", fontsize=9, color=INK)
    axis.set_yticks(range(len(order)), [_plain(class_names[index]) for index in order])
    axis.set_xlabel(f"{measure}; the number is the gain in points")
    axis.xaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    axis.margins(x=0.1)
    axis.grid(axis="x", color=FAINT)
    axis.set_axisbelow(True)
    axis.spines[:].set_visible(False)
    axis.tick_params(colors=INK, labelsize=9, length=0)
    figure.legend(loc="outside upper right", ncols=2, frameon=False, fontsize=9)
    return figure


def mark_savings(figure: Figure, savings: Sequence[Saving]) -> Figure:
    """Draw into a figure of `plotting.label_curves` an arrow from each saving's labels to those that are needed else.

    Where the curve never gets there, the arrow ends where measuring did.
    """
    [axis] = figure.axes
    for saving in savings:
        most = saving.measured[1]
        end = min(saving.equal_to, most)
        axis.annotate(
            "", (end, saving.accuracy), (saving.num_labels, saving.accuracy),
            arrowprops={"arrowstyle": "->", "color": INK, "linewidth": 1.4, "linestyle": "--"}, zorder=5,
        )  # fmt: skip
        more = "> " if saving.equal_to > most else ""
        words = f"{more}{end / saving.num_labels:.1f} ×"
        axis.annotate(
            words, ((saving.num_labels * end) ** 0.5, saving.accuracy), xytext=(0, 4), textcoords="offset points",
            ha="center", va="bottom", fontsize=9, color=INK,
        )  # fmt: skip
    return figure


def _scatter(axis: Axes, points: np.ndarray, labels: np.ndarray, class_names: Sequence[str]) -> None:
    for label, name in enumerate(class_names):
        members = points[labels == label]
        name = _plain(name)
        axis.scatter(members[:, 0], members[:, 1], s=7, color=class_color(label), alpha=0.8, linewidths=0, label=name)
        if len(members) and len(class_names) <= 20:
            middle = np.median(members, axis=0)
            box = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.75}
            axis.text(middle[0], middle[1], name, fontsize=7.5, color=INK, ha="center", va="center", bbox=box)
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_color(FAINT)


def _plain(words: str) -> str:
    return words.replace("$", r"\$")  # matplotlib would take it for a formula
