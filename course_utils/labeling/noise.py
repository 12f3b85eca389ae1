"""Wrong labels, and what several annotators' votes buy back.

The model of an annotator is the simplest one: wrong with a fixed probability, whatever the image and whatever the
others say, and then any of the other classes is as likely. Real annotators err together on hard images, so that
real votes buy less.
"""

from fractions import Fraction
from math import comb

import torch
from torch import Tensor


def corrupt_labels(labels: Tensor, share: float, num_classes: int, generator: torch.Generator) -> Tensor:
    """Return a copy in which exactly round(share · N) labels are another class, all equally likely.

    Shape: labels (N,) int64 → (N,) int64.

    Raises:
        ValueError: share outside [0, 1], fewer than 2 classes, or labels out of range.
    """
    _check_labels(labels, num_classes)
    if not 0 <= share <= 1:
        raise ValueError(f"share must be in [0, 1], got {share}")
    chosen = torch.randperm(len(labels), generator=generator)[: round(share * len(labels))]
    corrupted = labels.clone()
    corrupted[chosen] = _another_class(labels[chosen], num_classes, generator)
    return corrupted


def annotate(
    labels: Tensor, num_annotators: int, error_rate: float, num_classes: int, generator: torch.Generator
) -> Tensor:
    """Return what independent annotators say, each wrong with probability error_rate.

    Shape: labels (N,) int64 → votes (num_annotators, N) int64.

    Raises:
        ValueError: no annotators, an error rate outside [0, 1], fewer than 2 classes, or labels out of range.
    """
    _check_labels(labels, num_classes)
    _check_annotators(num_annotators, error_rate, num_classes)
    truth = labels.expand(num_annotators, -1)  # (num_annotators, N)
    wrong = torch.rand(truth.shape, generator=generator) < error_rate
    return torch.where(wrong.to(labels.device), _another_class(truth, num_classes, generator), truth)


def majority_vote(votes: Tensor, generator: torch.Generator) -> Tensor:
    """Return each image's most frequent vote; ties are broken at random.

    Shape: votes (num_annotators, N) int64 → (N,) int64.

    Raises:
        ValueError: votes of another shape or type, from nobody, or below 0.
    """
    if votes.ndim != 2 or votes.dtype != torch.int64:
        raise ValueError(f"votes must be int64 of shape (annotators, N), got {votes.dtype} of {tuple(votes.shape)}")
    if len(votes) == 0:
        raise ValueError("a vote needs at least 1 annotator, got 0")
    if votes.numel() == 0:
        return votes.new_empty(0)
    if int(votes.min()) < 0:
        raise ValueError(f"votes must be class numbers from 0, got {int(votes.min())}")
    counts = torch.zeros(votes.shape[1], int(votes.max()) + 1, dtype=torch.float64)  # (N, classes)
    counts.scatter_add_(1, votes.T.cpu(), torch.ones(votes.shape[1], len(votes), dtype=torch.float64))
    lots = torch.rand(counts.shape, generator=generator, dtype=torch.float64)  # below 1: they only settle ties
    return (counts + lots).argmax(dim=1).to(votes.device)


def expected_vote_error(num_annotators: int, error_rate: float, num_classes: int) -> float:
    """Return the exact probability that `majority_vote` of `annotate`'s votes is wrong.

    Sums over k, the votes for the true class, and t, the other classes that also get k: then it wins with 1 / (1 + t).
    In how many ways the rest fall on classes with fewer than k each is counted by multiplying polynomials.

    Raises:
        ValueError: no annotators, an error rate outside [0, 1], or fewer than 2 classes.
    """
    _check_annotators(num_annotators, error_rate, num_classes)
    right, other = 1 - Fraction(error_rate), Fraction(error_rate) / (num_classes - 1)
    wins = Fraction(0)
    for k in range(1, num_annotators + 1):
        rest = num_annotators - k
        ways = sum(
            (Fraction(_count_ways(rest, k, tied, num_classes - 1), 1 + tied) for tied in range(rest // k + 1)),
            Fraction(0),
        )
        wins += comb(num_annotators, k) * right**k * other**rest * ways
    return float(1 - wins)


def _count_ways(num_votes: int, k: int, tied: int, num_classes: int) -> int:
    """Count sequences of votes that give exactly `tied` classes k votes and every other class fewer."""
    if tied > num_classes:
        return 0
    left, ways = num_votes, comb(num_classes, tied)
    for _ in range(tied):
        ways *= comb(left, k)
        left -= k
    # sequences of n votes on the classes so far, n = 0 … left, by squaring: a thousand classes take ten steps
    fewer = [1 if count < k else 0 for count in range(left + 1)]
    result, base, power = [1] + [0] * left, fewer, num_classes - tied
    while power:
        if power & 1:
            result = _multiply(result, base)
        base, power = _multiply(base, base), power >> 1
    return ways * result[left]


def _multiply(first: list[int], second: list[int]) -> list[int]:
    """Multiply exponential generating functions up to the same degree: two groups of classes become one."""
    return [sum(comb(n, i) * first[i] * second[n - i] for i in range(n + 1)) for n in range(len(first))]


def _another_class(labels: Tensor, num_classes: int, generator: torch.Generator) -> Tensor:
    steps = torch.randint(1, num_classes, labels.shape, generator=generator).to(labels.device)
    return (labels + steps) % num_classes


def _check_annotators(num_annotators: int, error_rate: float, num_classes: int) -> None:
    if num_annotators < 1:
        raise ValueError(f"a vote needs at least 1 annotator, got {num_annotators}")
    if not 0 <= error_rate <= 1:
        raise ValueError(f"error_rate must be in [0, 1], got {error_rate}")
    if num_classes < 2:
        raise ValueError(f"a wrong label needs at least 2 classes, got {num_classes}")


def _check_labels(labels: Tensor, num_classes: int) -> None:
    if num_classes < 2:
        raise ValueError(f"a wrong label needs at least 2 classes, got {num_classes}")
    if labels.ndim != 1 or labels.dtype != torch.int64:
        raise ValueError(f"labels must be int64 of shape (N,), got {labels.dtype} of {tuple(labels.shape)}")
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < num_classes:
        raise ValueError(f"labels must lie between 0 and {num_classes - 1}, got {labels.min()} … {labels.max()}")
