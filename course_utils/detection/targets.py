"""What a detector should answer at each place of its map, and how far off it is (Tian et al. 2019, FCOS)."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from course_utils.data.scenes import NOTHING

CENTER_SHARE = 0.5  # of a box's width and height, around its center: places there answer for it
FOCAL_ALPHA, FOCAL_GAMMA = 0.25, 2.0  # Lin et al. 2017, section 5


@dataclass(frozen=True)
class Targets:
    """What is right at each place.

    Args:
        labels: (batch, places) int64; `NOTHING` where no object is to be answered for.
        distances: (batch, places, 4), pixels from the place to the box's left, top, right and bottom edge.
        centerness: (batch, places), 1 at a box's center and towards 0 at its edges.
    """

    labels: Tensor
    distances: Tensor
    centerness: Tensor


def assign_targets(points: Tensor, boxes: Tensor, labels: Tensor) -> Targets:
    """Give each place the object that it answers for: the smallest of those in whose middle it lies.

    The middle is the inner half of a box's width and of its height. Where a box is so small that no place lies there,
    the place nearest to its center answers for it.

    Shape: points (places, 2), boxes (batch, most, 4), labels (batch, most).
    """
    there = labels != NOTHING  # (batch, most)
    sizes = boxes[..., 2:] - boxes[..., :2]  # (batch, most, 2)
    offsets = (points[:, None] - (boxes[..., :2] + sizes / 2)[:, None]).abs()  # (batch, places, most, 2)
    middle = (offsets <= sizes[:, None] * (CENTER_SHARE / 2)).all(dim=-1)  # (batch, places, most)
    nearest = F.one_hot(offsets.square().sum(dim=-1).argmin(dim=1), len(points)).transpose(1, 2).bool()
    answers = (middle | (nearest & ~middle.any(dim=1, keepdim=True))) & there[:, None]
    areas = torch.where(answers, sizes.prod(dim=-1)[:, None], torch.inf)  # (batch, places, most)
    smallest, chosen = areas.min(dim=2)  # (batch, places)
    found = torch.where(smallest.isfinite(), labels.gather(1, chosen), NOTHING)
    own = boxes.gather(1, chosen[..., None].expand(-1, -1, 4))  # (batch, places, 4)
    distances = torch.cat([points - own[..., :2], own[..., 2:] - points], dim=-1).clamp_min(0)
    return Targets(found, distances, centerness_of(distances))


def centerness_of(distances: Tensor) -> Tensor:
    """Return √(min(l, r) / max(l, r) · min(t, b) / max(t, b)) (Tian et al. 2019, equation 3).

    Shape: (…, 4: left, top, right, bottom) → (…).
    """
    left, top, right, bottom = distances.unbind(dim=-1)
    ratios = [torch.minimum(a, b) / torch.maximum(a, b).clamp_min(1e-6) for a, b in ((left, right), (top, bottom))]
    return (ratios[0] * ratios[1]).clamp_min(0).sqrt()


def detection_loss(logits: Tensor, distances: Tensor, centerness: Tensor, targets: Targets) -> dict[str, Tensor]:
    """Return "loss" and its three parts, each a sum over places divided by the number that answer for an object.

    Shape: logits (batch, places, classes), distances (batch, places, 4), centerness (batch, places).
    """
    positive = targets.labels != NOTHING
    count = positive.sum().clamp_min(1)
    answers = F.one_hot(targets.labels.clamp_min(0), logits.shape[-1]).to(logits) * positive[..., None]
    what = focal_loss(logits, answers).sum() / count
    where = giou_loss(distances[positive], targets.distances[positive]).sum() / count
    centered = F.binary_cross_entropy_with_logits(centerness[positive], targets.centerness[positive], reduction="sum")
    center = centered / count
    return {"loss": what + where + center, "what": what, "where": where, "center": center}


def focal_loss(logits: Tensor, answers: Tensor, alpha: float = FOCAL_ALPHA, gamma: float = FOCAL_GAMMA) -> Tensor:
    """Return −α (1 − p)^γ log p with p the probability of the right answer (Lin et al. 2017, equation 5).

    Most places hold nothing, and soon say so with certainty; the factor (1 − p)^γ keeps their sum from drowning the few
    that matter. α weighs the yes, 1 − α the no.

    Shape: logits and answers (0 or 1) of the same shape, which is the result's, too.
    """
    right = torch.where(answers > 0.5, logits, -logits)  # the logit of the right answer
    weight = torch.where(answers > 0.5, alpha, 1 - alpha)
    return -weight * torch.sigmoid(-right) ** gamma * F.logsigmoid(right)


def giou_loss(distances: Tensor, target: Tensor) -> Tensor:
    """Return 1 − GIoU of the boxes around one point (Rezatofighi et al. 2019): 0 for the same box, below 2 always.

    Shape: distances and target (N, 4: left, top, right, bottom), not below 0 → (N,).
    """
    area, right_area = (_area(each) for each in (distances, target))
    overlap = _area(torch.minimum(distances, target))
    union = area + right_area - overlap
    hull = _area(torch.maximum(distances, target)).clamp_min(1e-6)
    iou = overlap / union.clamp_min(1e-6)
    return 1 - iou + (hull - union) / hull


def _area(distances: Tensor) -> Tensor:
    left, top, right, bottom = distances.unbind(dim=-1)
    return (left + right) * (top + bottom)
