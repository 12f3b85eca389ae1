"""Maps keep neighbors together."""

import pytest
import torch

from course_utils.evaluation.feature_maps import map_features


def test_groups_that_lie_apart_stay_apart():
    generator = torch.Generator().manual_seed(0)
    centers = torch.eye(3, 8).repeat_interleave(15, dim=0)
    points = map_features(centers + 0.05 * torch.randn(45, 8, generator=generator), seed=0)
    assert points.shape == (45, 2)
    nearest = torch.cdist(points, points).fill_diagonal_(torch.inf).argmin(dim=1)
    assert torch.equal(nearest // 15, torch.arange(45) // 15)


def test_the_same_seed_gives_the_same_map():
    features = torch.randn(20, 5, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(map_features(features, seed=3), map_features(features, seed=3))


def test_too_few_features():
    with pytest.raises(ValueError, match="at least 4 features, got 3"):
        map_features(torch.ones(3, 2), seed=0)
