"""How many labels pretraining saves, read off two curves of accuracy against labels.

With n labels, the pretrained network reaches an accuracy. How many does the other one need for it? Between measured
sizes its curve is taken to be straight over the logarithm of the number of labels; beyond them nothing is guessed.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from course_utils.labeling.bootstrap import interval, resample_means

Curve = Mapping[int, Sequence[float]]
"""Number of labels → accuracies of the seeds, fractions."""


@dataclass(frozen=True)
class Saving:
    """What `num_labels` are worth to the network that needs more of them.

    Args:
        num_labels: that the pretrained network got.
        accuracy: that it reached with them, a mean over seeds.
        equal_to: labels that the other one needs for that; infinite if it never got there.
        low, high: of the interval of `equal_to`; the end of what was measured where it is `measured`'s, or infinite.
        measured: fewest and most labels that the other one was given.
        confidence: level of the interval.
    """

    num_labels: int
    accuracy: float
    equal_to: float
    low: float
    high: float
    measured: tuple[int, int]
    confidence: float

    @property
    def factor(self) -> float:
        """How many times fewer labels; below 1 if pretraining costs labels."""
        return self.equal_to / self.num_labels

    def describe(self) -> str:
        """Return it in one line."""
        low, high = self._show(self.low), self._show(self.high)
        span = low if low == high else f"{low} to {high}"
        return (
            f"{self.num_labels:,} labels do the work of {self._show(self.equal_to)} "
            f"({self.confidence:.0%} interval: {span})"
        )

    def _show(self, count: float) -> str:
        fewest, most = self.measured
        if count == math.inf:
            return f"more than {most:,}"
        return f"at most {fewest:,}" if count <= fewest * (1 + 1e-9) else f"{count:,.0f}"


def labels_needed(curve: Curve, accuracy: float) -> float:
    """Return how many labels the curve needs for an accuracy, in mean over its seeds.

    Where a point lies below an earlier one, it is lifted to the best so far. An accuracy at or below that of the
    fewest labels gives these, one that is never reached infinity.

    Raises:
        ValueError: the curve has no points, or one has no seeds or a value out of range.
    """
    sizes, values = _checked(curve)
    means = np.array([[each.mean() for each in values]])  # (1, points)
    return float(_cross(np.log(sizes), means, np.array([accuracy]))[0])


def labels_saved(
    pretrained: Curve, other: Curve, num_labels: int, *, seed: int, confidence: float = 0.95, num_resamples: int = 2000
) -> Saving:
    """Return what `num_labels` with pretraining are worth without.

    The interval is a bootstrap over the seeds of both curves; it knows how much draws of labels and starts of networks
    differ, not that another data set or recipe would give another curve.

    Args:
        pretrained: holds `num_labels`.
        other: such as training from scratch; two sizes at least.
        num_labels: that the pretrained network got, in the unit of the curves (all together, or a class).
        seed: of the bootstrap.
        confidence: level of the interval, in (0, 1).
        num_resamples: how often both curves are drawn again.

    Raises:
        ValueError: a size that was not measured, too few of them, or a value out of range.
    """
    if num_labels not in pretrained:
        known = ", ".join(map(str, pretrained)) or "none"
        raise ValueError(f"{num_labels} labels were not measured with pretraining; measured: {known}")
    if len(other) < 2:
        raise ValueError(f"between sizes there must be at least 2 of them, got {len(other)}")
    [reached] = _checked({num_labels: pretrained[num_labels]})[1]
    sizes, values = _checked(other)
    generator = np.random.default_rng(seed)
    targets = resample_means([reached], num_resamples, generator)[:, 0]  # (num_resamples,)
    needed = _cross(np.log(sizes), resample_means(values, num_resamples, generator), targets)
    low, high = interval(needed, confidence)
    accuracy = float(reached.mean())
    measured = (int(sizes.min()), int(sizes.max()))
    return Saving(num_labels, accuracy, labels_needed(other, accuracy), low, high, measured, confidence)


def _cross(log_sizes: NDArray[np.float64], means: NDArray[np.float64], targets: NDArray[np.float64]) -> NDArray:
    """Return where rows of means (rows, points), over increasing sizes, first reach their targets (rows,)."""
    best = np.maximum.accumulate(means, axis=1)
    reached = best >= targets[:, None]  # (rows, points): False … False True … True
    after = reached.argmax(axis=1)
    before = np.maximum(after - 1, 0)
    rows = np.arange(len(means))
    height = best[rows, after] - best[rows, before]
    share = np.where(height > 0, (targets - best[rows, before]) / np.where(height > 0, height, 1), 0.0)
    log_needed = log_sizes[before] + share * (log_sizes[after] - log_sizes[before])
    return np.where(reached.any(axis=1), np.exp(log_needed), np.inf)


def _checked(curve: Curve) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
    """Return the sizes in increasing order and each one's accuracies (seeds,)."""
    if not curve:
        raise ValueError("a curve needs at least one size, got none")
    for size, accuracies in curve.items():
        if size < 1 or len(accuracies) == 0:
            raise ValueError(f"a size is at least 1 and has at least one seed, got {len(accuracies)} at {size} labels")
        for accuracy in accuracies:
            if not 0 <= accuracy <= 1:
                raise ValueError(f"accuracies must be in [0, 1], got {accuracy} at {size} labels")
    sizes = sorted(curve)
    return np.array(sizes, dtype=np.float64), [np.array(curve[size], dtype=np.float64) for size in sizes]
