"""What a whole training step costs beside the network itself."""

import torch

from benchmarks.timing import Comparison, Contender, compare_rates
from course_utils.data.images import load_images
from course_utils.devices import make_fabric
from course_utils.models.vision import ProjectionHead, build_encoder, channel_statistics
from course_utils.optimizers import make_optimizers
from course_utils.pretext.contrastive import contrastive_accuracy, decoupled_contrastive
from course_utils.training import Step, fit
from course_utils.views import ViewSettings, simclr_views

# as in notebook 05
BATCH_SIZE, VIEW_SIZE, HIDDEN_DIM, PROJECTION_DIM, TEMPERATURE, LEARNING_RATE = 256, 24, 512, 128, 0.1, 0.1
STEPS_AT_A_TIME = 10


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
    head = ProjectionHead(encoder.feature_dim, HIDDEN_DIM, PROJECTION_DIM)
    model = torch.nn.Sequential(encoder, head)
    view_settings = ViewSettings(size=VIEW_SIZE)

    def compute_loss(model: torch.nn.Module, step: Step) -> dict[str, torch.Tensor]:
        batch = images[step.indices.to(images.device)]
        views = simclr_views(batch.repeat(2, 1, 1, 1), view_settings, step.generator)
        z_a, z_b = model(views).chunk(2)
        return {
            "loss": decoupled_contrastive(z_a, z_b, TEMPERATURE),
            "accuracy": contrastive_accuracy(z_a, z_b),
        }

    def train() -> int:
        history = fit(
            model,
            compute_loss,
            num_examples=STEPS_AT_A_TIME * BATCH_SIZE,
            num_epochs=1,
            batch_size=BATCH_SIZE,
            optimizers=make_optimizers(model, "muon", LEARNING_RATE),
            fabric=fabric,
            seed=0,
        )
        return 2 * BATCH_SIZE * len(history.steps)

    return train


def bare_encoder(images: torch.Tensor) -> Contender:
    """Return what takes one batch of views forward and backward through the encoder, in the same precision."""
    fabric = make_fabric()
    encoder = build_encoder("compact", *channel_statistics(images))
    wrapped = fabric.setup(encoder.train())
    batch = images[: 2 * BATCH_SIZE].to(fabric.device)
    views = simclr_views(batch, ViewSettings(size=VIEW_SIZE), torch.Generator().manual_seed(0))

    def forward_and_backward() -> int:
        encoder.zero_grad()
        fabric.backward(wrapped(views).square().mean())
        return len(views)

    return forward_and_backward
