"""Diagnostics against loops written from the papers, closed forms, and trainings whose end is known."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.diagnostics import (
    Diagnosis,
    alignment,
    diagnose,
    effective_rank,
    judge,
    spread,
    uniformity,
)


def draw(count, dim, seed=0):
    return torch.randn(count, dim, generator=torch.Generator().manual_seed(seed))


def unit(vector):
    length = math.hypot(*vector)
    return [value / length for value in vector]


def squared_distance(p, q):
    return sum((a - b) ** 2 for a, b in zip(p, q, strict=True))


def slow_alignment(a, b):
    """Wang & Isola 2020, equation 5 with α = 2, pair by pair."""
    pairs = [squared_distance(unit(p), unit(q)) for p, q in zip(a.tolist(), b.tolist(), strict=True)]
    return sum(pairs) / len(pairs)


def slow_uniformity(z):
    """Wang & Isola 2020, equation 6 with t = 2, over unordered pairs."""
    points = [unit(row) for row in z.tolist()]
    terms = [math.exp(-2 * squared_distance(p, q)) for i, p in enumerate(points) for q in points[:i]]
    return math.log(sum(terms) / len(terms))


def slow_spread(z):
    points = np.array([unit(row) for row in z.tolist()])
    return math.sqrt(sum(np.var(points[:, column]) for column in range(points.shape[1])))


def slow_effective_rank(z):
    """Roy & Vetterli 2007, definition 1, of the centered directions."""
    points = np.array([unit(row) for row in z.tolist()])
    values = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    shares = values / values.sum()
    return math.exp(-sum(share * math.log(share) for share in shares if share > 0))


@settings(deadline=None, max_examples=25)
@given(count=st.integers(3, 12), dim=st.integers(2, 8), seed=st.integers(0, 1000))
def test_equals_the_papers_loops(count, dim, seed):
    a, b = draw(count, dim, seed), draw(count, dim, seed + 1)
    assert alignment(a, b) == pytest.approx(slow_alignment(a, b), rel=1e-4)
    assert uniformity(a) == pytest.approx(slow_uniformity(a), rel=1e-4, abs=1e-5)
    assert spread(a) == pytest.approx(slow_spread(a), rel=1e-4)
    assert effective_rank(a) == pytest.approx(slow_effective_rank(a), rel=1e-3)


def test_all_alike():
    same = torch.ones(6, 4)
    read = diagnose(same[:3], same[3:])
    assert (read.alignment, read.uniformity) == pytest.approx((0, 0), abs=1e-6)
    assert read.spread == pytest.approx(0, abs=1e-6)
    assert read.effective_rank == 0


@pytest.mark.parametrize("sides", [2, 3, 5])
def test_right_angles_in_all_directions(sides):
    """±e_1 … ±e_k: evenly spread, in k directions of one size."""
    cross = torch.cat([torch.eye(sides), -torch.eye(sides)])
    assert spread(cross) == pytest.approx(1)
    assert effective_rank(cross) == pytest.approx(sides, rel=1e-4)
    assert alignment(torch.eye(sides), -torch.eye(sides)) == pytest.approx(4)
    assert alignment(torch.eye(sides), torch.eye(sides).roll(1, 0)) == pytest.approx(2)


def test_two_opposite_points_are_a_line():
    z = torch.tensor([[1.0, 0, 0], [-1, 0, 0], [1, 0, 0], [-1, 0, 0]])
    assert effective_rank(z) == pytest.approx(1)
    assert uniformity(z) == pytest.approx(math.log((2 + 4 * math.exp(-8)) / 6))


def test_evenly_spread_points_have_the_gaussians_uniformity():
    """In many dimensions two directions are at a right angle: the distance squared is 2, so the value is about −4."""
    z = draw(500, 400)
    assert uniformity(z) == pytest.approx(-4, abs=0.1)
    assert spread(z) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("measure", [uniformity, spread, effective_rank])
def test_lengths_and_order_do_not_matter(measure):
    z = draw(9, 5)
    lengths = torch.rand(9, 1) + 0.5
    assert measure((z * lengths).flip(0)) == pytest.approx(measure(z), rel=1e-4)


def test_a_row_for_the_history():
    a = draw(8, 4)
    row = diagnose(a, a + 0.01).as_row()
    assert set(row) == set(Diagnosis.__dataclass_fields__)
    assert row["contrastive_accuracy"] == 1
    assert all(isinstance(value, float) for value in row.values())


def test_gradients_are_not_kept():
    z = draw(4, 3).requires_grad_()
    assert isinstance(diagnose(z[:2], z[2:]).spread, float)


def test_wrong_input_is_named():
    with pytest.raises(ValueError, match=r"one shape .* got \(3, 2\) and \(4, 2\)"):
        alignment(draw(3, 2), draw(4, 2))
    with pytest.raises(ValueError, match=r"N at least 2, got \(1, 3\)"):
        spread(draw(1, 3))
    with pytest.raises(ValueError, match=r"\(N, dim\)"):
        uniformity(torch.zeros(3))
    with pytest.raises(ValueError, match="at least one reading"):
        judge([])


def reading(spread=0.5, rank=20.0, found=0.1, knn=0.2):
    return {"spread": spread, "effective_rank": rank, "contrastive_accuracy": found, "knn": knn}


BEFORE = reading(spread=0.15, found=0.02)


@pytest.mark.parametrize(
    ("last", "verdict"),
    [
        (reading(spread=0.9, found=0.8, knn=0.4), "learning"),
        (reading(spread=0.03, found=0.05, knn=0.3), "collapsed"),
        (reading(spread=0.9, rank=1.1, found=0.5, knn=0.4), "collapsed"),
        (reading(spread=0.9, found=0.8, knn=0.21), "not yet"),
        (reading(spread=0.9, found=0.02, knn=0.4), "not yet"),
    ],
    ids=["all rises", "one point", "one line", "partners are found by a shortcut", "no partners"],
)
def test_the_verdict(last, verdict):
    assert judge([BEFORE, reading(), last]) == verdict


def test_nothing_has_happened_yet():
    assert judge([BEFORE]) == "not yet"
    assert judge([BEFORE, BEFORE]) == "not yet"
