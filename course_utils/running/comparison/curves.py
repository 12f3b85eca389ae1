"""Curves of a comparison: what was measured, over each parameter that was swept."""

import base64
import io
import statistics
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from course_utils.running.comparison.groups import Comparison, Group

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_CURVES = 8  # in one figure: more can't be told apart
MOST_FIGURES = 12

Points = dict[str, list[tuple[float, float, float]]]
"""A curve's name → x value, mean, spread."""


def draw_curves(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """Yield caption and picture (a data: address of an SVG) for each swept number and each of the chief metrics."""
    wanted = [(name, metric) for name in comparison.differing for metric in comparison.key_metrics]
    drawn = 0
    for parameter, metric in wanted:
        points, is_mean = curve_points(comparison, parameter, metric)
        if points and drawn < MOST_FIGURES:
            drawn += 1
            yield _caption(parameter, metric, is_mean), _picture(points, parameter, metric)


def curve_points(comparison: Comparison, parameter: str, metric: str) -> tuple[Points, bool]:
    """Return the curves of a metric over a parameter, one for each set of the other parameters.

    Returns:
        Points; none where the parameter is no number or has one value only. Whether the curve is a mean over the other
        parameters, because there were too many sets of these.
    """
    groups = [group for group in comparison.groups if metric in group.metrics]
    values = [group.parameters[parameter] for group in groups]
    if len(set(map(str, values))) < 2 or not all(_is_number(value) for value in values):
        return {}, False
    points: Points = {}
    for group, value in zip(groups, values, strict=True):
        measured = group.metrics[metric]
        others = _others(group, parameter)
        points.setdefault(others, []).append((float(value), measured.mean, measured.spread or 0.0))
    points = {name: curve for name, curve in points.items() if len(curve) > 1}
    return (points, False) if len(points) <= MOST_CURVES else ({metric: _means(points)}, True)


def _others(group: Group, parameter: str) -> str:
    words = [f"{name} {value}" for name, value in group.parameters.items() if name != parameter and value is not None]
    return ", ".join(words)


def _means(points: Points) -> list[tuple[float, float, float]]:
    by_value: dict[float, list[float]] = {}
    for curve in points.values():
        for x, mean, _ in curve:
            by_value.setdefault(x, []).append(mean)
    return [(x, statistics.fmean(means), statistics.pstdev(means)) for x, means in by_value.items()]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _caption(parameter: str, metric: str, is_mean: bool) -> str:
    words = f"{metric} over {parameter}; bars: standard deviation over seeds"
    return f"{metric} over {parameter}, mean and spread over all other parameters" if is_mean else words


def _picture(points: Points, parameter: str, metric: str) -> str:
    from course_utils.plotting import swept_curves  # late: it loads torch and matplotlib

    percent = metric.split(" (")[0].endswith("accuracy")
    return _as_address(swept_curves(points, parameter, metric, percent=percent))


def _as_address(figure: "Figure") -> str:
    content = io.StringIO()
    figure.savefig(content, format="svg", facecolor="white")
    return "data:image/svg+xml;base64," + base64.b64encode(content.getvalue().encode()).decode()
