"""The detector's head: shapes, where places are, and boxes that undo their distances."""

import pytest
import torch

from course_utils.models.detector import (
    DetectionHead,
    Detector,
    MapReader,
    boxes_from_distances,
    join_maps,
    map_channels,
    place_centers,
)
from course_utils.models.vision import build_encoder


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return build_encoder("compact", [0.5] * 3, [0.25] * 3).eval()


def test_maps_of_all_blocks_stand_side_by_side(encoder):
    images = torch.rand(2, 3, 32, 64)
    maps = MapReader(encoder)(images)
    assert maps.shape == (2, 32 + 64 + 128, 8, 16)
    first, second, third = encoder.forward_blocks(images)[1:]
    torch.testing.assert_close(maps[:, 0, 0, 0], first[:, 0, :2, :2].mean(dim=(1, 2)))
    torch.testing.assert_close(maps[:, 32:96], second)
    torch.testing.assert_close(maps[:, 96:, 0, 0], third[:, :, 0, 0])  # a corner is stretched from itself
    assert map_channels(encoder) == 224


def test_maps_of_one_value_stay_so():
    joined = join_maps([torch.full((1, 1, 8, 8), 2.0), torch.full((1, 1, 2, 2), 3.0)], 4, 4)
    assert joined[0, 0].unique().tolist() == [2.0]
    assert joined[0, 1].unique().tolist() == [3.0]


def test_a_new_head_says_nothing_is_there_and_boxes_of_typical_size():
    torch.manual_seed(0)
    logits, distances, centerness = DetectionHead(16, 5, width=8, typical_side=20)(torch.randn(3, 16, 4, 6))
    assert logits.shape == (3, 24, 5)
    assert distances.shape == (3, 24, 4)
    assert centerness.shape == (3, 24)
    assert logits.sigmoid().mean().item() == pytest.approx(0.01, rel=0.2)
    assert distances.mean().item() == pytest.approx(10, rel=0.1)


def test_places_are_read_row_by_row():
    """A head whose output copies its input must give each place its own value."""
    head = DetectionHead(8, 1, width=8).eval()
    head.reduce = head.what = torch.nn.Identity()
    torch.nn.init.ones_(head.classes.weight)
    torch.nn.init.zeros_(head.classes.bias)
    maps = torch.arange(6.0).view(1, 1, 2, 3).expand(1, 8, 2, 3) / 8
    assert head(maps)[0].flatten().round(decimals=3).tolist() == [0, 1, 2, 3, 4, 5]
    assert place_centers(2, 3, stride=4).tolist() == [[2, 2], [6, 2], [10, 2], [2, 6], [6, 6], [10, 6]]


def test_boxes_lie_around_their_points():
    points = torch.tensor([[10.0, 20.0]])
    assert boxes_from_distances(points, torch.tensor([[[1.0, 2.0, 3.0, 4.0]]])).tolist() == [[[9, 18, 13, 24]]]


def test_a_detector_takes_maps_or_images(encoder):
    head = DetectionHead(224, 4, width=8)
    images = torch.rand(2, 3, 16, 16)
    from_images = Detector(head, encoder).eval()(images)
    from_maps = Detector(head).eval()(MapReader(encoder)(images))
    for one, other in zip(from_images, from_maps, strict=True):
        torch.testing.assert_close(one, other)
    assert Detector(head).num_classes == 4
