"""Features of a frozen encoder, with their labels."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from course_utils.data.images import ImageSplits
from course_utils.data.splits import LabeledExamples


@dataclass(frozen=True)
class Labeled(LabeledExamples):
    """Feature vectors (N, dim) float32 with their labels (N,) int64."""

    features: Tensor
    labels: Tensor

    def take(self, indices: Tensor) -> "Labeled":
        """Return the examples at `indices`."""
        return Labeled(self.features[indices], self.labels[indices])

    def joined(self, other: "Labeled") -> "Labeled":
        """Return these examples and then the other's."""
        return Labeled(torch.cat([self.features, other.features]), torch.cat([self.labels, other.labels]))


@dataclass(frozen=True)
class FeatureSplits:
    """A data set's features in its three splits."""

    train: Labeled
    validation: Labeled
    test: Labeled


def extract_features(encoder: nn.Module, images: Tensor, batch_size: int = 100) -> Tensor:
    """Return the frozen encoder's features of uint8 images, in eval mode; the encoder is left as it was.

    Shape: (N, C, H, W) uint8 → (N, dim) float32, on the CPU.
    """
    device = next((parameter.device for parameter in encoder.parameters()), torch.device("cpu"))
    modes = [(module, module.training) for module in encoder.modules()]
    encoder.eval()
    try:
        with torch.inference_mode():
            batches = [
                encoder(batch.to(device).float() / 255).float().flatten(1).cpu() for batch in images.split(batch_size)
            ]
    finally:
        for module, mode in modes:
            module.training = mode
    return torch.cat(batches).clone()


def extract_splits(encoder: nn.Module, splits: ImageSplits) -> FeatureSplits:
    """Return the features of all three splits."""
    return FeatureSplits(
        *(
            Labeled(extract_features(encoder, part.images), part.labels)
            for part in (splits.train, splits.validation, splits.test)
        )
    )
