"""Curves: over steps, over places in a network, over labels, over a swept parameter."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from course_utils.plotting.style import COLORS, GRAY, MARKERS, draw_reference_lines, new_axis, show_percent


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
    figure, axis = new_axis(width=6.4, height=3.4)
    for color, (name, (x, y)) in zip(COLORS, series.items(), strict=False):
        axis.plot(x, y, color=color, label=name, linewidth=1.8, marker="o" if len(x) < 30 else None, markersize=3.5)
    draw_reference_lines(axis, lines or {}, percent)
    axis.set(xlabel=x_label, ylabel=y_label)
    if log_y:
        axis.set_yscale("log")
        axis.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    if percent:
        show_percent(axis)
    if len(series) > 1:
        axis.legend(frameon=False, fontsize=9)
    return figure


def over_places(
    series: Mapping[str, Mapping[str, float]],
    chosen: Mapping[str, str],
    x_label: str,
    lines: Mapping[str, float],
) -> Figure:
    """Draw accuracies at named places in a row, a curve for each series.

    Args:
        series: name → place → share in [0, 1].
        chosen: name → the place that validation chose, which gets a ring and its value.
        x_label: what the places are.
        lines: name → share, drawn as horizontal lines.
    """
    figure, axis = new_axis(width=6.4, height=3.4)
    for color, (name, values) in zip(COLORS, series.items(), strict=False):
        axis.plot(range(len(values)), list(values.values()), "o-", color=color, label=name, linewidth=1.8)
        point = list(values).index(chosen[name]), values[chosen[name]]
        axis.plot(*point, "o", color=color, markerfacecolor="none", markersize=13, markeredgewidth=1.6)
        axis.annotate(
            f"{100 * point[1]:.1f} %", point, xytext=(0, -18),
            textcoords="offset points", ha="center", fontsize=8.5, color=color,
        )  # fmt: skip
    axis.plot([], [], "o", color=GRAY, markerfacecolor="none", markersize=13, label="validation's choice")
    draw_reference_lines(axis, lines, percent=True)
    places = list(next(iter(series.values())))
    axis.set_xticks(range(len(places)), places)
    axis.set(xlabel=x_label, ylabel="test accuracy")
    axis.margins(y=0.12)
    show_percent(axis)
    axis.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def smooth(values: Sequence[float], window: int = 20) -> list[float]:
    """Return the running mean over at most `window` values before and including each."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - window, 0)
    return ((total[ends] - total[starts]) / (ends - starts)).tolist()


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
    figure, axis = new_axis(width=6.6, height=3.8)
    for color, marker, (name, points) in zip(COLORS, MARKERS, measured.items(), strict=False):
        sizes, means = list(points), [float(np.mean(values)) for values in points.values()]
        spreads = [float(np.std(values, ddof=1)) if len(values) > 1 else 0.0 for values in points.values()]
        style = marker if name in laws else f"{marker}-"
        axis.errorbar(sizes, means, yerr=spreads, fmt=style, color=color, capsize=3, markersize=5, label=name)
        if name in laws:
            for low, high, style in ((min(sizes), max(sizes), "-"), (max(sizes), longest, "--")):
                x = np.geomspace(low, max(low, high), 60)
                axis.plot(x, [1 - laws[name](n) for n in x], style, color=color, linewidth=1.5)
    draw_reference_lines(axis, lines or {}, percent=True)
    axis.set_xscale("log")
    if not laws:
        axis.set_xticks(sorted({size for points in measured.values() for size in points}))
        axis.minorticks_off()
    axis.xaxis.set_major_formatter(lambda count, _: f"{count:,.0f}")
    words = "labels (log scale; dashed: extrapolated)" if laws else "labels (log scale)"
    axis.set(xlabel=x_label or words, ylabel=y_label)
    show_percent(axis)
    beside: dict[str, Any] = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)}  # many names would cover curves
    axis.legend(frameon=False, fontsize=9, **({"loc": "upper left"} if len(measured) < 4 else beside))
    return figure


def swept_curves(
    series: Mapping[str, Sequence[tuple[float, float, float]]], x_label: str, y_label: str, *, percent: bool = False
) -> Figure:
    """Draw named curves over a parameter, each point (x value, mean, standard deviation), spreads as bars.

    The x axis is logarithmic where the values are above 0 and the largest is at least 8 times the smallest.
    """
    figure, axis = new_axis(width=6.4, height=3.4)
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
        show_percent(axis)
    if len(series) > 1:
        axis.legend(frameon=False, fontsize=9)
    return figure
