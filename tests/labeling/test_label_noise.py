"""Wrong labels and votes: exact counts, even spread, and the closed form against counting and simulation."""

import math
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.labeling.noise import annotate, corrupt_labels, expected_vote_error, majority_vote


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@settings(deadline=None, max_examples=50)
@given(count=st.integers(0, 60), share=st.floats(0, 1), num_classes=st.integers(2, 7), seed=st.integers(0, 99))
def test_exactly_the_share_is_another_class(count, share, num_classes, seed):
    labels = torch.randint(num_classes, (count,), generator=seeded(seed))
    before = labels.clone()
    corrupted = corrupt_labels(labels, share, num_classes, seeded(seed))
    assert torch.equal(labels, before)
    assert int((corrupted != labels).sum()) == round(share * count)
    assert corrupted.dtype == torch.int64
    assert all(0 <= label < num_classes for label in corrupted.tolist())
    assert torch.equal(corrupted, corrupt_labels(labels, share, num_classes, seeded(seed)))


def test_wrong_classes_are_equally_likely():
    labels = torch.full((40_000,), 2)
    for noisy in (corrupt_labels(labels, 1, 5, seeded()), annotate(labels, 1, 1, 5, seeded())[0]):
        shares = torch.bincount(noisy, minlength=5) / len(labels)
        torch.testing.assert_close(shares, torch.tensor([0.25, 0.25, 0, 0.25, 0.25]), atol=0.01, rtol=0)


def test_annotators_err_at_their_rate_and_apart():
    labels = torch.arange(50_000) % 10
    votes = annotate(labels, 2, 0.2, 10, seeded())
    assert votes.shape == (2, 50_000)
    wrong = (votes != labels).double()
    torch.testing.assert_close(wrong.mean(dim=1), torch.full((2,), 0.2, dtype=torch.float64), atol=0.01, rtol=0)
    assert wrong.prod(dim=0).mean().item() == pytest.approx(0.04, abs=0.005)
    assert torch.equal(annotate(labels, 3, 0, 10, seeded()), labels.expand(3, -1))


def test_most_votes_win():
    votes = torch.tensor([[0, 2, 5], [0, 2, 1], [1, 2, 5], [3, 0, 1], [0, 0, 5]])
    assert majority_vote(votes, seeded()).tolist() == [0, 2, 5]
    assert majority_vote(votes[:1], seeded()).tolist() == [0, 2, 5]
    assert majority_vote(votes[:, :0], seeded()).tolist() == []


def test_ties_are_broken_evenly():
    votes = torch.tensor([[0], [4], [2], [4], [2], [0], [1]]).expand(-1, 30_000)
    shares = torch.bincount(majority_vote(votes, seeded()), minlength=5) / 30_000
    torch.testing.assert_close(shares, torch.tensor([1 / 3, 0, 1 / 3, 0, 1 / 3]), atol=0.015, rtol=0)


def slow_vote_error(num_annotators, error_rate, num_classes):
    """Go through all ways to vote; the true class is 0."""
    wins = 0.0
    for votes in product(range(num_classes), repeat=num_annotators):
        counts = [votes.count(label) for label in range(num_classes)]
        wrong = num_annotators - counts[0]
        probability = (1 - error_rate) ** counts[0] * (error_rate / (num_classes - 1)) ** wrong
        if counts[0] == max(counts):
            wins += probability / counts.count(counts[0])
    return 1 - wins


@pytest.mark.parametrize("num_annotators", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("num_classes", [2, 3, 4, 5])
@pytest.mark.parametrize("error_rate", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_vote_error_equals_the_slow_count(num_annotators, num_classes, error_rate):
    expected = slow_vote_error(num_annotators, error_rate, num_classes)
    assert expected_vote_error(num_annotators, error_rate, num_classes) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("num_annotators", "error_rate", "num_classes"), [(3, 0.1, 10), (5, 0.4, 10), (4, 0.3, 2)])
def test_vote_error_equals_the_simulation(num_annotators, error_rate, num_classes):
    labels = torch.arange(60_000) % num_classes
    generator = seeded()
    voted = majority_vote(annotate(labels, num_annotators, error_rate, num_classes, generator), generator)
    wrong = (voted != labels).double().mean().item()
    assert wrong == pytest.approx(expected_vote_error(num_annotators, error_rate, num_classes), abs=0.006)


def test_vote_error_in_closed_form():
    p = 0.2
    assert expected_vote_error(1, p, 10) == pytest.approx(p)
    assert expected_vote_error(2, p, 10) == pytest.approx(p)  # a second opinion alone settles nothing
    assert expected_vote_error(3, p, 2) == pytest.approx(3 * p**2 * (1 - p) + p**3)
    # three annotators, many classes: two right, or all three apart (one of them right) and luck
    apart = 3 * (1 - p) * p**2 * 8 / 9
    assert expected_vote_error(3, p, 10) == pytest.approx(1 - ((1 - p) ** 3 + 3 * (1 - p) ** 2 * p + apart / 3))
    assert expected_vote_error(9, 0.5, 2) == pytest.approx(0.5)
    assert expected_vote_error(15, 0.9, 10) == pytest.approx(0.9)  # no better than guessing stays so


@settings(deadline=None, max_examples=30)
@given(num_annotators=st.integers(1, 12), num_classes=st.integers(2, 20), share=st.floats(0.02, 0.98))
def test_more_annotators_never_hurt_while_they_beat_chance(num_annotators, num_classes, share):
    error_rate = share * (1 - 1 / num_classes)
    fewer, more = (
        expected_vote_error(count, error_rate, num_classes) for count in (num_annotators, num_annotators + 1)
    )
    assert 0 <= more <= fewer + 1e-12
    assert fewer <= error_rate + 1e-12


def test_large_votes_are_counted_fast():
    assert 0 < expected_vote_error(25, 0.3, 1000) < 1e-9


def test_wrong_input_is_named():
    labels = torch.tensor([0, 1, 2])
    for share in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match=rf"share must be in \[0, 1\], got {share}"):
            corrupt_labels(labels, share, 3, seeded())
        with pytest.raises(ValueError, match=rf"error_rate must be in \[0, 1\], got {share}"):
            annotate(labels, 3, share, 3, seeded())
        with pytest.raises(ValueError, match=rf"error_rate must be in \[0, 1\], got {share}"):
            expected_vote_error(3, share, 3)
    with pytest.raises(ValueError, match="labels must lie between 0 and 1, got 0 … 2"):
        corrupt_labels(labels, 0.1, 2, seeded())
    with pytest.raises(ValueError, match=r"labels must be int64 of shape \(N,\), got torch.float32 of \(3,\)"):
        corrupt_labels(labels.float(), 0.1, 3, seeded())
    with pytest.raises(ValueError, match="a wrong label needs at least 2 classes, got 1"):
        corrupt_labels(labels * 0, 0.1, 1, seeded())
    with pytest.raises(ValueError, match="a wrong label needs at least 2 classes, got 1"):
        expected_vote_error(3, 0.1, 1)
    for ask in (lambda: annotate(labels, 0, 0.1, 3, seeded()), lambda: expected_vote_error(0, 0.1, 3)):
        with pytest.raises(ValueError, match="at least 1 annotator, got 0"):
            ask()
    with pytest.raises(ValueError, match="at least 1 annotator, got 0"):
        majority_vote(torch.zeros(0, 3, dtype=torch.int64), seeded())
    with pytest.raises(ValueError, match=r"votes must be int64 of shape \(annotators, N\), got torch.int64 of \(3,\)"):
        majority_vote(labels, seeded())
    with pytest.raises(ValueError, match="votes must be class numbers from 0, got -1"):
        majority_vote(labels[None] - 1, seeded())
