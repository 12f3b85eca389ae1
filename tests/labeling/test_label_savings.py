"""Labels saved: read off curves whose answer is known."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.labeling.savings import labels_needed, labels_saved

SCRATCH = {10: [0.30], 100: [0.50], 1000: [0.70]}  # 20 points for ten times the labels


def test_between_sizes_the_curve_is_straight_over_the_logarithm():
    assert labels_needed(SCRATCH, 0.50) == pytest.approx(100)
    assert labels_needed(SCRATCH, 0.40) == pytest.approx(10**1.5)
    assert labels_needed(SCRATCH, 0.65) == pytest.approx(10**2.75)


def test_beyond_the_measured_sizes_nothing_is_guessed():
    assert labels_needed(SCRATCH, 0.10) == pytest.approx(10)
    assert labels_needed(SCRATCH, 0.71) == math.inf


def test_order_of_sizes_and_a_dip_do_not_matter():
    assert labels_needed({1000: [0.7], 10: [0.3], 100: [0.5]}, 0.4) == pytest.approx(10**1.5)
    dipped = {10: [0.3], 30: [0.2], 100: [0.5]}
    assert labels_needed(dipped, 0.3) == pytest.approx(10)
    assert 30 < labels_needed(dipped, 0.31) < 100


def slow_needed(curve, accuracy):
    """Walk along the curve in tiny steps of the logarithm."""
    sizes = sorted(curve)
    best = list(itertools.accumulate((curve[size][0] for size in sizes), max))
    for (low, left), (high, right) in itertools.pairwise(zip(sizes, best, strict=True)):
        for step in range(2001):
            share = step / 2000
            if left + share * (right - left) >= accuracy:
                return low * (high / low) ** share
    return math.inf


@given(st.lists(st.floats(0, 1), min_size=2, max_size=5), st.floats(0, 1))
def test_as_walking_along_the_curve(accuracies, target):
    curve = {2**number: [accuracy] for number, accuracy in enumerate(accuracies)}
    expected = slow_needed(curve, target)
    found = labels_needed(curve, target)
    assert found == expected if math.isinf(expected) else found == pytest.approx(expected, rel=2e-3)


def test_a_saving_has_the_factor_and_an_interval_around_it():
    scratch = {n: [a[0] - 0.01, a[0], a[0] + 0.01] for n, a in SCRATCH.items()}
    saving = labels_saved({10: [0.39, 0.40, 0.41]}, scratch, 10, seed=0)
    assert saving.accuracy == pytest.approx(0.4)
    assert saving.equal_to == pytest.approx(10**1.5)
    assert saving.factor == pytest.approx(10**0.5)
    assert 10 < saving.low < saving.equal_to < saving.high < 100
    assert saving.describe() == f"10 labels do the work of 32 (95% interval: {saving.low:.0f} to {saving.high:.0f})"
    assert saving == labels_saved({10: [0.39, 0.40, 0.41]}, scratch, 10, seed=0)


def test_the_interval_covers_as_often_as_it_says():
    """Both curves' seeds vary; the truth is 10^1.5 labels."""
    generator = np.random.default_rng(0)
    hits = 0
    for trial in range(200):
        scratch = {n: (a[0] + 0.02 * generator.normal(size=5)).tolist() for n, a in SCRATCH.items()}
        pretrained = {10: (0.4 + 0.02 * generator.normal(size=5)).tolist()}
        saving = labels_saved(pretrained, scratch, 10, seed=trial, num_resamples=300)
        hits += saving.low <= 10**1.5 <= saving.high
    assert 0.85 <= hits / 200 <= 0.99


@pytest.mark.parametrize(
    ("accuracy", "words"),
    [
        (0.9, "10 labels do the work of more than 1,000 (95% interval: more than 1,000)"),
        (0.2, "10 labels do the work of at most 10 (95% interval: at most 10)"),
    ],
)
def test_ends_are_named_as_ends(accuracy, words):
    assert labels_saved({10: [accuracy] * 2}, SCRATCH, 10, seed=0).describe() == words


@pytest.mark.parametrize(
    ("pretrained", "other", "message"),
    [
        ({5: [0.4]}, SCRATCH, "10 labels were not measured with pretraining; measured: 5"),
        ({10: [0.4]}, {10: [0.3]}, "at least 2 of them, got 1"),
        ({10: []}, SCRATCH, "at least one seed, got 0 at 10 labels"),
        ({10: [40.0]}, SCRATCH, r"accuracies must be in \[0, 1\], got 40.0"),
    ],
)
def test_what_makes_no_sense(pretrained, other, message):
    with pytest.raises(ValueError, match=message):
        labels_saved(pretrained, other, 10, seed=0)


def test_an_empty_curve():
    with pytest.raises(ValueError, match="at least one size"):
        labels_needed({}, 0.5)
