"""What a whole training step costs beside the network itself."""

import torch

from benchmarks.recipe import HIDDEN_DIM, LAPTOP, PROJECTION_DIM, SMALL_GPU, VIEW_SIZES, Recipe, our_loss
from benchmarks.timing import Comparison, Contender, compare_rates
from course_utils.data.images import load_images
from course_utils.devices import make_fabric
from course_utils.models.vision import ProjectionHead, build_encoder, channel_statistics
from course_utils.optimizers import make_optimizers
from course_utils.training import fit
from course_utils.views import ViewSettings, simclr_views

IMAGE_SIZE = 32
STEPS_AT_A_TIME, LARGE_STEPS_AT_A_TIME = 20, 2


def step_vs_bare_encoder() -> Comparison:
    """SimCLR's step (views, head, loss, optimizer, bookkeeping) against the encoder's forward and backward pass.

    Views are as large as the images.
    """
    return _compare_steps("step_vs_bare_encoder", IMAGE_SIZE)


def small_step_vs_bare_encoder() -> Comparison:
    """The same with the largest views of notebook 05, which are smaller: all but the encoder weighs more there."""
    return _compare_steps("small_step_vs_bare_encoder", VIEW_SIZES[-1])


def resnet18_step_vs_bare_encoder() -> Comparison:
    """The same with the gpu profile's network and recipe, but for its large batch: there the encoder is nearly all."""
    return _compare_steps("resnet18_step_vs_bare_encoder", IMAGE_SIZE, SMALL_GPU, LARGE_STEPS_AT_A_TIME)


def _compare_steps(name: str, view_size: int, recipe: Recipe = LAPTOP, num_steps: int = STEPS_AT_A_TIME) -> Comparison:
    images = load_images().train.images
    ours, bare = whole_steps(images, view_size, recipe, num_steps), bare_encoder(images, view_size, recipe)
    return compare_rates(name, ours, bare, unit="views/s", package="torch")


def whole_steps(
    images: torch.Tensor, view_size: int, recipe: Recipe = LAPTOP, num_steps: int = STEPS_AT_A_TIME
) -> Contender:
    """Return what trains for a few steps, in the course's loop."""
    fabric = make_fabric()
    images = images.to(fabric.device)
    encoder = build_encoder(recipe.encoder, *channel_statistics(images))
    model = torch.nn.Sequential(encoder, ProjectionHead(encoder.feature_dim, HIDDEN_DIM, PROJECTION_DIM))

    def train() -> int:
        history = fit(
            model,
            our_loss(images, (view_size,), recipe),
            num_examples=num_steps * recipe.batch_size,
            num_epochs=1,
            batch_size=recipe.batch_size,
            optimizers=make_optimizers(model, recipe.optimizer, recipe.learning_rate),
            fabric=fabric,
            seed=0,
        )
        return recipe.num_views * recipe.batch_size * len(history.steps)

    return train


def bare_encoder(images: torch.Tensor, view_size: int, recipe: Recipe = LAPTOP) -> Contender:
    """Return what takes one batch of views forward and backward through the encoder, in the same precision."""
    fabric = make_fabric()
    encoder = build_encoder(recipe.encoder, *channel_statistics(images))
    wrapped = fabric.setup(encoder.train())
    batch = images[: recipe.num_views * recipe.batch_size].to(fabric.device)
    views = simclr_views(batch, ViewSettings(size=view_size), torch.Generator().manual_seed(0))

    def forward_and_backward() -> int:
        encoder.zero_grad()
        fabric.backward(wrapped(views).square().mean())
        return len(views)

    return forward_and_backward
