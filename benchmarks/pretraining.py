"""SimCLR whole: views a second with the same network, and what the features are worth after the same seconds."""

import time
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from benchmarks.recipe import (
    BATCH_SIZE,
    HIDDEN_DIM,
    LEARNING_RATE,
    NUM_VIEWS,
    PROJECTION_DIM,
    VIEW_SIZES,
    our_loss,
)
from benchmarks.timing import Comparison, Contender, compare_rates, compare_values
from benchmarks.views import AlteredImages
from course_utils.data.images import ImageSplits, load_images
from course_utils.devices import make_fabric
from course_utils.evaluation import evaluate_linear, extract_splits
from course_utils.evaluation.block_features import extract_blocks, join_blocks
from course_utils.models.kmeans import fit_kmeans_features
from course_utils.models.vision import Encoder, ProjectionHead, build_encoder, channel_statistics
from course_utils.optimizers import make_optimizers
from course_utils.training import fit

STEPS_AT_A_TIME = 6
NUM_CENTROIDS = 400
GRIDS = (1, 2, 3)  # rows and columns that blocks are averaged to
NUM_WORKERS = 2
DOCUMENTED_PRECISION = "32-true"  # what lightly's example takes: it names none
PEERS_BATCH_SIZE, PEERS_LEARNING_RATE, RESNET18_DIM = 256, 0.06, 512  # lightly's example


def simclr_views_vs_lightly() -> Comparison:
    """Training steps of the same network, in views a second: our pipeline and lightly's example, each as documented."""
    return _compare_views("simclr_views_vs_lightly", DOCUMENTED_PRECISION)


def simclr_views_vs_lightly_same_precision() -> Comparison:
    """The same, but lightly's example also computes in what is fastest here, bfloat16 where the processor has it."""
    return _compare_views("simclr_views_vs_lightly_same_precision", "auto")


def _compare_views(name: str, peers_precision: str) -> Comparison:
    images = load_images().train.images
    encoder = build_encoder("compact", *channel_statistics(images))
    peer = LightlyExample(images, encoder, encoder.feature_dim, normalize=None, precision=peers_precision)
    return compare_rates(name, our_steps(images), peer.step, unit="views/s", package="lightly")


def simclr_accuracy_100s_vs_lightly_resnet18(seconds: float = 100.0) -> Comparison:
    """Linear probe on frozen h after so many seconds each: notebook 05's recipe, and lightly's ResNet-18 example."""
    import torchvision
    from lightly.transforms.utils import IMAGENET_NORMALIZE

    splits = load_images()
    ours = probe(train_ours(splits.train.images, seconds), splits)
    backbone = nn.Sequential(*list(torchvision.models.resnet18(weights=None).children())[:-1], nn.Flatten())
    LightlyExample(splits.train.images, backbone, RESNET18_DIM, IMAGENET_NORMALIZE).train(seconds)
    peer = probe(Normalized(backbone, **IMAGENET_NORMALIZE), splits)
    name = "simclr_accuracy_100s_vs_lightly_resnet18"
    return compare_values(name, ours, peer, unit="accuracy", package="lightly")


def simclr_accuracy_300s_vs_kmeans(seconds: float = 300.0, num_centroids: int = NUM_CENTROIDS) -> Comparison:
    """Linear probe on frozen h after so many seconds, and on k-means features of the same images."""
    splits = load_images()
    ours = probe(train_longer(seconds), splits)
    peer = probe(fit_kmeans_features(splits.train.images, num_centroids), splits)
    return compare_values("simclr_accuracy_300s_vs_kmeans", ours, peer, unit="accuracy", package="scikit-learn")


def simclr_all_blocks_300s_vs_kmeans(seconds: float = 300.0, num_centroids: int = NUM_CENTROIDS) -> Comparison:
    """The same network, but read at its stem and all blocks, side by side; validation chooses how finely pooled."""
    splits = load_images()
    encoder = train_longer(seconds)
    joined = (join_blocks(extract_blocks(encoder, splits, grid)) for grid in GRIDS)
    probes = [evaluate_linear(features, splits.num_classes) for features in joined]
    ours = max(probes, key=lambda each: each.validation_accuracy).test_accuracy
    peer = probe(fit_kmeans_features(splits.train.images, num_centroids), splits)
    return compare_values("simclr_all_blocks_300s_vs_kmeans", ours, peer, unit="accuracy", package="scikit-learn")


def probe(encoder: nn.Module, splits: ImageSplits) -> float:
    """Return the test accuracy of a linear probe, its strength chosen on validation."""
    return evaluate_linear(extract_splits(encoder, splits), splits.num_classes).test_accuracy


@cache
def train_longer(seconds: float) -> Encoder:
    """Return notebook 05's encoder after minutes instead of seconds; trained once, however often it is asked for."""
    return train_ours(load_images().train.images, seconds)


def train_ours(images: Tensor, seconds: float, view_sizes: Sequence[int] = VIEW_SIZES, seed: int = 0) -> Encoder:
    """Return an encoder that was trained for about so long, evaluation not counted.

    A few steps of every size tell how many there is time for, and with that many the schedule comes to its end.
    """
    fabric, images = make_fabric(), images.to(make_fabric().device)

    def train(num_steps: int) -> tuple[Encoder, float]:
        torch.manual_seed(seed)
        encoder = build_encoder("compact", *channel_statistics(images))
        model = nn.Sequential(encoder, ProjectionHead(encoder.feature_dim, HIDDEN_DIM, PROJECTION_DIM))
        history = fit(
            model,
            our_loss(images, view_sizes),
            num_examples=len(images),
            num_steps=num_steps,
            batch_size=BATCH_SIZE,
            optimizers=make_optimizers(model, "muon", LEARNING_RATE),
            fabric=fabric,
            seed=seed,
        )
        return encoder, history.seconds

    train(len(view_sizes))  # for caches and kernels
    trial = 3 * len(view_sizes)
    _, trial_seconds = train(trial)
    return train(max(len(view_sizes), int(seconds / trial_seconds * trial)))[0]


def our_steps(images: Tensor) -> Contender:
    """Return what trains for a few steps, some with each size of views."""
    fabric, images = make_fabric(), images.to(make_fabric().device)
    encoder = build_encoder("compact", *channel_statistics(images))
    model = nn.Sequential(encoder, ProjectionHead(encoder.feature_dim, HIDDEN_DIM, PROJECTION_DIM))

    def train() -> int:
        history = fit(
            model,
            our_loss(images),
            num_examples=len(images),
            num_steps=STEPS_AT_A_TIME,
            batch_size=BATCH_SIZE,
            optimizers=make_optimizers(model, "muon", LEARNING_RATE),
            fabric=fabric,
            seed=0,
        )
        return NUM_VIEWS * BATCH_SIZE * len(history.steps)

    return train


class LightlyExample:
    """SimCLR as lightly's documentation trains it on CIFAR-10, with two loader workers.

    Its transform for images of 32 pixels without blur, its head and loss, SGD at a fixed rate, batches of 256; each of
    the two views goes through the network by itself.

    Args:
        images: (N, 3, 32, 32) uint8.
        backbone: images to features.
        feature_dim: their length.
        normalize: of the transform; None where the backbone does it.
        precision: see `make_fabric`.
    """

    def __init__(
        self, images: Tensor, backbone: nn.Module, feature_dim: int, normalize: Any, precision: str = "auto"
    ) -> None:
        from lightly.loss import NTXentLoss
        from lightly.models.modules import SimCLRProjectionHead
        from lightly.transforms.simclr_transform import SimCLRTransform

        torch.manual_seed(0)
        transform = SimCLRTransform(input_size=32, gaussian_blur=0.0, normalize=normalize)
        self.loader = DataLoader(
            AlteredImages(images, transform),
            batch_size=PEERS_BATCH_SIZE,
            shuffle=True,
            drop_last=True,
            num_workers=NUM_WORKERS,
            persistent_workers=True,
        )
        head = SimCLRProjectionHead(feature_dim, HIDDEN_DIM, PROJECTION_DIM)
        self.fabric = make_fabric(precision=precision)
        model = nn.Sequential(backbone, head).train()
        optimizer = torch.optim.SGD(model.parameters(), lr=PEERS_LEARNING_RATE)
        self.model, self.optimizer = self.fabric.setup(model, optimizer)
        self.loss = NTXentLoss()
        self.batches = self._endless()

    def _endless(self) -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            yield from self.loader

    def step(self) -> int:
        """Take one step and return the views that went into it."""
        first, second = (views.to(self.fabric.device) for views in next(self.batches))
        loss = self.loss(self.model(first), self.model(second))
        self.optimizer.zero_grad()
        self.fabric.backward(loss)
        self.optimizer.step()
        return len(first) + len(second)

    def train(self, seconds: float) -> None:
        """Train for so long, its workers' start not counted."""
        self.step()
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            self.step()


class Normalized(nn.Module):
    """A network of lightly's, on images in [0, 1] as the probe gives them."""

    mean: Tensor
    std: Tensor

    def __init__(self, backbone: nn.Module, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.backbone = backbone
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Shape: (batch, 3, height, width) → (batch, feature_dim)."""
        features: Tensor = self.backbone((images - self.mean) / self.std)
        return features
