"""Training a whole classifier on few labels, from a pretrained encoder or from scratch, both in the same way."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.best_round import fit_best_round
from course_utils.data.images import LabeledImages
from course_utils.evaluation.features import extract_features
from course_utils.evaluation.scores import accuracy
from course_utils.models.vision import Encoder
from course_utils.optimizers import make_optimizers
from course_utils.training import Step
from course_utils.views import ViewSettings, simclr_views


@dataclass(frozen=True)
class Recipe:
    """How long and how fast; the same for every encoder that is compared.

    Args:
        num_rounds: validation is looked at after each, and the best round's network is kept.
        steps_per_round: optimizer steps.
        batch_size: images a step.
        optimizer, learning_rate: as for `make_optimizers`.
    """

    num_rounds: int
    steps_per_round: int
    batch_size: int
    optimizer: str = "muon"
    learning_rate: float = 0.05


@dataclass(frozen=True)
class FineTuned:
    """What came of it."""

    test_accuracy: float
    validation_accuracy: float  # of the kept round
    kept_round: int


def fine_tune(
    encoder: Encoder,
    train: LabeledImages,
    validation: LabeledImages,
    test: LabeledImages,
    num_classes: int,
    *,
    recipe: Recipe,
    views: ViewSettings | Sequence[ViewSettings],
    fabric: Fabric,
    seed: int,
    title: str = "fine-tuning",
) -> FineTuned:
    """Train a copy of `encoder` and a linear layer on its features, keep the best round, score the test images once.

    With few labels, an epoch is a handful of steps; so the labeled images are gone through again and again, and time
    is counted in steps: as many for 10 labels as for 10,000.

    Args:
        encoder: where training starts; it is left as it was.
        train, validation, test: labeled images of the same classes.
        num_classes: how many logits.
        recipe: see `Recipe`.
        views: crops and flips of the training images; several take equal shares of the steps.
        fabric: device and precision.
        seed: decides the order of images and the views.
        title: for the progress bar.
    """
    model = nn.Sequential(copy.deepcopy(encoder), _new_layer(encoder.feature_dim, num_classes)).to(fabric.device)
    images, labels = train.images.to(fabric.device), train.labels.to(fabric.device)
    stages = [views] if isinstance(views, ViewSettings) else list(views)

    def compute_loss(model: nn.Module, step: Step) -> dict[str, Tensor]:
        chosen = (step.indices % len(labels)).to(labels.device)
        inputs = simclr_views(images[chosen], step.stage(stages), step.generator)
        return {"loss": F.cross_entropy(model(inputs), labels[chosen])}

    best = fit_best_round(
        model,
        compute_loss,
        lambda: _score(model, validation),
        num_labeled=len(labels),
        num_rounds=recipe.num_rounds,
        steps_per_round=recipe.steps_per_round,
        batch_size=recipe.batch_size,
        optimizers=make_optimizers(model, recipe.optimizer, recipe.learning_rate),
        fabric=fabric,
        seed=seed,
        title=title,
    )
    return FineTuned(_score(model, test), best.value, best.number)


def _new_layer(feature_dim: int, num_classes: int) -> nn.Linear:
    layer = nn.Linear(feature_dim, num_classes)
    nn.init.zeros_(layer.weight)  # all classes alike at first: the first steps don't shake the encoder
    nn.init.zeros_(layer.bias)
    return layer


def _score(model: nn.Module, data: LabeledImages) -> float:
    return accuracy(extract_features(model, data.images).argmax(dim=1), data.labels)
