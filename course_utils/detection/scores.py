"""How good boxes are: average precision as COCO counts it, and what the wrong ones are wrong about."""

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from course_utils.data.scenes import NOTHING, Scenes

MOST_DETECTIONS = 100  # of a scene that count, as in COCO


@dataclass(frozen=True)
class Detections:
    """What a detector says of one scene, best first: boxes (n, 4) corners in pixels, scores (n,), labels (n,) int64."""

    boxes: Tensor
    scores: Tensor
    labels: Tensor

    def above(self, threshold: float) -> "Detections":
        """Return those whose score is at least `threshold`."""
        keep = self.scores >= threshold
        return Detections(self.boxes[keep], self.scores[keep], self.labels[keep])


@dataclass(frozen=True)
class BoxScores:
    """Mean average precision over classes, in [0, 1]; a class that the scenes lack is left out."""

    map50: float  # a box counts from an overlap (IoU) of .5 on
    map: float  # mean over overlaps of .5, .55, … .95
    by_class: dict[int, float]  # label → average precision at .5


def average_precision(
    scenes: Scenes, detections: Sequence[Detections], num_classes: int, *, ignore_class: bool = False
) -> BoxScores:
    """Return average precision by pycocotools (Lin et al. 2014).

    Args:
        scenes: what is there.
        detections: of each scene.
        num_classes: how many labels there can be.
        ignore_class: count a box of any class as right: where things are, not what they are.

    Raises:
        ValueError: there are not as many detections as scenes, or no objects.
    """
    if len(detections) != len(scenes):
        raise ValueError(f"each scene needs its detections: got {len(detections)} for {len(scenes)} scenes")
    if scenes.num_objects == 0:
        raise ValueError("scenes without any object have no average precision")
    precision = _evaluate(scenes, detections, 1 if ignore_class else num_classes, ignore_class)  # (10, 101, classes)
    known = [label for label in range(precision.shape[2]) if (precision[:, :, label] > -1).any()]
    by_class = {label: float(precision[0, :, label].mean()) for label in known}
    return BoxScores(float(np.mean(list(by_class.values()))), float(precision[:, :, known].mean()), by_class)


def random_detections(scenes: Scenes, count: int, generator: torch.Generator) -> list[Detections]:
    """Return guesses, what chance is for a detector: boxes, labels and scenes of the truth, each drawn by itself.

    Args:
        scenes: whose boxes and labels are shuffled.
        count: guesses for each scene.
        generator: decides.
    """
    there = scenes.labels != NOTHING
    boxes, labels = scenes.boxes[there], scenes.labels[there]
    found = []
    for _ in range(len(scenes)):
        which, named = torch.randint(len(boxes), (2, count), generator=generator)
        scores = torch.rand(count, generator=generator).sort(descending=True).values
        found.append(Detections(boxes[which], scores, labels[named]))
    return found


def _evaluate(scenes: Scenes, detections: Sequence[Detections], num_classes: int, ignore_class: bool) -> np.ndarray:
    from pycocotools.coco import COCO  # here, for they are only needed where boxes are scored
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):  # it prints its progress
        truth = COCO()
        truth.dataset = _as_coco(scenes, num_classes, ignore_class)
        truth.createIndex()
        found = COCO()
        found.dataset = {**truth.dataset, "annotations": _answers(detections, ignore_class)}
        found.createIndex()
        evaluation = COCOeval(truth, found, "bbox")
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluation.params.maxDets = [MOST_DETECTIONS]
        evaluation.evaluate()
        evaluation.accumulate()
    precision: np.ndarray = evaluation.eval["precision"][:, :, :, 0, 0]  # (overlaps, recalls, classes)
    return precision


def _as_coco(scenes: Scenes, num_classes: int, ignore_class: bool) -> dict[str, Any]:
    annotations: list[dict[str, Any]] = []
    for image in range(len(scenes)):
        for box, label in zip(*scenes.objects_of(image), strict=True):
            annotations.append(
                {**_annotation(image, box, 0 if ignore_class else int(label), len(annotations)), "iscrowd": 0}
            )
    return {
        "images": [{"id": image} for image in range(len(scenes))],
        "annotations": annotations,
        "categories": [{"id": label} for label in range(num_classes)],
    }


def _answers(detections: Sequence[Detections], ignore_class: bool) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = []
    for image, each in enumerate(detections):
        for box, score, label in zip(each.boxes, each.scores.tolist(), each.labels.tolist(), strict=True):
            answers.append({**_annotation(image, box, 0 if ignore_class else label, len(answers)), "score": score})
    return answers


def _annotation(image: int, box: Tensor, label: int, number: int) -> dict[str, Any]:
    x1, y1, x2, y2 = box.tolist()
    place = [x1, y1, x2 - x1, y2 - y1]
    return {"id": number + 1, "image_id": image, "category_id": label, "bbox": place, "area": place[2] * place[3]}
