"""Targets against a slow loop written from the rule, losses against closed forms and torchvision's."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.ops import generalized_box_iou, sigmoid_focal_loss

from course_utils.data.scenes import NOTHING
from course_utils.detection.targets import assign_targets, centerness_of, detection_loss, focal_loss, giou_loss
from course_utils.models.detector import boxes_from_distances, place_centers


def assign_slowly(points, boxes, labels):
    """FCOS's rule, place by place: of the boxes in whose middle it lies, the smallest."""
    answers = []
    for x, y in points.tolist():
        best = None
        for number, ((x1, y1, x2, y2), label) in enumerate(zip(boxes.tolist(), labels.tolist(), strict=True)):
            if label == NOTHING:
                continue
            width, height = x2 - x1, y2 - y1
            inside = abs(x - (x1 + x2) / 2) <= width / 4 and abs(y - (y1 + y2) / 2) <= height / 4
            has_place = any(
                abs(px - (x1 + x2) / 2) <= width / 4 and abs(py - (y1 + y2) / 2) <= height / 4
                for px, py in points.tolist()
            )
            if not has_place:
                away = [(px - (x1 + x2) / 2) ** 2 + (py - (y1 + y2) / 2) ** 2 for px, py in points.tolist()]
                inside = [x, y] == points[away.index(min(away))].tolist()
            if inside and (best is None or width * height < best[0]):
                best = (width * height, number, label, (x - x1, y - y1, x2 - x, y2 - y))
        answers.append(best)
    return answers


box = st.tuples(st.integers(0, 24), st.integers(0, 24), st.integers(1, 30), st.integers(1, 30)).map(
    lambda b: [b[0], b[1], b[0] + b[2], b[1] + b[3]]
)


@given(st.lists(st.tuples(box, st.integers(0, 5)), max_size=4))
@settings(deadline=None, max_examples=80)
def test_targets_are_those_of_the_slow_loop(objects):
    boxes, labels = torch.zeros(1, 4, 4), torch.full((1, 4), NOTHING)
    for place, (corners, label) in enumerate(objects):
        boxes[0, place], labels[0, place] = torch.tensor(corners).float(), label
    points = place_centers(8, 8)
    targets = assign_targets(points, boxes, labels)
    for place, expected in enumerate(assign_slowly(points, boxes[0], labels[0])):
        assert (expected is None) == (targets.labels[0, place] == NOTHING)
        if expected is not None:
            assert targets.labels[0, place] == expected[2]
            assert targets.distances[0, place].tolist() == [max(0.0, side) for side in expected[3]]


def test_every_scene_of_a_batch_is_its_own():
    boxes = torch.tensor([[[0.0, 0, 16, 16]], [[16.0, 16, 32, 32]]])
    targets = assign_targets(place_centers(8, 8), boxes, torch.tensor([[1], [2]]))
    for row, label in enumerate([1, 2]):
        assert set(targets.labels[row].tolist()) == {NOTHING, label}
        positive = targets.labels[row] == label
        back = boxes_from_distances(place_centers(8, 8)[positive], targets.distances[row][positive])
        assert (back == boxes[row]).all()


def test_centerness_in_closed_form():
    distances = torch.tensor([[5.0, 5, 5, 5], [1, 2, 4, 8], [0, 3, 6, 3]])
    assert centerness_of(distances).tolist() == pytest.approx([1.0, math.sqrt(1 / 4 * 2 / 8), 0.0])


def test_focal_loss_in_closed_form():
    logits, answers = torch.tensor([0.0, 0.0, 2.0]), torch.tensor([1.0, 0.0, 1.0])
    p = 1 / (1 + math.exp(-2))
    expected = [0.25 * 0.25 * math.log(2), 0.75 * 0.25 * math.log(2), -0.25 * (1 - p) ** 2 * math.log(p)]
    assert focal_loss(logits, answers).tolist() == pytest.approx(expected)


@given(st.integers(0, 10_000), st.floats(0.05, 0.95), st.floats(0, 4))
@settings(deadline=None, max_examples=40)
def test_focal_loss_is_torchvisions(seed, alpha, gamma):
    generator = torch.Generator().manual_seed(seed)
    logits = 4 * torch.randn(3, 5, generator=generator)
    answers = (torch.rand(3, 5, generator=generator) < 0.3).float()
    torch.testing.assert_close(
        focal_loss(logits, answers, alpha, gamma), sigmoid_focal_loss(logits, answers, alpha, gamma)
    )


def test_a_sure_and_right_answer_costs_nothing_and_nothing_overflows():
    assert focal_loss(torch.tensor([90.0, -90.0]), torch.tensor([1.0, 0.0])).tolist() == [0, 0]
    assert focal_loss(torch.tensor([-90.0]), torch.tensor([1.0])).item() == pytest.approx(0.25 * 90)


def test_giou_loss_in_closed_form():
    same = torch.tensor([[3.0, 4, 5, 6]])
    assert giou_loss(same, same).item() == pytest.approx(0)
    half = torch.tensor([[3.0, 4, 5, 6], [2.0, 0, 2, 2]]), torch.tensor([[3.0, 4, 5, 6], [2.0, 0, 0, 2]])
    assert giou_loss(*half)[1].item() == pytest.approx(0.5)  # nested: IoU is 1/2, and the hull is the larger box


@given(st.lists(st.tuples(*[st.floats(0.1, 50)] * 8), min_size=1, max_size=5))
@settings(deadline=None, max_examples=60)
def test_giou_loss_is_torchvisions(rows):
    values = torch.tensor(rows, dtype=torch.float64)
    ours, right = values[:, :4], values[:, 4:]
    points = torch.zeros(len(rows), 2, dtype=torch.float64)
    expected = generalized_box_iou(boxes_from_distances(points, ours), boxes_from_distances(points, right)).diagonal()
    torch.testing.assert_close(giou_loss(ours, right), 1 - expected, atol=1e-5, rtol=1e-5)


def test_the_whole_loss_is_the_sum_of_its_parts_divided_by_the_places_that_answer():
    generator = torch.Generator().manual_seed(0)
    points = place_centers(4, 4)
    boxes, labels = torch.tensor([[[0.0, 0, 10, 12]], [[4.0, 2, 16, 16]]]), torch.tensor([[1], [0]])
    targets = assign_targets(points, boxes, labels)
    logits, centerness = torch.randn(2, 16, 3, generator=generator), torch.randn(2, 16, generator=generator)
    distances = torch.rand(2, 16, 4, generator=generator) * 9
    what = where = center = 0.0
    count = 0
    for scene in range(2):
        for place in range(16):
            label = int(targets.labels[scene, place])
            answers = torch.tensor([float(label == number) for number in range(3)])
            what += focal_loss(logits[scene, place], answers).sum().item()
            if label != NOTHING:
                count += 1
                where += giou_loss(distances[scene, place][None], targets.distances[scene, place][None]).item()
                p, right = centerness[scene, place].sigmoid().item(), targets.centerness[scene, place].item()
                center -= right * math.log(p) + (1 - right) * math.log(1 - p)
    found = detection_loss(logits, distances, centerness, targets)
    assert found["what"].item() == pytest.approx(what / count, rel=1e-4)
    assert found["where"].item() == pytest.approx(where / count, rel=1e-4)
    assert found["center"].item() == pytest.approx(center / count, rel=1e-4)
    assert found["loss"].item() == pytest.approx((what + where + center) / count, rel=1e-4)


def test_scenes_without_objects_teach_to_say_nothing():
    targets = assign_targets(place_centers(2, 2), torch.zeros(1, 1, 4), torch.full((1, 1), NOTHING))
    logits = torch.zeros(1, 4, 2, requires_grad=True)
    loss = detection_loss(logits, torch.ones(1, 4, 4), torch.zeros(1, 4), targets)
    loss["loss"].backward()
    assert loss["where"].item() == 0
    assert (logits.grad > 0).all()
