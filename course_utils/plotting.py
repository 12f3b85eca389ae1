"""Pictures: plain data in, a matplotlib Figure out; nothing is shown or saved here."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

BLUE, ORANGE, GREEN, RED, GRAY = "#2f6fb5", "#e08a1e", "#3a9d6e", "#c94f4f", "#9aa3ad"
COLORS = (BLUE, ORANGE, GREEN, RED, "#7d62b3", "#4aa7b5", "#b5658f", "#8a7a5c")
MARKERS = "osD^vPX*"  # so that curves can be told apart without colors
INK, FAINT = "#24292f", "#e4e7eb"
GAP = 0.07  # between images, as a share of an image


def image_grid(images: Tensor, columns: int, titles: Sequence[str] | None = None, scale: float = 0.9) -> Figure:
    """Draw images row by row.

    Args:
        images: (N, C, H, W), uint8 or floats in [0, 1]; C is 3 or 1.
        columns: images in a row.
        titles: one above each image, or above the first row only where there are `columns` of them.
        scale: inches an image.
    """
    rows = -(-len(images) // columns)
    title_space = 0.32 / scale if titles else 0.0
    height = 1 + (title_space if titles and len(titles) > columns else GAP)  # of a row
    sheet = _Sheet(columns + GAP * (columns - 1), rows * height + title_space, scale)
    for place, image in enumerate(images):
        x, y = place % columns * (1 + GAP), title_space + place // columns * height
        sheet.image(x, y, image)
        if titles and place < len(titles):
            sheet.words(x + 0.5, y - 0.05, titles[place], size=8, ha="center", va="bottom")
    return sheet.figure


def rows_of_images(rows: Sequence[tuple[str, Tensor]], columns: int, scale: float = 0.8) -> Figure:
    """Draw rows of images, each with its name at the left; images (N, C, H, W) as for `image_grid`."""
    label_width = (0.1 + 0.085 * max(len(name) for name, _ in rows)) / scale
    sheet = _Sheet(label_width + columns * (1 + GAP), len(rows) * (1 + GAP), scale)
    for row, (name, images) in enumerate(rows):
        y = row * (1 + GAP)
        sheet.words(label_width - 0.12, y + 0.5, name, size=9, ha="right", va="center")
        for column, image in enumerate(images[:columns]):
            sheet.image(label_width + column * (1 + GAP), y, image)
    return sheet.figure


def curves(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    x_label: str,
    y_label: str,
    *,
    lines: Mapping[str, float] | None = None,
    percent: bool = False,
    log_y: bool = False,
) -> Figure:
    """Draw named curves, each (x values, y values), and horizontal reference lines with their names."""
    figure, axis = _new_axis(width=6.4, height=3.4)
    for color, (name, (x, y)) in zip(COLORS, series.items(), strict=False):
        axis.plot(x, y, color=color, label=name, linewidth=1.8, marker="o" if len(x) < 30 else None, markersize=3.5)
    _reference_lines(axis, lines or {}, percent)
    axis.set(xlabel=x_label, ylabel=y_label)
    if log_y:
        axis.set_yscale("log")
        axis.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    if percent:
        _percent(axis)
    if len(series) > 1:
        axis.legend(frameon=False, fontsize=9)
    return figure


def over_places(series: Mapping[str, Mapping[str, float]], x_label: str, lines: Mapping[str, float]) -> Figure:
    """Draw accuracies at named places in a row, a curve for each series (name → place → share in [0, 1])."""
    figure, axis = _new_axis(width=6.4, height=3.4)
    for color, (name, values) in zip(COLORS, series.items(), strict=False):
        axis.plot(range(len(values)), list(values.values()), "o-", color=color, label=name, linewidth=1.8)
        best = max(values, key=lambda place: values[place])
        axis.annotate(
            f"{100 * values[best]:.1f} %", (list(values).index(best), values[best]), xytext=(0, 6),
            textcoords="offset points", ha="center", fontsize=8.5, color=color,
        )  # fmt: skip
    _reference_lines(axis, lines, percent=True)
    places = list(next(iter(series.values())))
    axis.set_xticks(range(len(places)), places)
    axis.set(xlabel=x_label, ylabel="test accuracy")
    axis.margins(y=0.12)
    _percent(axis)
    axis.legend(frameon=False, fontsize=9)
    return figure


def smooth(values: Sequence[float], window: int = 20) -> list[float]:
    """Return the running mean over at most `window` values before and including each."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - window, 0)
    return ((total[ends] - total[starts]) / (ends - starts)).tolist()


def bars(
    values: Mapping[str, float],
    *,
    spreads: Mapping[str, float] | None = None,
    highlight: Sequence[str] = (),
    lines: Mapping[str, float] | None = None,
    x_label: str = "test accuracy",
) -> Figure:
    """Draw shares as horizontal bars from top to bottom, with their spread and their value in percent.

    Args:
        values: name → share in [0, 1].
        spreads: name → standard deviation, for those that have one.
        highlight: names drawn in the accent color.
        lines: name → share, drawn as vertical lines.
        x_label: what the shares are.
    """
    figure, axis = _new_axis(width=6.8, height=0.8 + 0.42 * len(values))
    spreads = spreads or {}
    for position, (name, value) in enumerate(values.items()):
        spread = spreads.get(name, 0.0)
        axis.barh(position, value, color=ORANGE if name in highlight else BLUE, height=0.66)
        if spread:
            axis.errorbar(value, position, xerr=spread, color=INK, capsize=3, linewidth=1.2)
        words = f"{100 * value:.1f} %" + (f" ± {100 * spread:.1f}" if spread else "")
        axis.text(value + spread + 0.012, position, words, va="center", fontsize=9, color=INK)
    axis.set_yticks(range(len(values)), list(values))
    axis.invert_yaxis()
    axis.tick_params(axis="y", length=0)
    axis.set_xlim(0, min(1.0, max(values.values()) + max([0.0, *spreads.values()]) + 0.17))
    axis.set_xlabel(x_label)
    axis.grid(axis="y", visible=False)
    for name, value in (lines or {}).items():
        axis.axvline(value, color=GRAY, linestyle="--", linewidth=1.1)
        axis.text(value, -0.62, f" {name}", color=GRAY, fontsize=8, va="bottom")
    axis.xaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    return figure


def amounts(values: Mapping[str, float], x_label: str, *, unit: str = "") -> Figure:
    """Draw amounts above 0 of very different size as horizontal bars on a log axis, with their values."""
    figure, axis = _new_axis(width=6.8, height=0.8 + 0.42 * len(values))
    smallest = min(values.values())
    for position, (name, value) in enumerate(values.items()):
        axis.barh(position, value, color=BLUE, height=0.66)
        axis.text(value * 1.12, position, f"{unit}{value:,.0f}", va="center", fontsize=9, color=INK)
        axis.text(smallest / 3.6, position, name, va="center", ha="right", fontsize=9, color=INK)
    axis.set_xscale("log")
    axis.set_xlim(smallest / 3, max(values.values()) * 6)
    axis.set_yticks([])
    axis.invert_yaxis()
    axis.xaxis.set_major_formatter(lambda value, _: f"{unit}{value:,.0f}")
    axis.set_xlabel(f"{x_label} (log scale)")
    axis.grid(axis="y", visible=False)
    return figure


def label_curves(
    measured: Mapping[str, Mapping[int, Sequence[float]]],
    laws: Mapping[str, Callable[[float], float]],
    *,
    longest: float = 0.0,
    x_label: str = "",
    y_label: str = "test accuracy",
    lines: Mapping[str, float] | None = None,
) -> Figure:
    """Draw accuracy against the number of labels, on a log axis, with fitted laws; dashed where they extrapolate.

    Args:
        measured: name → number of labels → accuracies of the seeds, shares in [0, 1].
        laws: name → error as a function of the number of labels; points without one are joined.
        longest: to how many labels the laws are drawn.
        x_label: what is counted; labels if empty.
        y_label: what the shares are.
        lines: name → share, drawn as horizontal lines.
    """
    figure, axis = _new_axis(width=6.6, height=3.8)
    for color, marker, (name, points) in zip(COLORS, MARKERS, measured.items(), strict=False):
        sizes, means = list(points), [float(np.mean(values)) for values in points.values()]
        spreads = [float(np.std(values, ddof=1)) if len(values) > 1 else 0.0 for values in points.values()]
        style = marker if name in laws else f"{marker}-"
        axis.errorbar(sizes, means, yerr=spreads, fmt=style, color=color, capsize=3, markersize=5, label=name)
        if name in laws:
            for low, high, style in ((min(sizes), max(sizes), "-"), (max(sizes), longest, "--")):
                x = np.geomspace(low, max(low, high), 60)
                axis.plot(x, [1 - laws[name](n) for n in x], style, color=color, linewidth=1.5)
    _reference_lines(axis, lines or {}, percent=True)
    axis.set_xscale("log")
    if not laws:
        axis.set_xticks(sorted({size for points in measured.values() for size in points}))
        axis.minorticks_off()
    axis.xaxis.set_major_formatter(lambda count, _: f"{count:,.0f}")
    words = "labels (log scale; dashed: extrapolated)" if laws else "labels (log scale)"
    axis.set(xlabel=x_label or words, ylabel=y_label)
    _percent(axis)
    beside: dict[str, Any] = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)}  # many names would cover curves
    axis.legend(frameon=False, fontsize=9, **({"loc": "upper left"} if len(measured) < 4 else beside))
    return figure


def confusion(counts: Tensor, class_names: Sequence[str]) -> Figure:
    """Draw a confusion matrix as percent of each true class (row); counts (classes, classes)."""
    shares = counts.numpy() / np.maximum(counts.numpy().sum(axis=1, keepdims=True), 1)
    side = 1.6 + 0.42 * len(class_names)
    figure, axis = _new_axis(width=side, height=side * 0.92)
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(*shares.shape):
        if shares[row, column] >= 0.005 and len(class_names) <= 20:
            color = "white" if shares[row, column] > 0.55 else INK
            axis.text(
                column, row, f"{100 * shares[row, column]:.0f}", ha="center", va="center", fontsize=8, color=color
            )
    axis.set_xticks(range(len(class_names)), class_names, rotation=45, ha="right")
    axis.set_yticks(range(len(class_names)), class_names)
    axis.set(xlabel="predicted", ylabel="true class (rows sum to 100 %)")
    axis.grid(visible=False)
    return figure


def similarity_matrices(matrices: Mapping[str, Tensor]) -> Figure:
    """Draw square matrices of cosine similarities side by side on one scale, −1 to 1."""
    figure = Figure(figsize=(3.1 * len(matrices) + 0.5, 3.2), layout="constrained")
    axes = figure.subplots(1, len(matrices), squeeze=False)[0]
    for axis, (name, matrix) in zip(axes, matrices.items(), strict=True):
        picture = axis.imshow(matrix.float().numpy(), cmap="RdBu_r", vmin=-1, vmax=1)
        axis.set_title(name, fontsize=10, color=INK)
        axis.set(xticks=[], yticks=[])
    figure.colorbar(picture, ax=list(axes), label="cosine similarity", shrink=0.85)
    return figure


def heat_over_images(images: Tensor, maps: Tensor, titles: Sequence[str], colorbar: str) -> Figure:
    """Draw images in a row, and below each the same with a map over it: red above 0, blue below.

    Shape: images (N, C, H, W); maps (N, rows, columns), stretched over the image.
    """
    figure = Figure(figsize=(1.25 * len(images) + 0.9, 2.9), layout="constrained")
    axes = figure.subplots(2, len(images), squeeze=False)
    largest = max(maps.abs().quantile(0.98).item(), 1e-6)
    for column, (image, heat, title) in enumerate(zip(images, maps, titles, strict=True)):
        pixels = image.permute(1, 2, 0).cpu().numpy()
        place = (0, pixels.shape[1], pixels.shape[0], 0)
        axes[0, column].imshow(pixels, extent=place)
        axes[0, column].set_title(title, fontsize=8.5, color=INK)
        axes[1, column].imshow(pixels.mean(axis=-1), cmap="gray", extent=place)
        drawn = axes[1, column].imshow(
            heat.cpu().numpy(), cmap="RdBu_r", vmin=-largest, vmax=largest, alpha=0.7, extent=place,
            interpolation="bilinear",
        )  # fmt: skip
    for axis in axes.flat:
        axis.axis("off")
    figure.colorbar(drawn, ax=axes[1].tolist(), label=colorbar, shrink=0.9)
    return figure


def answer(image: Tensor, probabilities: Mapping[str, float], right: str | None = None) -> Figure:
    """Draw an image beside the probabilities that a network gives to its answers; the right one in green."""
    figure = Figure(figsize=(5.6, 2.3), layout="constrained")
    left, axis = figure.subplots(1, 2, width_ratios=[1, 1.5])
    left.imshow(image.permute(1, 2, 0).cpu().numpy(), interpolation="nearest")
    left.axis("off")
    for position, (name, share) in enumerate(probabilities.items()):
        axis.barh(position, share, color=GREEN if name == right else BLUE, height=0.66)
        axis.text(share + 0.02, position, f"{100 * share:.0f} %", va="center", fontsize=9, color=INK)
    axis.set_yticks(range(len(probabilities)), list(probabilities))
    axis.invert_yaxis()
    axis.set(xlim=(0, 1.18), xticks=[], xlabel="the network's probability")
    axis.spines[:].set_visible(False)
    axis.tick_params(axis="y", length=0, labelsize=9)
    return figure


def neighbors(queries: Tensor, found: Mapping[str, Tensor], scale: float = 0.72) -> Figure:
    """Draw query images at the left and, block by block, the nearest images that each encoder found.

    Shape: queries (Q, C, H, W); each of found (Q, k, C, H, W).
    """
    blocks = {"query": queries[:, None], **found}
    title_space, space_between = 0.4, 0.4
    columns = sum(images.shape[1] for images in blocks.values())
    width = columns * (1 + GAP) + space_between * len(found)
    sheet = _Sheet(width, title_space + len(queries) * (1 + GAP), scale)
    x = 0.0
    for name, images in blocks.items():
        sheet.words(x, title_space - 0.08, name, size=9, ha="left", va="bottom")
        for row, nearest in enumerate(images):
            for column, image in enumerate(nearest):
                sheet.image(x + column * (1 + GAP), title_space + row * (1 + GAP), image)
        x += images.shape[1] * (1 + GAP) + space_between
    return sheet.figure


class _Sheet:
    """A page on which images and words are placed, measured in images from the upper left corner.

    All of them share one axis: with one each, a hundred images take seconds.
    """

    def __init__(self, width: float, height: float, scale: float) -> None:
        self.figure = Figure(figsize=(width * scale, height * scale))
        self.axis = self.figure.add_axes((0, 0, 1, 1))
        self.axis.axis("off")
        self.axis.set(xlim=(0, width), ylim=(height, 0), autoscale_on=False)

    def image(self, x: float, y: float, image: Tensor) -> None:
        """Place an image (C, H, W), uint8 or floats in [0, 1]."""
        pixels = image.permute(1, 2, 0).cpu().numpy()  # (H, W, C)
        self.axis.imshow(
            pixels.squeeze(-1) if pixels.shape[-1] == 1 else pixels,
            cmap="gray",
            vmin=0,
            vmax=255 if pixels.dtype == np.uint8 else 1,
            extent=(x, x + 1, y + 1, y),
            interpolation="nearest",
            aspect="auto",
        )

    def words(self, x: float, y: float, text: str, *, size: float, ha: str, va: str) -> None:
        """Write a line."""
        self.axis.text(x, y, text, fontsize=size, ha=ha, va=va, color=INK)


def _new_axis(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axis = figure.subplots()
    axis.set_axisbelow(True)
    axis.grid(color=FAINT)
    axis.spines[:].set_visible(False)
    axis.tick_params(colors=INK, labelsize=9)
    return figure, axis


def _reference_lines(axis: Axes, lines: Mapping[str, float], percent: bool) -> None:
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


def _percent(axis: Axes) -> None:
    axis.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")


def swept_curves(
    series: Mapping[str, Sequence[tuple[float, float, float]]], x_label: str, y_label: str, *, percent: bool = False
) -> Figure:
    """Draw named curves over a parameter, each point (x value, mean, standard deviation), spreads as bars.

    The x axis is logarithmic where the values are above 0 and the largest is at least 8 times the smallest.
    """
    figure, axis = _new_axis(width=6.4, height=3.4)
    for index, (name, points) in enumerate(series.items()):
        x, means, spreads = zip(*sorted(points), strict=True)
        axis.errorbar(
            x,
            means,
            yerr=spreads if any(spreads) else None,
            color=COLORS[index % len(COLORS)],
            label=name.replace("$", r"\$"),  # matplotlib would take it for a formula
            linewidth=1.8,
            marker="o",
            markersize=4,
            capsize=3,
        )
    values = sorted({x for points in series.values() for x, _, _ in points})
    if values[0] > 0 and values[-1] >= 8 * values[0]:
        axis.set_xscale("log")
        x_label += " (log scale)"
    if len(values) <= 8:
        axis.set_xticks(values, minor=False)
        axis.set_xticks([], minor=True)
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set(xlabel=x_label.replace("$", r"\$"), ylabel=y_label.replace("$", r"\$"))
    if percent:
        _percent(axis)
    if len(series) > 1:
        axis.legend(frameon=False, fontsize=9)
    return figure
