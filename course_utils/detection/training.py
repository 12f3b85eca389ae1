"""Training a detector's head on a frozen encoder's maps, or all of it on images; validation chooses the round."""

from dataclasses import dataclass

from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from course_utils.best_round import fit_best_round
from course_utils.detection.answers import detect
from course_utils.detection.inputs import SceneInputs, as_floats, place_points
from course_utils.detection.scores import average_precision
from course_utils.detection.targets import assign_targets, detection_loss
from course_utils.models.detector import Detector
from course_utils.optimizers import KernelMuon, make_optimizers
from course_utils.training import Step


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
    points = place_points(train.scenes).to(fabric.device)
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
