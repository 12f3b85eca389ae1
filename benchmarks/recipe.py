"""Notebook 05's recipes, for all that trains here."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from course_utils.pretext.contrastive import multi_view
from course_utils.training import LossFunction, Step
from course_utils.views import ViewSettings, simclr_views

BATCH_SIZE, NUM_VIEWS, VIEW_SIZES, MIN_AREA = 128, 4, (16, 20, 24), 0.3
HIDDEN_DIM, PROJECTION_DIM, TEMPERATURE = 512, 128, 0.1
LEARNING_RATE = 0.1


@dataclass(frozen=True)
class Recipe:
    """What notebook 05's parameters say, at first in the laptop profile."""

    encoder: str = "compact"
    batch_size: int = BATCH_SIZE
    num_views: int = NUM_VIEWS
    min_area: float = MIN_AREA
    loss: str = "dcl"
    temperature: float = TEMPERATURE
    optimizer: str = "muon"
    learning_rate: float = LEARNING_RATE


LAPTOP = Recipe()
SMALL_GPU = Recipe("resnet18", 64, 2, 0.2, "nt_xent", 0.5, "sgd", 0.12)
"""The gpu profile's, but for its batch of 512, which a CPU would work on for seconds."""


def our_loss(images: Tensor, view_sizes: Sequence[int] = VIEW_SIZES, recipe: Recipe = LAPTOP) -> LossFunction:
    """Return notebook 05's step: some views of each image, one pass, the loss."""
    stages = [ViewSettings(size=size, min_area=recipe.min_area) for size in view_sizes]

    def compute_loss(model: nn.Module, step: Step) -> dict[str, Tensor]:
        batch = images[step.indices.to(images.device)]
        views = simclr_views(batch.repeat(recipe.num_views, 1, 1, 1), step.stage(stages), step.generator)
        return {"loss": multi_view(model(views).chunk(recipe.num_views), recipe.temperature, recipe.loss)}

    return compute_loss
