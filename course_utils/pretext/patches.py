"""Hidden patches: cut a picture into squares, hide most, predict their pixels from the rest (He et al. 2022)."""

import torch
from torch import Tensor
from torch.nn import functional as F


def patchify(images: Tensor, patch: int) -> Tensor:
    """Cut images into squares, row by row.

    Shape: (N, C, H, W) → (N, H / patch · W / patch, C · patch²).

    Raises:
        ValueError: the squares do not fill the images.
    """
    if images.ndim != 4 or images.shape[2] % patch or images.shape[3] % patch:
        raise ValueError(f"patches of {patch} pixels do not fill images of shape {tuple(images.shape)}")
    return F.unfold(images, patch, stride=patch).transpose(1, 2)


def unpatchify(patches: Tensor, patch: int, size: tuple[int, int]) -> Tensor:
    """Put the squares of `patchify` together again.

    Shape: (N, patches, C · patch²) → (N, C, *size).
    """
    return F.fold(patches.transpose(1, 2), size, patch, stride=patch)


def num_kept(num_patches: int, share: float) -> int:
    """Return how many patches stay visible where `share` of them is hidden: at least one, and at least one is hidden.

    Raises:
        ValueError: the share is not between 0 and 1, or there is only one patch.
    """
    if not 0 < share < 1 or num_patches < 2:
        raise ValueError(f"a share between 0 and 1 of at least 2 patches can be hidden, got {share} of {num_patches}")
    return min(max(num_patches - round(share * num_patches), 1), num_patches - 1)


def draw_hidden(count: int, num_patches: int, share: float, generator: torch.Generator) -> Tensor:
    """Return for each of `count` images which patches are hidden: a random share of them, in each image others.

    Shape: (count, num_patches) bool, on the CPU; every row has equally many True.

    Raises:
        ValueError: as for `num_kept`.
    """
    visible = num_kept(num_patches, share)
    ranks = torch.rand(count, num_patches, generator=generator).argsort(dim=1).argsort(dim=1)  # a shuffle of each row
    return ranks >= visible


def masked_patch_loss(predicted: Tensor, patches: Tensor, hidden: Tensor) -> Tensor:
    """Return the mean squared error over the hidden patches' pixels; what was visible does not count (section 3).

    Shape: predicted and patches (N, patches, values), hidden (N, patches) bool → scalar.

    Raises:
        ValueError: nothing is hidden.
    """
    if not bool(hidden.any()):
        raise ValueError("nothing is hidden, so there is nothing to predict")
    squared = (predicted.float() - patches.float()).square().mean(dim=2)  # (N, patches)
    return (squared * hidden).sum() / hidden.sum()


def hidden_pixels(hidden: Tensor, patch: int, size: tuple[int, int]) -> Tensor:
    """Return which pixels are hidden, (N, patches) bool → (N, 1, *size) bool."""
    rows = hidden.view(-1, 1, size[0] // patch, size[1] // patch)
    return rows.repeat_interleave(patch, dim=2).repeat_interleave(patch, dim=3)


def fill_with_mean_color(images: Tensor, hidden: Tensor) -> Tensor:
    """Give hidden pixels the mean color of the image's visible ones.

    Shape: images (N, C, H, W) floats, hidden (N, 1, H, W) bool → (N, C, H, W).
    """
    visible = ~hidden
    count = visible.sum(dim=(2, 3), keepdim=True).clamp_min(1)
    mean = (images * visible).sum(dim=(2, 3), keepdim=True) / count
    return torch.where(hidden, mean, images)


def fill_from_neighbors(images: Tensor, hidden: Tensor, num_rounds: int = 100) -> Tensor:
    """Give hidden pixels the average of their four neighbors, over and over, starting from the mean color.

    It settles at a surface as smooth as can be; slopes of one steepness are restored exactly.

    Shape: images (N, C, H, W) floats, hidden (N, 1, H, W) bool → (N, C, H, W).
    """
    filled = fill_with_mean_color(images, hidden)
    for _ in range(num_rounds):
        framed = F.pad(filled, (1, 1, 1, 1), mode="replicate")
        average = (framed[..., :-2, 1:-1] + framed[..., 2:, 1:-1] + framed[..., 1:-1, :-2] + framed[..., 1:-1, 2:]) / 4
        filled = torch.where(hidden, average, images)
    return filled


def hidden_error(restored: Tensor, images: Tensor, hidden: Tensor) -> float:
    """Return the mean squared error over hidden pixels; shapes as for `fill_from_neighbors`."""
    squared = (restored - images).square() * hidden
    return (squared.sum(dtype=torch.float64) / (hidden.sum() * images.shape[1])).item()
