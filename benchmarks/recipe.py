"""Notebook 05's recipe, for all that trains here."""

from collections.abc import Sequence

from torch import Tensor, nn

from course_utils.pretext.contrastive import multi_view
from course_utils.training import LossFunction, Step
from course_utils.views import ViewSettings, simclr_views

BATCH_SIZE, NUM_VIEWS, VIEW_SIZES, MIN_AREA = 128, 4, (16, 20, 24), 0.3
HIDDEN_DIM, PROJECTION_DIM, TEMPERATURE = 512, 128, 0.1
LEARNING_RATE = 0.1


def our_loss(images: Tensor, view_sizes: Sequence[int] = VIEW_SIZES, num_views: int = NUM_VIEWS) -> LossFunction:
    """Return notebook 05's step: four views of each image, one pass, the decoupled loss."""
    stages = [ViewSettings(size=size, min_area=MIN_AREA) for size in view_sizes]

    def compute_loss(model: nn.Module, step: Step) -> dict[str, Tensor]:
        batch = images[step.indices.to(images.device)]
        views = simclr_views(batch.repeat(num_views, 1, 1, 1), step.stage(stages), step.generator)
        return {"loss": multi_view(model(views).chunk(num_views), TEMPERATURE)}

    return compute_loss
