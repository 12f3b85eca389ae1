"""Bars and matrices."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from course_utils.plotting.style import BLUE, GRAY, INK, ORANGE, new_axis


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
    figure, axis = new_axis(width=6.8, height=0.8 + 0.42 * len(values))
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
    figure, axis = new_axis(width=6.8, height=0.8 + 0.42 * len(values))
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


def confusion(counts: Tensor, class_names: Sequence[str]) -> Figure:
    """Draw a confusion matrix as percent of each true class (row); counts (classes, classes)."""
    shares = counts.numpy() / np.maximum(counts.numpy().sum(axis=1, keepdims=True), 1)
    side = 1.6 + 0.42 * len(class_names)
    figure, axis = new_axis(width=side, height=side * 0.92)
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
