"""Average precision against a loop, and what is wrong about boxes against cases made by hand."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.ops import box_iou

from course_utils.data.scenes import NOTHING, Scenes
from course_utils.detection.errors import KINDS, best_threshold, count_kinds, judge, judge_all
from course_utils.detection.scores import Detections, average_precision, random_detections


def make_scenes(*objects):
    """Return scenes without pixels; each argument is a scene's list of (box, label)."""
    most = max(1, *(len(each) for each in objects))
    boxes, labels = torch.zeros(len(objects), most, 4), torch.full((len(objects), most), NOTHING)
    for row, each in enumerate(objects):
        for place, (corners, label) in enumerate(each):
            boxes[row, place], labels[row, place] = torch.tensor(corners).float(), label
    return Scenes(torch.zeros(len(objects), 3, 64, 64, dtype=torch.uint8), boxes, labels)


def detections(*answers):
    """Return detections; each argument is (box, score, label)."""
    boxes = torch.tensor([corners for corners, _, _ in answers]).float().view(-1, 4)
    scores = torch.tensor([score for _, score, _ in answers], dtype=torch.float32)
    return Detections(boxes, scores, torch.tensor([label for _, _, label in answers], dtype=torch.int64))


A, B, FAR = [0, 0, 20, 20], [30, 30, 50, 50], [40, 0, 60, 20]


def precision_by_loop(scenes, found, label, overlap):
    """Average precision of one class as COCO's paper has it: precision made to fall, read at 101 recalls."""
    answers = sorted(
        (
            (score.item(), image, box)
            for image, each in enumerate(found)
            for box, score, name in zip(each.boxes, each.scores, each.labels, strict=True)
            if name == label
        ),
        key=lambda answer: -answer[0],
    )
    truth = {}
    for image in range(len(scenes)):
        boxes, labels = scenes.objects_of(image)
        truth[image] = [box for box, name in zip(boxes, labels, strict=True) if name == label]
    taken, hits = set(), []
    for _, image, box in answers:
        free = [
            (box_iou(box[None], other[None]).item(), number)
            for number, other in enumerate(truth[image])
            if (image, number) not in taken
        ]
        best = max(free, default=(0.0, -1))
        hits.append(best[0] >= overlap)
        if hits[-1]:
            taken.add((image, best[1]))
    total = sum(len(each) for each in truth.values())
    if total == 0:
        return None
    points = [(sum(hits[:n]) / total, sum(hits[:n]) / n) for n in range(1, len(hits) + 1)]
    recalls = [number / 100 for number in range(101)]
    return sum(max((p for r, p in points if r >= recall - 1e-9), default=0.0) for recall in recalls) / 101


corner = st.integers(0, 30)
some_box = st.tuples(corner, corner, st.integers(5, 30), st.integers(5, 30)).map(
    lambda b: [b[0], b[1], b[0] + b[2], b[1] + b[3]]
)
some_objects = st.lists(st.tuples(some_box, st.integers(0, 1)), min_size=1, max_size=3)


@given(st.lists(some_objects, min_size=1, max_size=3), st.integers(0, 10_000))
@settings(deadline=None, max_examples=40)
def test_average_precision_is_that_of_the_loop(objects, seed):
    scenes = make_scenes(*objects)
    generator = torch.Generator().manual_seed(seed)
    found = []
    for each in objects:
        jittered = [
            ([c + int(torch.randint(-3, 4, (), generator=generator)) for c in corners], label)
            for corners, label in each
        ]
        scores = torch.rand(len(each), generator=generator).tolist()
        found.append(detections(*((box, score, label) for (box, label), score in zip(jittered, scores, strict=True))))
    measured = average_precision(scenes, found, 2)
    for label, value in measured.by_class.items():
        assert value == pytest.approx(precision_by_loop(scenes, found, label, 0.5), abs=1e-6)
    assert measured.map50 == pytest.approx(sum(measured.by_class.values()) / len(measured.by_class))
    assert 0 <= measured.map <= measured.map50 + 1e-9


def test_what_is_all_right_scores_one_and_nothing_scores_zero(capsys):
    scenes = make_scenes([(A, 0), (B, 1)], [(B, 0)])
    right = [detections((A, 0.9, 0), (B, 0.8, 1)), detections((B, 0.7, 0))]
    scores = average_precision(scenes, right, 3)
    assert [scores.map50, scores.map] == pytest.approx([1, 1])
    assert scores.by_class == pytest.approx({0: 1.0, 1: 1.0})  # there is no third class in the scenes
    assert average_precision(scenes, [detections()] * 2, 3).map50 == 0
    assert capsys.readouterr().out == ""


def test_where_without_what():
    scenes = make_scenes([(A, 0), (B, 1)])
    exchanged = [detections((A, 0.9, 1), (B, 0.8, 0))]
    assert average_precision(scenes, exchanged, 2).map50 == 0
    assert average_precision(scenes, exchanged, 2, ignore_class=True).map50 == pytest.approx(1)


def test_looser_boxes_count_less_and_less():
    scenes = make_scenes([([0, 0, 20, 20], 0)])
    scores = average_precision(scenes, [detections(([0, 0, 20, 14], 0.9, 0))], 1)  # overlap .7
    assert scores.map50 == pytest.approx(1)
    assert scores.map == pytest.approx(0.5)  # right at .5, .55, .6, .65 and .7


def test_random_boxes_find_next_to_nothing():
    scenes = make_scenes(*[[([x, y, x + 12, y + 12], x % 2)] for x in range(0, 50, 7) for y in range(0, 50, 7)])
    guesses = random_detections(scenes, 10, torch.Generator().manual_seed(0))
    assert all(len(each.scores) == 10 for each in guesses)
    assert all((each.scores.diff() <= 0).all() for each in guesses)
    assert average_precision(scenes, guesses, 2).map50 < 0.1


@pytest.mark.parametrize(("scenes", "count", "words"), [([(A, 0)], 2, "got 2 for 1"), ([], 1, "without any object")])
def test_what_can_not_be_scored_is_refused(scenes, count, words):
    with pytest.raises(ValueError, match=words):
        average_precision(make_scenes(scenes), [detections()] * count, 2)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((A, 0.8, 0), "right"),
        ((A, 0.8, 1), "wrong class"),
        (([10, 0, 30, 20], 0.8, 0), "badly placed"),
        (([10, 0, 30, 20], 0.8, 1), "both wrong"),
        ((FAR, 0.8, 0), "nothing there"),
    ],
)
def test_every_kind_of_mistake_is_known(answer, kind):
    judged = judge(detections(answer), torch.tensor([A]).float(), torch.tensor([0]))
    assert [KINDS[number] for number in judged.kinds] == [kind]
    assert judged.found.tolist() == [kind == "right"]


def test_an_object_is_found_once_by_its_best_detection():
    judged = judge(detections((A, 0.9, 0), (A, 0.8, 0)), torch.tensor([A]).float(), torch.tensor([0]))
    assert [KINDS[number] for number in judged.kinds] == ["right", "twice"]


def test_a_scene_without_objects_and_one_without_detections():
    scenes = make_scenes([], [(A, 0), (B, 1)])
    judged = judge_all(scenes, [detections((A, 0.9, 0)), detections()], 0.5)
    counts = count_kinds(judged)
    assert counts["nothing there"] == 1
    assert counts["missed"] == 2
    assert sum(counts.values()) == 3


def test_the_threshold_is_the_one_that_a_loop_finds():
    generator = torch.Generator().manual_seed(1)
    scenes = make_scenes(*[[(A, 0), (B, 1)]] * 12)
    found = []
    for _ in range(12):
        answers = [(A, 0.4 + 0.6 * torch.rand((), generator=generator).item(), 0)]
        answers += [(FAR, 0.7 * torch.rand((), generator=generator).item(), 0) for _ in range(2)]
        found.append(detections(*sorted(answers, key=lambda answer: -answer[1])))
    f1 = {}
    for threshold in torch.cat([each.scores for each in found]).tolist():
        counts = count_kinds(judge_all(scenes, found, threshold))
        shown = sum(counts[kind] for kind in KINDS)
        f1[threshold] = 2 * counts["right"] / (shown + 24)
    assert f1[best_threshold(scenes, found)] == pytest.approx(max(f1.values()))


def test_without_detections_the_threshold_shows_nothing():
    assert best_threshold(make_scenes([(A, 0)]), [detections()]) == 1.0
