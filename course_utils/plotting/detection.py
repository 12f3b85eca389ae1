"""Pictures of boxes: on scenes, by what is right and wrong about them, and of what they score."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from torch import Tensor

from course_utils.data.scenes import NOTHING, Scenes
from course_utils.detection.errors import KINDS, Judged
from course_utils.plotting.style import BLUE, FAINT, GRAY, INK, ORANGE, nothing_to_show

INCHES = 1.9  # of a scene
OUTLINE = [withStroke(linewidth=3, foreground="white")]  # so that a box is seen on any background
KIND_STYLES = {
    "right": (BLUE, ""),
    "wrong class": (ORANGE, "//"),
    "badly placed": ("#f2cf8a", ".."),
    "both wrong": ("#8a5a00", "xx"),
    "twice": ("#c9d8ea", "\\\\"),
    "nothing there": (GRAY, ""),
}
"""Color and hatching of each kind, so that they can be told apart without colors as well."""


@dataclass(frozen=True)
class DrawnBox:
    """One box on a picture: corners in pixels, words above it, color, and whether its line is dashed."""

    corners: tuple[float, float, float, float]
    words: str
    color: str
    dashed: bool = False


def boxes_on_scenes(images: Tensor, boxes: Sequence[Sequence[DrawnBox]], columns: int) -> Figure:
    """Draw scenes in rows, each with its boxes.

    Args:
        images: (N, 3, H, W) uint8.
        boxes: of each scene.
        columns: scenes in a row.
    """
    if not len(images):
        return nothing_to_show("There is no such scene.")
    rows = -(-len(images) // columns)
    figure = Figure(figsize=(columns * INCHES, rows * (INCHES + 0.1)), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
    for axis in axes:
        axis.axis("off")
    for axis, image, own in zip(axes, images, boxes, strict=False):
        axis.imshow(image.permute(1, 2, 0).numpy(), extent=(0, image.shape[2], image.shape[1], 0))
        for box in own:
            _draw_box(axis, box)
    return figure


def true_boxes(scenes: Scenes, class_names: Sequence[str]) -> list[list[DrawnBox]]:
    """Return every scene's own boxes, for `boxes_on_scenes`."""
    return [
        [
            DrawnBox(tuple(box.tolist()), class_names[label], BLUE)
            for box, label in zip(*scenes.objects_of(index), strict=True)
        ]
        for index in range(len(scenes))
    ]


def judged_boxes(judged: Sequence[Judged], class_names: Sequence[str]) -> list[list[DrawnBox]]:
    """Return every scene's detections, for `boxes_on_scenes`: right ones in blue, others in dashed orange."""
    return [
        [
            DrawnBox(
                tuple(box.tolist()),
                f"{class_names[label]} {100 * score:.0f}",
                BLUE if kind == 0 else ORANGE,
                dashed=kind != 0,
            )
            for box, score, label, kind in zip(
                each.detections.boxes,
                each.detections.scores.tolist(),
                each.detections.labels.tolist(),
                each.kinds.tolist(),
                strict=True,
            )
        ]
        for each in judged
    ]


def answers_by_place(image: Tensor, targets: Tensor, class_names: Sequence[str]) -> Figure:
    """Draw a scene with the places of its map: dots where an object is to be named, crosses where nothing is.

    Args:
        image: (3, H, W) uint8.
        targets: (rows, columns) int64, labels or `NOTHING`.
        class_names: of the labels.
    """
    figure = Figure(figsize=(5.2, 3.4), layout="constrained")
    axis = figure.subplots()
    height, width = image.shape[1:]
    axis.imshow(image.permute(1, 2, 0).numpy(), extent=(0, width, height, 0), alpha=0.75)
    step = height / targets.shape[0]
    for number, label in enumerate([NOTHING, *sorted(set(targets.flatten().tolist()) - {NOTHING})]):
        y, x = (targets == label).nonzero().unbind(dim=1)
        name = "nothing" if label == NOTHING else class_names[label]
        style: dict[str, Any] = {"marker": "x", "s": 9, "color": INK} if label == NOTHING else _dot(number)
        axis.scatter((x + 0.5) * step, (y + 0.5) * step, label=name, linewidths=0.8, **style)
    axis.axis("off")
    figure.legend(loc="outside right center", frameon=False, fontsize=9)
    return figure


def what_and_where(panels: Mapping[str, Mapping[str, float]], highlight: Sequence[str] = ()) -> Figure:
    """Draw several questions side by side, a bar for each encoder; shares in [0, 1].

    Args:
        panels: question → encoder → share; all with the same encoders.
        highlight: encoders drawn in the accent color.
    """
    names = list(next(iter(panels.values())))
    figure = Figure(figsize=(2.5 * len(panels) + 1.1, 1.0 + 0.36 * len(names)), layout="constrained")
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axis, (question, values) in zip(axes, panels.items(), strict=True):
        for position, name in enumerate(names):
            axis.barh(position, values[name], color=ORANGE if name in highlight else BLUE, height=0.66)
            axis.text(values[name] + 0.02, position, f"{100 * values[name]:.0f} %", va="center", fontsize=9, color=INK)
        axis.set_title(question, fontsize=9.5, color=INK)
        axis.set(xlim=(0, 1.18), xticks=[0, 0.5, 1])
        _plain_axis(axis)
        axis.xaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    axes[0].set_yticks(range(len(names)), names)
    axes[0].invert_yaxis()
    return figure


def kinds_of_answers(counts: Mapping[str, Mapping[str, int]], num_objects: int) -> Figure:
    """Draw what detections are, right or wrong in which way, for every 100 objects; a bar for each detector.

    Args:
        counts: detector → kind → how many (`box_errors.count_kinds`).
        num_objects: that there are to be found.
    """
    figure = Figure(figsize=(7.4, 1.5 + 0.42 * len(counts)), layout="constrained")
    axis = figure.subplots()
    for position, found in enumerate(counts.values()):
        start = 0.0
        for kind in KINDS:
            share = 100 * found[kind] / max(num_objects, 1)
            color, hatch = KIND_STYLES[kind]
            axis.barh(
                position, share, left=start, height=0.66, color=color, hatch=hatch, edgecolor="white", linewidth=0.6,
                label=kind if position == 0 else None,
            )  # fmt: skip
            if share >= 5:
                words: dict[str, Any] = {"va": "center", "ha": "center", "fontsize": 8.5, "color": INK}
                axis.text(start + share / 2, position, f"{share:.0f}", path_effects=OUTLINE, **words)
            start += share
    axis.set_yticks(range(len(counts)), list(counts))
    axis.invert_yaxis()
    axis.axvline(100, color=INK, linewidth=1, linestyle="--")
    axis.text(100, -0.55, " as many as there are objects", fontsize=8, color=INK, va="bottom")
    axis.set_xlabel("boxes that are shown, for every 100 objects")
    _plain_axis(axis)
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return figure


def _dot(number: int) -> dict[str, Any]:
    markers, colors = "osD^v", (BLUE, ORANGE, "#1b1b1b", "#7d62b3", "#f2cf8a")
    place = (number - 1) % len(markers)
    return {"marker": markers[place], "s": 26, "color": colors[place], "edgecolors": "white"}


def _draw_box(axis: Axes, box: DrawnBox) -> None:
    x1, y1, x2, y2 = box.corners
    line = Rectangle(
        (x1, y1), x2 - x1, y2 - y1, fill=False, edgecolor=box.color, linewidth=1.6,
        linestyle=(0, (3, 1.5)) if box.dashed else "solid", path_effects=OUTLINE,
    )  # fmt: skip
    axis.add_patch(line)
    words = box.words.replace("$", r"\$")  # matplotlib would take it for a formula
    axis.text(
        x1 + 0.6, max(y1, 0) + 0.6, words, fontsize=6.5, color="white", va="top", ha="left", clip_on=True,
        bbox={"facecolor": box.color if not box.dashed else "#9a5c00", "edgecolor": "none", "pad": 0.8},
    )  # fmt: skip


def _plain_axis(axis: Axes) -> None:
    axis.grid(axis="x", color=FAINT)
    axis.set_axisbelow(True)
    axis.spines[:].set_visible(False)
    axis.tick_params(colors=INK, labelsize=9, length=0)
