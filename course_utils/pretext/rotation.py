"""Predicting rotations: turn every image by quarter turns and ask by how much (Gidaris, Singh, Komodakis 2018)."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

FOUR_TURNS = (0, 1, 2, 3)
TURN_SETS: dict[str, tuple[int, ...]] = {"four": FOUR_TURNS, "half": (0, 2), "quarter": (1, 3)}
"""Which turns, in quarters against the clock: RotNet's own four, 0° and 180°, 90° and 270° (the paper's table 2)."""


def degrees(turns: Sequence[int] = FOUR_TURNS) -> list[str]:
    """Return the turns' names, such as "90°"."""
    return [f"{90 * turn}°" for turn in turns]


def rotate(images: Tensor, quarter_turns: int) -> Tensor:
    """Turn images against the clock by whole quarters: pixels move, none is interpolated or lost.

    Shape: (..., side, side) → the same.

    Raises:
        ValueError: the images are not square.
    """
    if images.ndim < 2 or images.shape[-1] != images.shape[-2]:
        raise ValueError(f"only square images keep their shape when turned, got {tuple(images.shape)}")
    return torch.rot90(images, quarter_turns, dims=(-2, -1))


def rotate_all(images: Tensor, turns: Sequence[int] = FOUR_TURNS) -> tuple[Tensor, Tensor]:
    """Return every image in every turn, and which turn it is in.

    All turns of an image belong in one batch (the paper, section 3.1: otherwise accuracy drops).

    Args:
        images: of any type, number of channels and size.
        turns: quarter turns against the clock, each once.

    Shape: images (N, C, side, side) → (T · N, C, side, side), turn by turn, and labels (T · N,) int64 in [0, T).

    Raises:
        ValueError: the images are not square, or a turn comes twice.
    """
    if len({turn % 4 for turn in turns}) < len(turns) or not turns:
        raise ValueError(f"turns must be different quarters, at least one, got {list(turns)}")
    rotated = torch.cat([rotate(images, turn) for turn in turns])
    return rotated, torch.arange(len(turns), device=images.device).repeat_interleave(len(images))


def rotation_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean cross-entropy over all images and turns, in nats (the paper, equations 2 and 3).

    Shape: logits (T · N, T), labels (T · N,) int64 → scalar. Chance is ln T.
    """
    return F.cross_entropy(logits.float(), labels)


def rotation_accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the share of turns that are told right; shapes as for `rotation_loss`."""
    return (logits.argmax(dim=1) == labels).float().mean()
