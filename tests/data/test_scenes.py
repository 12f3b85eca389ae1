"""Scenes: boxes fit what was laid out, splits share no picture, the seed decides."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.data.images import ImageSplits, LabeledImages
from course_utils.data.scenes import NOTHING, Layout, Scenes, make_scene_splits, make_scenes


def one_colored(values):
    """Return pictures each of one gray value, which also is its label."""
    images = torch.tensor(values, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, 32, 32).contiguous()
    return LabeledImages(images, torch.tensor(values))


@pytest.fixture
def pictures():
    return one_colored([40, 90, 140, 190])


def seeded(number):
    return torch.Generator().manual_seed(number)


@given(seed=st.integers(0, 10_000), most=st.integers(1, 5), covered=st.sampled_from([0.0, 0.3, 0.6]))
@settings(deadline=None, max_examples=40)
def test_each_box_holds_its_picture_and_enough_of_it_is_seen(seed, most, covered):
    layout = Layout(size=48, sides=(10, 30), most_objects=most, most_covered=covered)
    scenes = make_scenes(one_colored([40, 90, 140, 190]), 2, layout, seeded(seed))
    assert scenes.images.shape == (2, 3, 48, 48)
    for index in range(2):
        boxes, labels = scenes.objects_of(index)
        assert 1 <= len(boxes) <= most
        owner = torch.full((48, 48), -1)
        for number, (x1, y1, x2, y2) in enumerate(boxes.int().tolist()):
            assert 0 <= x1 < x2 <= 48
            assert 0 <= y1 < y2 <= 48
            assert 10 <= max(x2 - x1, y2 - y1) <= 30
            owner[y1:y2, x1:x2] = number
        for number, ((x1, y1, x2, y2), label) in enumerate(zip(boxes.int().tolist(), labels.tolist(), strict=True)):
            seen = owner == number
            assert seen.sum() >= (1 - covered) * (x2 - x1) * (y2 - y1)
            assert (scenes.images[index][:, seen] == label).all()


def test_the_seed_decides(pictures):
    first, again, other = (make_scenes(pictures, 3, Layout(), seeded(number)) for number in (1, 1, 2))
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.boxes, again.boxes)
    assert not torch.equal(first.images, other.images)


def test_each_split_is_made_of_its_own_pictures():
    parts = {"train": [10, 20], "validation": [110, 120], "test": [210, 220]}
    splits = ImageSplits(
        "colors",
        **{name: one_colored(values) for name, values in parts.items()},
        class_names=("a", "b"),
        description="",
    )
    scenes = make_scene_splits(splits, Layout(), num_train=5, num_validation=4, num_test=3, seed=0)
    for name, values in parts.items():
        labels = getattr(scenes, name).labels
        assert set(labels[labels != NOTHING].tolist()) <= set(values)
    assert [len(scenes.train), len(scenes.validation), len(scenes.test)] == [5, 4, 3]
    assert "made-up layout" in scenes.description


def test_backgrounds_differ(pictures):
    scenes = make_scenes(pictures, 40, Layout(most_objects=1, sides=(8, 8)), seeded(0))
    spreads = scenes.images.float().std(dim=(1, 2, 3))
    assert spreads.max() > 2 * spreads.min()


def test_twice_mirrored_is_as_before_and_boxes_go_along(pictures):
    scenes = make_scenes(pictures, 4, Layout(), seeded(3))
    mirrored = scenes.mirrored()
    assert torch.equal(mirrored.mirrored().boxes, scenes.boxes)
    [x1, y1, x2, y2] = scenes.objects_of(0)[0][-1].int().tolist()  # the last one is in front
    [left, top, right, bottom] = mirrored.objects_of(0)[0][-1].int().tolist()
    assert torch.equal(mirrored.images[0][:, top:bottom, left:right], scenes.images[0][:, y1:y2, x1:x2].flip(2))


def test_some_scenes_can_be_taken(pictures):
    scenes = make_scenes(pictures, 4, Layout(), seeded(0))
    few = scenes.take(torch.tensor([2, 0]))
    assert isinstance(few, Scenes)
    assert torch.equal(few.boxes[0], scenes.boxes[2])
    assert few.num_objects == sum(len(scenes.objects_of(index)[0]) for index in (0, 2))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"sides": (30, 20)}, "sides"),
        ({"sides": (16, 65)}, "sides"),
        ({"most_objects": 0}, "most_objects"),
        ({"most_covered": 1.0}, "most_covered"),
    ],
)
def test_layouts_that_make_no_sense_are_refused(values, words):
    with pytest.raises(ValueError, match=words):
        Layout(**values)


def test_no_scenes_are_refused(pictures):
    with pytest.raises(ValueError, match="count 0"):
        make_scenes(pictures, 0, Layout(), seeded(0))
