"""How far a result would have moved with other seeds: means drawn again and again from those that were measured."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def resample_means(
    points: Sequence[NDArray[np.float64]], num_resamples: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Return each point's mean over its seeds, drawn again with replacement, every point on its own.

    With few seeds a plain bootstrap is too narrow by √((S − 1)/S), so deviations from the mean are widened by that. A
    point of one seed has no spread to draw from and stays where it is.

    Shape: points of (seeds,) each → (num_resamples, points).
    """
    columns = []
    for values in points:
        count, mean = len(values), values.mean()
        drawn = values[generator.integers(count, size=(num_resamples, count))].mean(axis=1)
        columns.append(mean + (drawn - mean) * math.sqrt(count / max(count - 1, 1)))
    return np.stack(columns, axis=1)


def interval(values: NDArray[np.float64], confidence: float) -> tuple[float, float]:
    """Return the range that leaves out equally many resamples at both ends; an end may be infinite.

    Raises:
        ValueError: the confidence is not in (0, 1).
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be in (0, 1), got {confidence}")
    tail = (1 - confidence) / 2
    # no interpolation: a mean of a number and infinity would be no number
    low, high = np.quantile(values, [tail, 1 - tail], method="closest_observation")
    return float(low), float(high)
