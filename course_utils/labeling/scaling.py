"""Error against labels: the power law error = scale · n^(−exponent) + floor, with its uncertainty.

Hestness et al. 2017 found such laws for images, text and speech, between a small-data region, where a model does little
better than guessing, and a floor of error that no amount of data removes. The law holds where it was measured;
elsewhere it is a guess, which `PowerLaw.is_measured` lets the caller say.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from course_utils.labeling.bootstrap import interval, resample_means

HESTNESS_EXPONENTS = (0.07, 0.35)  # of error against data; Hestness et al. 2017, quoted
MAX_LABELS = 1e18  # nobody counts further: a law that asks for more says "never"
MAX_EXPONENT = 5.0  # of a law with a floor; a steeper fall is a floor that was reached at once
FLOOR_ROUNDS, FLOORS_PER_ROUND = 4, 41  # of the search, each round 20 times as fine: 1e-5 of the lowest error


@dataclass(frozen=True)
class PowerLaw:
    """A fitted curve error(n) = scale · n^(−exponent) + floor.

    Args:
        scale: error at one label, less the floor; above 0.
        exponent: how fast the error falls; ten times the labels divide what is above the floor by 10^exponent.
        floor: error that more labels never remove, in [0, 1).
        exponent_interval: lower and upper end at `confidence`.
        measured_range: fewest and most labels that the curve was fitted to.
        confidence: level of all intervals, in (0, 1).
        resamples: the same fit to every bootstrap resample, rows (log scale, exponent, floor).

    Raises:
        ValueError: a scale or floor out of range, or an exponent that is no number.
    """

    scale: float
    exponent: float
    floor: float
    exponent_interval: tuple[float, float]
    measured_range: tuple[float, float]
    confidence: float
    resamples: NDArray[np.float64] = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        if not (0 < self.scale < math.inf):
            raise ValueError(f"a power law's scale must be above 0 and finite, got {self.scale}")
        if not math.isfinite(self.exponent):
            raise ValueError(f"a power law's exponent must be a finite number, got {self.exponent}")
        if not 0 <= self.floor < 1:
            raise ValueError(f"a power law's floor must be in [0, 1), got {self.floor}")

    def error_at(self, num_labels: float) -> float:
        """Return the error, a fraction, with so many labels; above 1 where the law plainly doesn't hold.

        Raises:
            ValueError: num_labels is not a number above 0.
        """
        _check_num_labels(num_labels)
        return self.floor + self.scale * num_labels**-self.exponent

    def error_interval_at(self, num_labels: float) -> tuple[float, float]:
        """Return the error's interval with so many labels; it widens away from the measured range.

        Raises:
            ValueError: num_labels is not a number above 0.
        """
        _check_num_labels(num_labels)
        log_scale, exponent, floor = self.resamples.T
        return interval(floor + np.exp(log_scale - exponent * math.log(num_labels)), self.confidence)

    def labels_for(self, error: float) -> float:
        """Return how many labels the curve needs for this error: `error_at`'s inverse, not rounded.

        Raises:
            ValueError: an error at or below the floor, above 1 or not a number; a curve that does not fall; an error
                that takes more than 10^18 labels.
        """
        if not 0 < error <= 1:
            raise ValueError(f"an error must be in (0, 1], got {error}")
        if self.exponent <= 0:
            raise ValueError(
                f"this curve does not fall with more labels (exponent {self.exponent:.3g}): measure at more sizes or "
                "with more seeds"
            )
        if error <= self.floor:
            raise ValueError(
                f"an error of {error:.4g} is not reachable: the curve's floor is {self.floor:.4g}; ask for one above it"
            )
        log_labels = (math.log(self.scale) - math.log(error - self.floor)) / self.exponent
        if log_labels > math.log(MAX_LABELS):
            raise ValueError(
                f"an error of {error:.4g} takes more than 10^18 labels by this curve; ask for a larger one"
            )
        return math.exp(log_labels)

    def labels_interval_for(self, error: float) -> tuple[float, float]:
        """Return the interval of labels needed for this error; an end is infinite where a resample never gets there.

        Raises:
            ValueError: as `labels_for`.
        """
        self.labels_for(error)
        log_scale, exponent, floor = self.resamples.T
        with np.errstate(all="ignore"):
            log_labels = (log_scale - np.log(error - floor)) / exponent
        reached = (error > floor) & (exponent > 0) & (log_labels <= math.log(MAX_LABELS))
        return interval(np.where(reached, np.exp(np.where(reached, log_labels, 0)), np.inf), self.confidence)

    def is_measured(self, num_labels: float) -> bool:
        """Say whether so many labels lie in the measured range; elsewhere the curve is extrapolated."""
        low, high = self.measured_range
        return low <= num_labels <= high

    def describe(self) -> str:
        """Return the law in one line, with its interval and range."""
        (low, high), (fewest, most) = self.exponent_interval, self.measured_range
        floor = f" + {self.floor:.3g}" if self.floor else ""
        return (
            f"error = {self.scale:.3g} · n^(−{self.exponent:.3f}){floor}, exponent's {self.confidence:.0%} interval "
            f"{low:.3f} to {high:.3f}, measured from {fewest:,.0f} to {most:,.0f} labels"
        )


def fit_power_law(
    num_labels: Sequence[int],
    errors: Sequence[Sequence[float]],
    *,
    seed: int,
    with_floor: bool = False,
    confidence: float = 0.95,
    num_resamples: int = 1000,
) -> PowerLaw:
    """Fit a power law to measured errors, by least squares in the logarithm of the error.

    A point is the geometric mean over its seeds, and all points count alike. The interval is a bootstrap over seeds,
    each point on its own: it knows how much the seeds differ, not whether a power law is the right curve. With few
    seeds a plain bootstrap is too narrow by √((S − 1)/S), so each point's deviations are widened by that.

    Args:
        num_labels: sizes, in any order, each once; 3 at least, 4 with a floor.
        errors: for each size the errors of its seeds, fractions in (0, 1]; 2 seeds at least, not all as many.
        seed: of the bootstrap.
        with_floor: also fit the error that more labels never remove.
        confidence: level of the intervals, in (0, 1).
        num_resamples: how many bootstrap fits.

    Raises:
        ValueError: too few points or seeds, sizes that repeat, or a value out of range.
    """
    sizes, logs = _checked_points(num_labels, errors, 4 if with_floor else 3)
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be in (0, 1), got {confidence}")
    if num_resamples < 1:
        raise ValueError(f"num_resamples must be at least 1, got {num_resamples}")
    log_sizes = np.log(sizes)
    means = np.array([[values.mean() for values in logs]])  # (1, points)
    resampled = resample_means(logs, num_resamples, np.random.default_rng(seed))  # (num_resamples, points)
    fits = _fit(log_sizes, np.concatenate([means, resampled]), with_floor)  # (1 + num_resamples, 3)
    log_scale, exponent, floor = (float(value) for value in fits[0])
    return PowerLaw(
        scale=math.exp(log_scale),
        exponent=exponent,
        floor=floor,
        exponent_interval=interval(fits[1:, 1], confidence),
        measured_range=(float(sizes.min()), float(sizes.max())),
        confidence=confidence,
        resamples=fits[1:],
    )


def _fit(log_sizes: NDArray[np.float64], log_errors: NDArray[np.float64], with_floor: bool) -> NDArray[np.float64]:
    """Fit (log scale, exponent, floor) to each row: (rows, points) → (rows, 3)."""
    if with_floor:
        return _fit_with_floors(log_sizes, log_errors)
    lines = _fit_weighted_lines(log_sizes, log_errors, np.ones_like(log_errors))
    return np.pad(lines, ((0, 0), (0, 1)))  # the floors are 0


def _fit_with_floors(log_sizes: NDArray[np.float64], log_errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fit (log scale, exponent, floor) to each row: (rows, points) → (rows, 3).

    Once the floor is known the rest is a line again, so floors are searched, ever finer, between 0 and the row's
    lowest error. What is left above the floor varies more than the error does, hence the weights.
    """
    lowest = np.exp(log_errors.min(axis=1))[:, None]  # (rows, 1)
    shares, width = np.full_like(lowest, 0.5), 0.5  # the floor as a share of the lowest error
    rows = np.arange(len(log_errors))
    for _ in range(FLOOR_ROUNDS):
        grid = np.clip(shares + np.linspace(-width, width, FLOORS_PER_ROUND), 0, 1 - 1e-6)  # (rows, floors)
        floors = (grid * lowest)[..., None]  # (rows, floors, 1)
        above = 1 - floors / np.exp(log_errors)[:, None]  # (rows, floors, points): share of the error above the floor
        lines = _fit_weighted_lines(log_sizes, log_errors[:, None] + np.log(above), above**2)
        predicted = np.log(floors + np.exp(lines[..., :1] - lines[..., 1:] * log_sizes))
        losses = ((predicted - log_errors[:, None]) ** 2).sum(axis=2)
        losses[(lines[..., 1] > MAX_EXPONENT) | ((lines[..., 1] <= 0) & (grid > 0))] = np.inf
        best = losses.argmin(axis=1)
        shares, width = grid[rows, best][:, None], 2 * width / (FLOORS_PER_ROUND - 1)
    return np.concatenate([lines[rows, best], floors[rows, best]], axis=1)


def _fit_weighted_lines(
    log_sizes: NDArray[np.float64], log_errors: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Fit log error = log scale − exponent · log n along the last axis: (…, points) → (…, 2)."""
    weights = weights / weights.sum(axis=-1, keepdims=True)
    mean_size, mean_error = (weights * log_sizes).sum(axis=-1), (weights * log_errors).sum(axis=-1)
    centered = log_sizes - mean_size[..., None]
    exponents = -(weights * centered * log_errors).sum(axis=-1) / (weights * centered**2).sum(axis=-1)
    return np.stack([mean_error + exponents * mean_size, exponents], axis=-1)


def _checked_points(
    num_labels: Sequence[int], errors: Sequence[Sequence[float]], least: int
) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
    """Return the sizes (points,) and each one's log errors (seeds,)."""
    if len(num_labels) != len(errors):
        raise ValueError(f"each size needs its own list of errors, got {len(num_labels)} sizes and {len(errors)} lists")
    if len(num_labels) < least:
        raise ValueError(f"this power law needs at least {least} sizes, got {len(num_labels)}")
    for size, values in zip(num_labels, errors, strict=True):
        _check_num_labels(size)
        if len(values) < 2:
            raise ValueError(f"the interval needs at least 2 seeds at each size, got {len(values)} at {size} labels")
        for value in values:
            if not 0 < value <= 1:
                raise ValueError(f"errors must be in (0, 1], got {value} at {size} labels")
    if len(set(num_labels)) < len(num_labels):
        raise ValueError(f"each size must be given once, with all its seeds, got {list(num_labels)}")
    return np.asarray(num_labels, dtype=np.float64), [np.log(np.asarray(v, dtype=np.float64)) for v in errors]


def _check_num_labels(num_labels: float) -> None:
    if not 0 < num_labels < math.inf:
        raise ValueError(f"a number of labels must be above 0 and finite, got {num_labels}")
