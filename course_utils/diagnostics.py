"""Is it learning? What projections z tell about a contrastive training while it runs, and a verdict in words."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from course_utils.pretext.contrastive import contrastive_accuracy

Verdict = Literal["learning", "collapsed", "not yet"]

SHARPNESS = 2.0  # t of the uniformity (Wang & Isola 2020)
COLLAPSED_SPREAD = 0.1  # of z; on the whole sphere it is 1
LEAST_RANK = 1.5  # a line has 1
LEAST_GAIN = 0.02  # of what neighbors classify right, over the untrained encoder


@dataclass(frozen=True)
class Diagnosis:
    """What two views' projections look like; see the functions of the same names."""

    alignment: float
    uniformity: float
    spread: float
    effective_rank: float
    contrastive_accuracy: float

    def as_row(self) -> dict[str, float]:
        """Return the numbers by their names, as `fit`'s callback wants them."""
        return asdict(self)


def diagnose(projections_a: Tensor, projections_b: Tensor) -> Diagnosis:
    """Return all readings of two views' projections.

    Shape: (batch, dim) twice; row i of both comes from image i. At least two images.

    Raises:
        ValueError: shapes that differ or are not (batch, dim), or fewer than two images.
    """
    together = torch.cat([projections_a, projections_b])
    return Diagnosis(
        alignment=alignment(projections_a, projections_b),
        uniformity=uniformity(together),
        spread=spread(together),
        effective_rank=effective_rank(together),
        contrastive_accuracy=contrastive_accuracy(projections_a, projections_b).item(),
    )


def alignment(projections_a: Tensor, projections_b: Tensor) -> float:
    """Return the mean squared distance of partners on the unit sphere: 0 if they are equal, 2 if unrelated.

    Wang & Isola 2020, equation 5 with α = 2.

    Raises:
        ValueError: shapes that differ.
    """
    if projections_a.shape != projections_b.shape:
        shapes = f"{tuple(projections_a.shape)} and {tuple(projections_b.shape)}"
        raise ValueError(f"partners need projections of one shape (batch, dim), got {shapes}")
    return (_on_sphere(projections_a) - _on_sphere(projections_b)).square().sum(dim=1).mean().item()


def uniformity(projections: Tensor) -> float:
    """Return ln mean exp(−2 ‖z − z'‖²) over all pairs: 0 if all are equal, about −4 if spread over the sphere.

    Wang & Isola 2020, equation 6 with t = 2.

    Shape: (N, dim), N at least 2.
    """
    squared = torch.pdist(_on_sphere(projections)).square()  # (N (N − 1) / 2,)
    return (squared.mul(-SHARPNESS).logsumexp(dim=0) - torch.tensor(float(len(squared))).log()).item()


def spread(projections: Tensor) -> float:
    """Return the standard deviation of z's coordinates on the unit sphere, times √dim.

    1 if the directions are spread evenly, 0 if all are equal (Chen & He 2021, figure 2, where it is not scaled).

    Shape: (N, dim), N at least 2.
    """
    directions = _on_sphere(projections)
    return (directions.var(dim=0, unbiased=False).sum()).sqrt().item()


def effective_rank(projections: Tensor) -> float:
    """Return how many directions z varies in: the exponential of the entropy of its singular values' shares.

    k directions of equal size give k, one line 1, a single point 0 (Roy & Vetterli 2007; of centered directions).

    Shape: (N, dim), N at least 2.
    """
    directions = _on_sphere(projections).double()
    values = torch.linalg.svdvals(directions - directions.mean(dim=0))
    if values[0] < 1e-5 * len(directions) ** 0.5:
        return 0.0  # what is left are roundings
    shares = values / values.sum()
    return torch.special.entr(shares).sum().exp().item()


def judge(readings: Sequence[Mapping[str, float]], neighbors: str = "knn") -> Verdict:
    """Return in words what readings over time say, the first one from before training.

    "collapsed": the projections all point the same way, or along one line. "learning": partners are found more often
    than before training, and the features' neighbors classify better than the untrained encoder's. Else "not yet".

    Args:
        readings: rows with what `Diagnosis` holds and the share of validation images that neighbors classify right.
        neighbors: the name of that share.

    Raises:
        ValueError: there are no readings.
    """
    if not readings:
        raise ValueError("a verdict needs at least one reading, got none")
    first, last = readings[0], readings[-1]
    if len(readings) == 1:
        return "not yet"
    if last["spread"] < COLLAPSED_SPREAD or last["effective_rank"] < LEAST_RANK:
        return "collapsed"
    finds_more = last["contrastive_accuracy"] > first["contrastive_accuracy"]
    return "learning" if finds_more and last[neighbors] > first[neighbors] + LEAST_GAIN else "not yet"


def _on_sphere(projections: Tensor) -> Tensor:
    if projections.ndim != 2 or len(projections) < 2:
        raise ValueError(f"projections must be of the shape (N, dim), N at least 2, got {tuple(projections.shape)}")
    return F.normalize(projections.detach().float(), dim=1)
