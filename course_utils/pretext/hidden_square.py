"""The smallest pretext task of the course: hide a square of an image and predict it from the pixels around it."""

import torch
from torch import Tensor


def split_square(images: Tensor, side: int, frame: int) -> tuple[Tensor, Tensor]:
    """Cut the middle square out of images, and the frame around it.

    Args:
        images: of height and width at least side + 2 · frame.
        side: of the square, in pixels.
        frame: pixels around the square that the prediction may look at.

    Shape: images (N, C, height, width) uint8 → frame (N, C · number of its pixels) and hidden square (N, C · side²),
    floats in [0, 1].

    Raises:
        ValueError: the images are too small for the square and its frame, or one of the two has no width.
    """
    for name, pixels in {"side": side, "frame": frame}.items():
        if pixels < 1:
            raise ValueError(f"{name} must be at least 1 pixel, got {pixels}")
    top, left = _corner(images, side + 2 * frame)
    window = images[:, :, top : top + side + 2 * frame, left : left + side + 2 * frame].float() / 255
    hidden = torch.zeros(window.shape[-2:], dtype=torch.bool)
    hidden[frame:-frame, frame:-frame] = True
    return window[:, :, ~hidden].flatten(1), window[:, :, hidden].flatten(1)


def fit_line(inputs: Tensor, targets: Tensor, l2: float = 1e-3) -> Tensor:
    """Return the weights with which sums of inputs come closest to the targets (ridge regression).

    Args:
        inputs: a row for each example.
        targets: a row for each example.
        l2: how strongly weights are held back, for each example; the constant is not.

    Shape: inputs (N, P), targets (N, Q) → (P + 1, Q); the last row is the constant.

    Raises:
        ValueError: l2 is not above 0.
    """
    if not l2 > 0:
        raise ValueError(f"l2 must be above 0, got {l2}")
    mean_in, mean_out = inputs.mean(dim=0), targets.mean(dim=0)
    centered = inputs - mean_in
    gram = centered.T @ centered / len(inputs) + l2 * torch.eye(inputs.shape[1])  # (P, P)
    weights = torch.linalg.solve(gram, centered.T @ (targets - mean_out) / len(inputs))  # (P, Q)
    return torch.cat([weights, (mean_out - mean_in @ weights)[None]])


def predict_line(weights: Tensor, inputs: Tensor) -> Tensor:
    """Return the weighted sums, (N, P) → (N, Q), for weights of `fit_line`."""
    return inputs @ weights[:-1] + weights[-1]


def fill_square(images: Tensor, squares: Tensor, side: int) -> Tensor:
    """Return copies of the images with other pixels in the middle.

    Shape: images (N, C, height, width) uint8, squares (N, C · side²) in [0, 1] → (N, C, height, width) uint8.

    Raises:
        ValueError: the images are too small for the square.
    """
    top, left = _corner(images, side)
    filled = images.clone()
    pixels = (squares.clamp(0, 1) * 255).round().byte()
    filled[:, :, top : top + side, left : left + side] = pixels.view(len(images), -1, side, side)
    return filled


def root_mean_square(differences: Tensor) -> float:
    """Return the typical size of differences; of pixels in [0, 1], a share of full brightness."""
    return differences.double().square().mean().sqrt().item()


def _corner(images: Tensor, side: int) -> tuple[int, int]:
    """Return the first row and column of the square in the middle."""
    height, width = images.shape[-2:]
    if side < 1 or min(height, width) < side:
        raise ValueError(f"a square of {side} pixels doesn't fit into images of {height} × {width}")
    return (height - side) // 2, (width - side) // 2
