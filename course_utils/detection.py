"""Detecting objects on a frozen encoder's maps: read once, train many heads, choose on validation, score once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from course_utils.best_round import fit_best_round
from course_utils.box_scores import Detections, average_precision
from course_utils.box_targets import assign_targets, detection_loss
from course_utils.data.scenes import NOTHING, Scenes
from course_utils.evaluation import Labeled
from course_utils.models.detector import STRIDE, Detector, MapReader, boxes_from_distances, place_centers
from course_utils.models.vision import Encoder
from course_utils.optimizers import KernelMuon, make_optimizers
from course_utils.training import Step

SCORE_FLOOR = 0.02  # answers below it are not looked at
MOST_CANDIDATES = 100  # of a scene that go on to the suppression of doubles
OVERLAP = 0.5  # of two boxes of one class, from which on the weaker one is a double
CHUNK = 100  # scenes at a time where nothing is learned


@dataclass(frozen=True)
class SceneInputs:
    """What a detector is given, beside what is right.

    Args:
        inputs: (N, channels, rows, columns): a frozen encoder's maps in half precision, or images in uint8.
        scenes: the N scenes that they show.
    """

    inputs: Tensor
    scenes: Scenes

    def __len__(self) -> int:
        return len(self.scenes)

    def take(self, indices: Tensor) -> Self:
        """Return the scenes at `indices`."""
        return type(self)(self.inputs[indices], self.scenes.take(indices))

    def chunks(self, device: torch.device) -> Iterator[Tensor]:
        """Give the inputs as a network takes them, some scenes at a time."""
        for chunk in self.inputs.split(CHUNK):
            yield as_floats(chunk.to(device))


@dataclass(frozen=True)
class DetectorRecipe:
    """How long and how fast; the same for every encoder that is compared.

    Args:
        num_rounds: validation is looked at after each, and the best round's network is kept.
        steps_per_round: optimizer steps.
        batch_size: scenes a step.
        learning_rate: of the head's hidden kernels, by Muon.
        output_learning_rate, weight_decay: of the rest of the head, by AdamW.
        encoder_learning_rate: of the encoder, where it learns, by Muon.
    """

    num_rounds: int
    steps_per_round: int
    batch_size: int = 32
    learning_rate: float = 0.1
    output_learning_rate: float = 0.01
    weight_decay: float = 0.05
    encoder_learning_rate: float = 0.05


@dataclass(frozen=True)
class TrainedDetector:
    """What came of a training."""

    model: Detector
    validation_map50: float  # of the kept round
    kept_round: int


def as_floats(inputs: Tensor) -> Tensor:
    """Return images of uint8 in [0, 1], and maps of half precision as they are, in float32."""
    return inputs.float() / 255 if inputs.dtype == torch.uint8 else inputs.float()


def read_maps(encoder: Encoder, scenes: Scenes) -> SceneInputs:
    """Return the frozen encoder's maps of all blocks, in eval mode, on the CPU."""
    reader = MapReader(encoder).eval()
    with torch.inference_mode():
        chunks = SceneInputs(scenes.images, scenes).chunks(encoder.mean.device)
        maps = torch.cat([reader(chunk).half().cpu() for chunk in chunks])
    return SceneInputs(maps.clone(), scenes)


def draw_scenes(data: SceneInputs, count: int, seed: int) -> SceneInputs:
    """Return `count` random labeled scenes out of the first half, and the same scenes mirrored out of the second.

    Args:
        data: all scenes, and then each of them mirrored.
        count: how many are labeled; a mirrored scene costs no label.
        seed: decides which.

    Raises:
        ValueError: there are not so many.
    """
    half = len(data) // 2
    if not 1 <= count <= half:
        raise ValueError(f"count must be between 1 and the {half} labeled scenes, got {count}")
    chosen = torch.randperm(half, generator=torch.Generator().manual_seed(seed))[:count]
    return data.take(torch.cat([chosen, chosen + half]))


def train_detector(
    model: Detector,
    train: SceneInputs,
    validation: SceneInputs,
    *,
    recipe: DetectorRecipe,
    fabric: Fabric,
    seed: int,
    title: str = "detector",
) -> TrainedDetector:
    """Train a detector in place by the one loop, look at validation after each round, keep the best round's network.

    A frozen encoder's maps are cached, so that a step is one of the small head; a detector that holds its encoder
    learns on images, encoder included.

    Args:
        model: `Detector` with or without an encoder, as fits the inputs.
        train: labeled scenes.
        validation: what chooses the round.
        recipe: see `DetectorRecipe`.
        fabric: device and precision.
        seed: decides the order of scenes.
        title: for the progress bar.
    """
    points = _points(train.scenes).to(fabric.device)
    parts = (train.inputs, train.scenes.boxes, train.scenes.labels)
    inputs, boxes, labels = (part.to(fabric.device) for part in parts)

    def compute_loss(model: nn.Module, step: Step) -> dict[str, Tensor]:
        chosen = (step.indices % len(labels)).to(labels.device)
        targets = assign_targets(points, boxes[chosen], labels[chosen])
        logits, distances, centerness = model(as_floats(inputs[chosen]))
        return detection_loss(logits, distances, centerness, targets)

    best = fit_best_round(
        model,
        compute_loss,
        lambda: average_precision(validation.scenes, detect(model, validation), model.num_classes).map50,
        num_labeled=len(labels),
        num_rounds=recipe.num_rounds,
        steps_per_round=recipe.steps_per_round,
        batch_size=recipe.batch_size,
        optimizers=_make_optimizers(model, recipe),
        fabric=fabric,
        seed=seed,
        title=title,
    )
    return TrainedDetector(model.eval(), best.value, best.number)


def detect(model: Detector, data: SceneInputs) -> list[Detections]:
    """Return what a detector says of each scene, doubles suppressed, best first; the model is put in eval mode.

    A box's score is the root of its class's probability times its centerness (Tian et al. 2019, section 3.3).
    """
    model.eval()
    device = next(model.parameters()).device
    points = _points(data.scenes).to(device)
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


def object_features(data: SceneInputs, grid: int = 2) -> Labeled:
    """Return the maps within each object's true box, averaged over a grid: what is there, if one knows where.

    Shape: features (objects, channels · grid²).
    """
    from torchvision.ops import roi_align  # here, for it takes seconds to import

    boxes = [data.scenes.objects_of(index)[0] for index in range(len(data))]
    labels = data.scenes.labels[data.scenes.labels != NOTHING]  # scene by scene, as the boxes are
    pooled = [
        roi_align(as_floats(maps), boxes[start : start + CHUNK], grid, spatial_scale=1 / STRIDE, aligned=True)
        for start, maps in zip(range(0, len(data), CHUNK), data.inputs.split(CHUNK), strict=True)
    ]
    return Labeled(torch.cat(pooled).flatten(start_dim=1), labels)


def _points(scenes: Scenes) -> Tensor:
    return place_centers(scenes.images.shape[2] // STRIDE, scenes.images.shape[3] // STRIDE)


def _make_optimizers(model: Detector, recipe: DetectorRecipe) -> list[Optimizer]:
    kernels = model.head.hidden_kernels()
    known = {id(kernel) for kernel in kernels}
    others = [parameter for parameter in model.head.parameters() if id(parameter) not in known]
    head: list[Optimizer] = [
        KernelMuon(kernels, recipe.learning_rate),
        AdamW(others, recipe.output_learning_rate, weight_decay=recipe.weight_decay),
    ]
    if model.reader is None:
        return head
    return [*head, *make_optimizers(model.reader, "muon", recipe.encoder_learning_rate)]


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
