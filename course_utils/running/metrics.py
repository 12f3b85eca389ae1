"""Metrics: their names, their values and how they are shown."""

import math
import re
from collections.abc import Mapping
from html import escape
from typing import Any

METRIC_NAME = re.compile(r"(image|text|video)(/[a-z0-9_]+){2,5}")
SPREAD = "_sd"

Metrics = Mapping[str, float | int]


def check_metric_name(name: str) -> str:
    """Return `name` if it is image|text|video / method / how / what.

    Raises:
        ValueError: it isn't.
    """
    if not METRIC_NAME.fullmatch(name):
        raise ValueError(f"a metric's name is like image/simclr/knn/test_accuracy, lower case, got {name!r}")
    return name


def finite_number(value: Any, name: str) -> float | int:
    """Return a number of Python, numpy or torch as Python's.

    Raises:
        ValueError: it is something else, infinite or not a number; `name` says of what.
    """
    number = plain(value, name)
    if isinstance(number, bool | str):
        raise ValueError(f"{name} must be a finite number, got {value!r}")
    return number


def plain(value: Any, name: str) -> float | int | bool | str:
    """Return a finite number, truth or text as JSON can hold it.

    Raises:
        ValueError: it is something else; `name` says of what.
    """
    try:
        item = value.item() if hasattr(value, "item") else value  # a scalar of numpy or torch
    except (ValueError, RuntimeError):
        item = None  # it holds several
    if not isinstance(item, bool | str | int | float) or (isinstance(item, float) and not math.isfinite(item)):
        raise ValueError(f"{name} must be a finite number, text or truth, got {value!r}")
    return item


def rows(metrics: Metrics) -> list[tuple[str, str]]:
    """Return names and values as they are shown; a mean's spread stands beside it, not in a row of its own."""
    return [
        (name, show_number(value) + _shown_spread(name, metrics))
        for name, value in metrics.items()
        if not (name.endswith(SPREAD) and name.removesuffix(SPREAD) in metrics)
    ]


def key_metrics(metrics: Metrics, most: int = 6) -> Metrics:
    """Return the few that a table has room for: accuracies if there are any, else the first ones."""
    accuracies = [name for name in metrics if name.removesuffix(SPREAD).endswith("accuracy")]
    names = [name for name in accuracies or metrics if not name.endswith(SPREAD)][:most]
    return {name: metrics[name] for name in metrics if name.removesuffix(SPREAD) in names}


def show_evidence(evidence: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return names and values of a claim's evidence as they are shown."""
    return [
        (name, show_number(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value))
        for name, value in evidence.items()
    ]


def show_time(seconds: float) -> str:
    """Return a time as m:ss, or as h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _shown_spread(name: str, metrics: Metrics) -> str:
    spread = metrics.get(name + SPREAD)
    return "" if spread is None else show_spread(metrics[name], spread)


def show_spread(mean: float, spread: float) -> str:
    """Return " ± " and the spread with as many decimals as its mean."""
    return f" ± {spread:.3f}" if 0.001 <= abs(mean) < 1000 else f" ± {show_number(spread)}"


def show_number(value: float) -> str:
    """Return a number with as many digits as there is room for."""
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) >= 0.001 or value == 0 else f"{value:.1e}"


class MetricsTable:
    """Metrics, readable in a notebook and in a terminal."""

    def __init__(self, metrics: Metrics) -> None:
        self.rows = rows(metrics)

    def _repr_html_(self) -> str:
        body = "".join(f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in self.rows)
        return f"<table><tr><th>metric</th><th>value</th></tr>{body}</table>"

    def __repr__(self) -> str:
        """Return the metrics as text, for a terminal."""
        width = max((len(name) for name, _ in self.rows), default=0)
        return "\n".join(f"{name:<{width}}  {value}" for name, value in self.rows) or "nothing measured yet"
