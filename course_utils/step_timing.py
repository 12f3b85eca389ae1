"""Where the time of a training step goes."""

import statistics
import time
from collections.abc import Callable, Mapping

import torch

Part = Callable[[], object]


def median_seconds(parts: Mapping[str, Part], repeats: int = 5) -> dict[str, float]:
    """Return how long each part of a step takes, in seconds.

    The parts are run in turn, so that a busy moment hits all of them; the first round is for caches and not counted.

    Args:
        parts: name → what to run.
        repeats: rounds that are counted.

    Raises:
        ValueError: no round would be counted.
    """
    if repeats < 1:
        raise ValueError(f"repeats must be at least 1, got {repeats}")
    rounds = [{name: _seconds(part) for name, part in parts.items()} for _ in range(repeats + 1)][1:]
    return {name: statistics.median(measured[name] for measured in rounds) for name in parts}


def as_shares(seconds: Mapping[str, float]) -> dict[str, float]:
    """Return each part's share of all of them together, in [0, 1]."""
    total = sum(seconds.values())
    return {name: value / total for name, value in seconds.items()}


def _seconds(part: Part) -> float:
    _wait()
    started = time.perf_counter()
    part()
    _wait()
    return time.perf_counter() - started


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()  # a GPU is asked and not waited for
