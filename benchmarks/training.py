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

VIEW_SIZE = VIEW_SIZES[-1]
STEPS_AT_A_TIME = 20


def step_vs_bare_encoder() -> Comparison:
    """SimCLR's step (views, head, loss, optimizer, bookkeeping) against the encoder's forward and backward pass."""
    images = load_images().train.images
    return compare_rates(
        "step_vs_bare_encoder", whole_steps(images), bare_encoder(images), unit="views/s", package="torch"
    )


def whole_steps(images: torch.Tensor) -> Contender:
    """Return what trains for a few steps, in the course's loop."""
    fabric = make_fabric()
    images = images.to(fabric.device)
    encoder = build_encoder("compact", *channel_statistics(images))
    model = torch.nn.Sequential(encoder, ProjectionHead(encoder.feature_dim, HIDDEN_DIM, PROJECTION_DIM))

    def train() -> int:
        history = fit(
            model,
            our_loss(images, (VIEW_SIZE,)),
            num_examples=STEPS_AT_A_TIME * BATCH_SIZE,
            num_epochs=1,
            batch_size=BATCH_SIZE,
            optimizers=make_optimizers(model, "muon", LEARNING_RATE),
            fabric=fabric,
            seed=0,
        )
        return NUM_VIEWS * BATCH_SIZE * len(history.steps)

    return train


def bare_encoder(images: torch.Tensor) -> Contender:
    """Return what takes one batch of views forward and backward through the encoder, in the same precision."""
    fabric = make_fabric()
    encoder = build_encoder("compact", *channel_statistics(images))
    wrapped = fabric.setup(encoder.train())
    batch = images[: NUM_VIEWS * BATCH_SIZE].to(fabric.device)
    views = simclr_views(batch, ViewSettings(size=VIEW_SIZE), torch.Generator().manual_seed(0))

    def forward_and_backward() -> int:
        encoder.zero_grad()
        fabric.backward(wrapped(views).square().mean())
        return len(views)

    return forward_and_backward
