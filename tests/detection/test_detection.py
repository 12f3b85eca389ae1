"""Detectors on scenes small enough to be learned in seconds: heads learn, encoders stay frozen, doubles go."""

import copy

import pytest
import torch
from torchvision.ops import box_iou

from course_utils.data.images import LabeledImages
from course_utils.data.scenes import NOTHING, Layout, SceneSplits, make_scenes
from course_utils.detection import (
    DetectorRecipe,
    SceneInputs,
    detect,
    draw_scenes,
    object_features,
    read_maps,
    surest_only,
    train_detector,
)
from course_utils.detection.curves import DetectorData, box_curve, build_detector, read_scenes, within
from course_utils.detection.scores import Detections, average_precision
from course_utils.devices import make_fabric
from course_utils.models.vision import build_encoder

RECIPE = DetectorRecipe(num_rounds=2, steps_per_round=30, batch_size=8)


@pytest.fixture(scope="module")
def pictures():
    """Return pictures of two classes that even random convolutions tell apart: red ones and blue ones."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 60, (20, 3, 32, 32), generator=generator, dtype=torch.uint8)
    labels = torch.arange(20) % 2
    images[labels == 0, 0] += 190
    images[labels == 1, 2] += 190
    return LabeledImages(images, labels)


@pytest.fixture(scope="module")
def splits(pictures):
    layout = Layout(size=32, sides=(12, 20), most_objects=2)
    parts = [make_scenes(pictures, count, layout, torch.Generator().manual_seed(count)) for count in (40, 12, 13)]
    return SceneSplits(*parts, class_names=("red", "blue"), description="colors")


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    return build_encoder("compact", [0.4] * 3, [0.25] * 3)


@pytest.fixture(scope="module")
def fabric():
    return make_fabric("cpu", "32-true")


@pytest.fixture(scope="module")
def data(splits, encoder) -> DetectorData:
    return read_scenes(splits, encoder)


def test_maps_are_read_in_eval_mode_and_do_not_change_the_encoder(splits, encoder):
    encoder.train()
    before = copy.deepcopy(encoder.state_dict())
    first = read_maps(encoder, splits.test)
    assert torch.equal(first.inputs, read_maps(encoder, splits.test).inputs)
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())
    assert first.inputs.shape == (13, 224, 8, 8)


def test_labeled_scenes_come_with_their_mirror_images(data, splits):
    few = draw_scenes(data.train, 5, seed=3)
    assert len(few) == 10
    assert torch.equal(few.scenes.images[5:], few.scenes.images[:5].flip(3))
    assert torch.equal(few.inputs, draw_scenes(data.train, 5, seed=3).inputs)
    assert not torch.equal(few.scenes.images, draw_scenes(data.train, 5, seed=4).scenes.images)
    with pytest.raises(ValueError, match="between 1 and the 40"):
        draw_scenes(data.train, 41, seed=0)


def test_a_head_learns_and_the_best_round_is_kept(data, encoder, fabric):
    model = build_detector(encoder, 2, 16, 0, frozen=True)
    untrained = average_precision(data.test.scenes, detect(model, data.test), 2).map50
    trained = train_detector(model, data.train, data.validation, recipe=RECIPE, fabric=fabric, seed=0)
    reached = average_precision(data.validation.scenes, detect(trained.model, data.validation), 2).map50
    assert reached == trained.validation_map50
    assert trained.kept_round in (1, 2)
    test = average_precision(data.test.scenes, detect(trained.model, data.test), 2).map50
    assert test > 0.3 > untrained


def test_from_scratch_the_encoder_learns_along(splits, encoder, fabric):
    before = copy.deepcopy(encoder.state_dict())
    model = build_detector(encoder, 2, 16, 0, frozen=False)
    images = read_scenes(splits)
    recipe = DetectorRecipe(num_rounds=1, steps_per_round=2, batch_size=8)
    train_detector(model, images.train, images.validation, recipe=recipe, fabric=fabric, seed=0)
    assert not torch.equal(model.reader.encoder.stem[0].weight, before["stem.0.weight"])
    assert torch.equal(encoder.stem[0].weight, before["stem.0.weight"])  # a copy of it learned
    assert len(detect(model, images.test)) == 13


def test_fewer_scenes_than_a_batch_are_gone_through_again(data, encoder, fabric):
    few = draw_scenes(data.train, 1, seed=0)
    recipe = DetectorRecipe(num_rounds=1, steps_per_round=2, batch_size=8)
    model = build_detector(encoder, 2, 16, 0, frozen=True)
    train_detector(model, few, data.validation, recipe=recipe, fabric=fabric, seed=0)


def test_detections_lie_in_the_scene_are_sorted_and_no_doubles(data, encoder):
    torch.manual_seed(1)
    model = build_detector(encoder, 2, 16, 0, frozen=True)
    torch.nn.init.normal_(model.head.classes.weight)  # so that it says a lot
    for each in detect(model, data.test):
        assert len(each.scores) > 0
        assert (each.scores.diff() <= 0).all()
        assert each.boxes.min() >= 0
        assert each.boxes.max() <= 32
        for label in (0, 1):
            own = each.boxes[each.labels == label]
            assert (box_iou(own, own).triu(1) <= 0.5).all()


def test_one_box_is_left_where_two_classes_claim_it():
    box, other = [0.0, 0, 10, 10], [20.0, 20, 30, 30]
    found = Detections(torch.tensor([box, box, other]), torch.tensor([0.9, 0.8, 0.7]), torch.tensor([1, 0, 3]))
    [left] = surest_only([found])
    assert left.boxes.tolist() == [box, other]
    assert left.labels.tolist() == [1, 3]


def test_objects_features_are_the_maps_within_their_boxes(splits):
    """Maps that count columns: the mean within a box is its middle."""
    columns = torch.arange(8.0).view(1, 1, 1, 8).expand(13, 1, 8, 8).half()
    objects = object_features(SceneInputs(columns, splits.test), grid=1)
    assert len(objects) == splits.test.num_objects
    boxes = splits.test.boxes[splits.test.labels != NOTHING]
    middle = (boxes[:, 0] + boxes[:, 2]) / 2 / 4 - 0.5
    inside = (boxes[:, 0] >= 2) & (boxes[:, 2] <= 30)  # at the edge of the map there is nothing to blend with
    torch.testing.assert_close(objects.features[inside, 0], middle[inside], atol=0.02, rtol=0)
    assert torch.equal(objects.labels, splits.test.labels[splits.test.labels != NOTHING])


def test_a_curve_has_a_run_for_each_size_and_seed(data, encoder, fabric):
    curve = box_curve(
        lambda seed: build_detector(encoder, 2, 16, seed, frozen=True),
        data,
        [4, 8],
        [0, 1],
        recipe=DetectorRecipe(1, 2, 8),
        fabric=fabric,
        title="x",
    )
    assert {count: [run.seed for run in runs] for count, runs in curve.items()} == {4: [0, 1], 8: [0, 1]}
    assert all(len(run.detections) == 13 for runs in curve.values() for run in runs)


def test_the_same_seed_gives_the_same_run(data, encoder, fabric):
    def once():
        model = build_detector(encoder, 2, 16, 5, frozen=True)
        recipe = DetectorRecipe(1, 3, 8)
        return train_detector(model, data.train, data.validation, recipe=recipe, fabric=fabric, seed=5).model

    for one, other in zip(once().parameters(), once().parameters(), strict=True):
        assert torch.equal(one, other)


def test_counts_that_there_are_scenes_for():
    assert within([50, 200, 1000], 300) == [50, 200]
    assert within([50], 30) == [30]
