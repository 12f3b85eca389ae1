"""What a whole training step costs beside the network itself."""

import torch

from benchmarks.recipe import (
    BATCH_SIZE,
    HIDDEN_DIM,
    LEARNING_RATE,
    NUM_VIEWS,
    PROJECTION_DIM,
    VIEW_SIZES,
    our_loss,
)
from benchmarks.timing import Comparison, Contender, compare_rates
from course_utils.data.images import load_images
from course_utils.devices import make_fabric
from course_utils.models.vision import ProjectionHead, build_encoder, channel_statistics
from course_utils.optimizers import make_optimizers
from course_utils.training import fit
from course_utils.views import ViewSettings, simclr_views

IMAGE_SIZE = 32
STEPS_AT_A_TIME = 20


def step_vs_bare_encoder() -> Comparison:
    """SimCLR's step (views, head, loss, optimizer, bookkeeping) against the encoder's forward and backward pass.

    Views are as large as the images.
    """
    return _compare_steps("step_vs_bare_encoder", IMAGE_SIZE)


def small_step_vs_bare_encoder() -> Comparison:
    """The same with the largest views of notebook 05, which are smaller: all but the encoder weighs more there."""
    return _compare_steps("small_step_vs_bare_encoder", VIEW_SIZES[-1])


def _compare_steps(name: str, view_size: int) -> Comparison:
    images = load_images().train.images
    return compare_rates(
        name, whole_steps(images, view_size), bare_encoder(images, view_size), unit="views/s", package="torch"
    )


def whole_steps(images: torch.Tensor, view_size: int) -> Contender:
    """Return what trains for a few steps, in the course's loop."""
    fabric = make_fabric()
    images = images.to(fabric.device)
    encoder = build_encoder("compact", *channel_statistics(images))
    model = torch.nn.Sequential(encoder, ProjectionHead(encoder.feature_dim, HIDDEN_DIM, PROJECTION_DIM))

    def train() -> int:
        history = fit(
            model,
            our_loss(images, (view_size,)),
            num_examples=STEPS_AT_A_TIME * BATCH_SIZE,
            num_epochs=1,
            batch_size=BATCH_SIZE,
            optimizers=make_optimizers(model, "muon", LEARNING_RATE),
            fabric=fabric,
            seed=0,
        )
        return NUM_VIEWS * BATCH_SIZE * len(history.steps)

    return train


def bare_encoder(images: torch.Tensor, view_size: int) -> Contender:
    """Return what takes one batch of views forward and backward through the encoder, in the same precision."""
    fabric = make_fabric()
    encoder = build_encoder("compact", *channel_statistics(images))
    wrapped = fabric.setup(encoder.train())
    batch = images[: NUM_VIEWS * BATCH_SIZE].to(fabric.device)
    views = simclr_views(batch, ViewSettings(size=view_size), torch.Generator().manual_seed(0))

    def forward_and_backward() -> int:
        encoder.zero_grad()
        fabric.backward(wrapped(views).square().mean())
        return len(views)

    return forward_and_backward
