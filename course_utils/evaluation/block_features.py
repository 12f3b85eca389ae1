"""Features read in the middle of an encoder: the maps of the stem and of every block, pooled to a small grid."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.data.images import ImageSplits
from course_utils.evaluation.features import FeatureSplits, Labeled, extract_splits
from course_utils.evaluation.linear_probe import ProbeResult, evaluate_linear
from course_utils.models.vision import Encoder

LAST = "features h"
"""The name of what the encoder itself returns: the last block averaged over all of the image."""


class PooledBlocks(nn.Module):
    """All places of an encoder at once, one after the other in a row of features.

    Args:
        encoder: whose maps are read.
        grid: rows and columns of the grid that maps are averaged to; 2 keeps where things are, roughly.
    """

    def __init__(self, encoder: Encoder, grid: int = 2) -> None:
        super().__init__()
        if grid < 1:
            raise ValueError(f"grid must be at least 1, got {grid}")
        self.encoder, self.grid = encoder, grid
        self.sizes: list[int] = []  # of the places' features, known once images have passed

    @property
    def names(self) -> list[str]:
        """The places, from the image to the end: "stem", "block 1", …, "features h"."""
        return ["stem", *(f"block {number + 1}" for number in range(len(self.encoder.blocks))), LAST]

    def forward(self, images: Tensor) -> Tensor:
        """Shape: (batch, 3, height, width), floats in [0, 1] → (batch, dims of all places together)."""
        places = self.read(images)
        self.sizes = [place.shape[1] for place in places]
        return torch.cat(places, dim=1)

    def read(self, images: Tensor) -> list[Tensor]:
        """Return each place's features, (batch, channels · grid²) and for the last (batch, channels)."""
        maps = self.encoder.forward_blocks(images)
        pooled = [F.adaptive_avg_pool2d(each, self.grid).flatten(start_dim=1) for each in maps]
        return [*pooled, maps[-1].mean(dim=(2, 3))]


def extract_blocks(encoder: Encoder, splits: ImageSplits, grid: int = 2) -> dict[str, FeatureSplits]:
    """Return the frozen encoder's features at every place, by the place's name; one pass over the images."""
    reader = PooledBlocks(encoder, grid)
    everything = extract_splits(reader, splits)
    parts = [_columns(data, reader.sizes) for data in (everything.train, everything.validation, everything.test)]
    return {name: FeatureSplits(*split) for name, split in zip(reader.names, zip(*parts, strict=True), strict=True)}


def join_blocks(blocks: Mapping[str, FeatureSplits]) -> FeatureSplits:
    """Return the features of the stem and of all blocks side by side.

    Features h are left out: they are means of the last block's.
    """
    parts = [data for name, data in blocks.items() if name != LAST]
    return FeatureSplits(
        *(
            Labeled(torch.cat([each.features for each in same], dim=1), same[0].labels)
            for same in zip(*((data.train, data.validation, data.test) for data in parts), strict=True)
        )
    )


def evaluate_blocks(blocks: Mapping[str, FeatureSplits], num_classes: int) -> dict[str, ProbeResult]:
    """Return the probe's result at every place, each by the one protocol of `evaluate_linear`."""
    return {name: evaluate_linear(data, num_classes) for name, data in blocks.items()}


def best_block(results: Mapping[str, ProbeResult]) -> str:
    """Return the place whose probe was best on validation: the test images have no say in it."""
    return max(results, key=lambda name: results[name].validation_accuracy)


def _columns(data: Labeled, sizes: list[int]) -> list[Labeled]:
    # copies, so that keeping one place does not keep all in memory
    return [Labeled(features.contiguous(), data.labels) for features in data.features.split(sizes, dim=1)]
