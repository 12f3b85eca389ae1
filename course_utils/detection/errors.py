"""What a detector gets wrong: the place, the class, both, twice the same, nothing at all, or not found (Bolya 2020)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from course_utils.data.scenes import Scenes
from course_utils.detection.scores import Detections

RIGHT_FROM, NEAR_FROM = 0.5, 0.1  # overlaps (IoU): a box is in place; there is at least some object
KINDS = ("right", "wrong class", "badly placed", "both wrong", "twice", "nothing there")
"""What a detection can be; an object that no right detection has is *missed*."""


@dataclass(frozen=True)
class Judged:
    """Detections of one scene with what each of them is, a place in `KINDS`; and which objects were found."""

    detections: Detections
    kinds: Tensor  # (n,) int64
    found: Tensor  # (objects,) bool


def judge(detections: Detections, boxes: Tensor, labels: Tensor) -> Judged:
    """Say of each detection of a scene what it is, the best scores first; each object can be found once.

    Args:
        detections: best first.
        boxes: (objects, 4), of the scene's objects.
        labels: (objects,).
    """
    from torchvision.ops import box_iou  # here, for it takes seconds to import

    overlaps = box_iou(detections.boxes, boxes)  # (n, objects)
    found = torch.zeros(len(boxes), dtype=torch.bool)
    kinds = torch.full((len(overlaps),), KINDS.index("nothing there"))
    for place, (row, label) in enumerate(zip(overlaps, detections.labels, strict=True)):
        kinds[place] = KINDS.index(_kind_of(row, labels == label, found))
    return Judged(detections, kinds, found)


def judge_all(scenes: Scenes, detections: Sequence[Detections], threshold: float) -> list[Judged]:
    """Judge the detections of every scene whose score is at least `threshold`."""
    return [judge(each.above(threshold), *scenes.objects_of(index)) for index, each in enumerate(detections)]


def count_kinds(judged: Sequence[Judged]) -> dict[str, int]:
    """Return how many detections there are of each kind, and how many objects were missed."""
    every = torch.cat([each.kinds for each in judged])
    counts = {kind: int((every == number).sum()) for number, kind in enumerate(KINDS)}
    return {**counts, "missed": sum(int((~each.found).sum()) for each in judged)}


def best_threshold(scenes: Scenes, detections: Sequence[Detections]) -> float:
    """Return the score from which on boxes should be shown: where F1, of precision and recall, is best.

    To be asked of validation scenes. F1 = 2 · right / (shown + objects).
    """
    judged = judge_all(scenes, detections, 0.0)
    scores = torch.cat([each.detections.scores for each in judged])
    if len(scores) == 0:
        return 1.0
    order = scores.argsort(descending=True)
    is_right = torch.cat([each.kinds == 0 for each in judged])[order]
    shown = torch.arange(1, len(order) + 1)
    f1 = 2 * is_right.cumsum(dim=0) / (shown + scenes.num_objects)
    return float(scores[order][f1.argmax()])


def _kind_of(overlaps: Tensor, same_class: Tensor, found: Tensor) -> str:
    """Return a detection's kind, and note in `found` the object that it finds."""
    own = torch.where(same_class, overlaps, 0.0)
    free = torch.where(found, 0.0, own)
    if len(overlaps) and float(free.max()) >= RIGHT_FROM:
        found[free.argmax()] = True
        return "right"
    if not len(overlaps) or float(overlaps.max()) < NEAR_FROM:
        return "nothing there"
    if float(own.max()) >= RIGHT_FROM:
        return "twice"
    if float(overlaps.max()) >= RIGHT_FROM:
        return "wrong class"
    return "badly placed" if float(own.max()) >= NEAR_FROM else "both wrong"
