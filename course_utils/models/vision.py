"""Encoders for small images, and the projection head that SimCLR puts on top while it trains."""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

COMPACT_WIDTHS = (32, 64, 128)
ENCODER_NAMES = ("compact", "resnet18")
HEAD_NAMES = ("mlp", "linear", "none")


class Encoder(nn.Module):
    """Images to features, normalization included: what every notebook trains, freezes and probes.

    Args:
        stem: images (batch, 3, height, width) to the first maps.
        blocks: applied in turn; each gives maps that can be read on their own.
        feature_dim: channels of the last block.
        mean, std: of the training images' channels, in [0, 1].
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        stem: nn.Module,
        blocks: Sequence[nn.Module],
        feature_dim: int,
        mean: Sequence[float],
        std: Sequence[float],
    ) -> None:
        super().__init__()
        self.stem = stem
        self.blocks = nn.ModuleList(blocks)
        self.feature_dim = feature_dim
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1))
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        """Return the features h, the last block's maps averaged over space.

        Shape: images (batch, 3, height, width), floats in [0, 1] → (batch, feature_dim).
        """
        return self.forward_blocks(images)[-1].mean(dim=(2, 3))

    def forward_blocks(self, images: Tensor) -> list[Tensor]:
        """Return the maps of the stem and of every block, each (batch, channels, height, width)."""
        maps = [self.stem(((images - self.mean) / self.std).contiguous(memory_format=torch.channels_last))]
        for block in self.blocks:
            maps.append(block(maps[-1]))
        return maps


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions beside a shortcut (He et al. 2016, figure 5 left)."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(out_channels)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels)
            )

    def forward(self, maps: Tensor) -> Tensor:
        """Shape: (batch, in_channels, H, W) → (batch, out_channels, H / stride, W / stride)."""
        out = F.relu(self.norm1(self.conv1(maps)))
        return F.relu(self.norm2(self.conv2(out)) + self.shortcut(maps))


class ProjectionHead(nn.Sequential):
    """SimCLR's head g: features h to projections z, with one hidden layer (Chen et al. 2020, section 2.1).

    It is used in pretraining only; what is evaluated is h.

    Shape: (batch, in_dim) → (batch, out_dim).
    """

    def __init__(self, in_dim: int, hidden_dim: int, out_dim: int) -> None:
        super().__init__(
            nn.Linear(in_dim, hidden_dim),
            nn.BatchNorm1d(hidden_dim),
            nn.ReLU(),
            nn.Linear(hidden_dim, out_dim),
        )


def build_head(name: str, in_dim: int, hidden_dim: int, out_dim: int) -> nn.Module:
    """Return what stands between features h and projections z in pretraining (Chen et al. 2020, section 4.2).

    Args:
        name: "mlp" (SimCLR's `ProjectionHead`), "linear" (one matrix) or "none" (z is h itself).
        in_dim: length of h.
        hidden_dim: of the mlp's hidden layer.
        out_dim: length of z, where there is a head.

    Raises:
        ValueError: an unknown name.
    """
    if name == "mlp":
        return ProjectionHead(in_dim, hidden_dim, out_dim)
    if name == "linear":
        return nn.Linear(in_dim, out_dim)
    if name == "none":
        return nn.Identity()
    raise ValueError(f"unknown head {name!r}: choose one of {', '.join(HEAD_NAMES)}")


def build_encoder(name: str, mean: Sequence[float], std: Sequence[float]) -> Encoder:
    """Return an untrained encoder.

    Args:
        name: "compact" (0.3 million parameters, made for CPUs) or "resnet18" (11 million, for GPUs).
        mean, std: of the training images' channels, in [0, 1].

    Raises:
        ValueError: an unknown name.
    """
    if name == "compact":
        return _compact(mean, std)
    if name == "resnet18":
        return _resnet18(mean, std)
    raise ValueError(f"unknown encoder {name!r}: choose one of {', '.join(ENCODER_NAMES)}")


def channel_statistics(images: Tensor) -> tuple[list[float], list[float]]:
    """Return the mean and standard deviation of each channel of uint8 images (N, C, H, W), in [0, 1]."""
    return statistics_of_counts(count_values(images))


def count_values(images: Tensor) -> Tensor:
    """Return how often each channel has each value: exact, and no float copy of the images is made.

    Shape: (N, C, H, W) uint8 → (C, 256) int64, on the CPU; counts of parts add up to those of the whole.
    """
    return torch.stack(
        [torch.bincount(channel.flatten().cpu().long(), minlength=256) for channel in images.unbind(dim=1)]
    )


def statistics_of_counts(counts: Tensor) -> tuple[list[float], list[float]]:
    """Return the mean and standard deviation of each channel, in [0, 1].

    Shape: (C, 256) int64.

    Raises:
        ValueError: nothing was counted.
    """
    if counts.sum() == 0:
        raise ValueError("channel statistics need at least one image, got none")
    values = torch.arange(256, dtype=torch.float64) / 255
    means, stds = [], []
    for channel in counts:
        share = channel.double() / channel.sum()
        mean = (share * values).sum()
        means.append(mean.item())
        stds.append(max((share * (values - mean) ** 2).sum().sqrt().item(), 1e-3))  # one-colored images
    return means, stds


def _compact(mean: Sequence[float], std: Sequence[float]) -> Encoder:
    """Half resolution from the first layer on: four times less work than a full-resolution stem."""
    widths = COMPACT_WIDTHS
    stem = nn.Sequential(
        nn.Conv2d(3, widths[0], 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU()
    )
    blocks = [ResidualBlock(widths[0], widths[0], stride=1)]
    blocks += [ResidualBlock(a, b, stride=2) for a, b in itertools.pairwise(widths)]
    return Encoder(stem, blocks, widths[-1], mean, std)


def _resnet18(mean: Sequence[float], std: Sequence[float]) -> Encoder:
    """Torchvision's ResNet-18 with the CIFAR stem: 3×3, no max-pool (Chen et al. 2020, appendix B.9)."""
    import torchvision  # here, for it takes seconds to import and the compact encoder does without

    resnet = torchvision.models.resnet18(weights=None)
    stem = nn.Sequential(nn.Conv2d(3, 64, 3, padding=1, bias=False), resnet.bn1, resnet.relu)
    return Encoder(stem, [resnet.layer1, resnet.layer2, resnet.layer3, resnet.layer4], 512, mean, std)
