"""What a detector says of scenes: its boxes, with doubles suppressed."""

from collections.abc import Sequence

import torch
from torch import Tensor

from course_utils.detection.inputs import SceneInputs, place_points
from course_utils.detection.scores import Detections
from course_utils.models.detector import Detector, boxes_from_distances

SCORE_FLOOR = 0.02  # answers below it are not looked at
MOST_CANDIDATES = 100  # of a scene that go on to the suppression of doubles
OVERLAP = 0.5  # of two boxes of one class, from which on the weaker one is a double


def detect(model: Detector, data: SceneInputs) -> list[Detections]:
    """Return what a detector says of each scene, doubles suppressed, best first; the model is put in eval mode.

    A box's score is the root of its class's probability times its centerness (Tian et al. 2019, section 3.3).
    """
    model.eval()
    device = next(model.parameters()).device
    points = place_points(data.scenes).to(device)
    found: list[Detections] = []
    with torch.inference_mode():
        for chunk in data.chunks(device):
            logits, distances, centerness = model(chunk)
            scores = (logits.sigmoid() * centerness.sigmoid()[..., None]).sqrt()  # (batch, places, classes)
            boxes = boxes_from_distances(points, distances).clamp(0, data.scenes.size)
            found += _without_doubles(boxes.float().cpu(), scores.float().cpu())
    return found


def surest_only(detections: Sequence[Detections]) -> list[Detections]:
    """Return the boxes that stay if doubles of other classes are suppressed, too: one name for each object."""
    from torchvision.ops import nms  # here, for it takes seconds to import

    kept = [nms(each.boxes, each.scores, OVERLAP) for each in detections]
    return [
        Detections(each.boxes[own], each.scores[own], each.labels[own])
        for each, own in zip(detections, kept, strict=True)
    ]


def _without_doubles(boxes: Tensor, scores: Tensor) -> list[Detections]:
    """Return the strongest answers of each scene.

    Shape: boxes (batch, places, 4), scores (batch, places, classes).
    """
    from torchvision.ops import batched_nms

    num_classes = scores.shape[2]
    found = []
    for places, answers in zip(boxes, scores.flatten(start_dim=1), strict=True):
        values, indices = answers.topk(min(MOST_CANDIDATES, len(answers)))
        values, indices = values[values >= SCORE_FLOOR], indices[values >= SCORE_FLOOR]
        own, labels = places[indices // num_classes], indices % num_classes
        kept = batched_nms(own, values, labels, OVERLAP)
        found.append(Detections(own[kept], values[kept], labels[kept]))
    return found
