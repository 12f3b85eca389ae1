"""Clusters of what was made of clusters."""

import itertools

import pytest
import torch

from course_utils.evaluation.clusters import agreement, find_clusters, most_typical

LABELS = torch.arange(60) % 3
NOISE = 0.1 * torch.randn(60, 5, generator=torch.Generator().manual_seed(0))
FEATURES = torch.eye(3, 5)[LABELS] + NOISE


def test_blobs_are_found_whatever_their_lengths():
    lengths = torch.linspace(0.5, 20, 60)[:, None]
    clusters, distances = find_clusters(FEATURES * lengths, 3, seed=0)
    assert agreement(clusters, LABELS) == pytest.approx(1.0)
    assert (distances >= 0).all()
    assert torch.equal(clusters, find_clusters(FEATURES, 3, seed=0)[0])


def slow_adjusted_rand(a, b):
    """Count all pairs (Hubert and Arabie 1985)."""
    pairs = list(itertools.combinations(range(len(a)), 2))
    same_a, same_b = ([x[i] == x[j] for i, j in pairs] for x in (a, b))
    both = sum(p and q for p, q in zip(same_a, same_b, strict=True))
    expected = sum(same_a) * sum(same_b) / len(pairs)
    return (both - expected) / ((sum(same_a) + sum(same_b)) / 2 - expected)


def test_agreement_counts_pairs():
    generator = torch.Generator().manual_seed(1)
    a, b = torch.randint(0, 3, (2, 40), generator=generator)
    b = torch.where(torch.arange(40) < 20, a, b)
    assert agreement(a, b) == pytest.approx(slow_adjusted_rand(a.tolist(), b.tolist()))
    assert agreement(2 - a, a) == pytest.approx(1.0), "names do not matter"


def test_the_typical_ones_are_near_the_center():
    clusters, distances = torch.tensor([0, 1, 1, 1, 0]), torch.tensor([2.0, 3.0, 1.0, 2.0, 1.0])
    assert [found.tolist() for found in most_typical(clusters, distances, 2)] == [[2, 3], [4, 0]]


def test_more_clusters_than_features():
    with pytest.raises(ValueError, match="num_clusters must be between 1 and the 60 features"):
        find_clusters(FEATURES, 61, seed=0)
