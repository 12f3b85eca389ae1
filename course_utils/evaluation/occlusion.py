"""What a network looks at: cover a part of the image, and see how much its answer suffers (Zeiler, Fergus 2014)."""

import torch
from torch import Tensor, nn

from course_utils.evaluation.features import extract_features


def occlusion_map(model: nn.Module, image: Tensor, label: int, patch: int = 8, stride: int = 2) -> Tensor:
    """Return how much of the probability of `label` is lost when a gray square covers each place.

    Args:
        model: images in [0, 1] to logits.
        image: (C, height, width) uint8.
        label: whose probability is watched.
        patch: pixels of the square's side.
        stride: pixels between squares.

    Shape: returns (rows, columns), rows = (height − patch) // stride + 1; negative where covering helps.

    Raises:
        ValueError: the square does not fit into the image.
    """
    height, width = image.shape[1:]
    if not 1 <= patch <= min(height, width) or stride < 1:
        raise ValueError(f"a square of {patch} pixels every {stride} doesn't fit an image of {width} × {height}")
    tops, lefts = range(0, height - patch + 1, stride), range(0, width - patch + 1, stride)
    covered = image.repeat(len(tops) * len(lefts), 1, 1, 1)
    gray = image.float().mean(dim=(1, 2), keepdim=True).to(torch.uint8)  # the image's own mean color
    for place, (top, left) in enumerate((top, left) for top in tops for left in lefts):
        covered[place, :, top : top + patch, left : left + patch] = gray
    probabilities = extract_features(model, torch.cat([image[None], covered])).softmax(dim=1)[:, label]
    return (probabilities[0] - probabilities[1:]).view(len(tops), len(lefts))
