"""Alterations of batches of images, each image with parameters of its own; equal to torchvision's, one by one.

All take float images (N, 3, H, W) in [0, 1] and parameters of shape (N,), on any one device, and return new images.
"""

import torch
from torch import Tensor

GRAY_WEIGHTS = (0.2989, 0.587, 0.114)  # of red, green and blue (ITU-R 601, as torchvision rounds it)


def resized_crop(
    images: Tensor, top: Tensor, left: Tensor, height: Tensor, width: Tensor, size: int, flip: Tensor | None = None
) -> Tensor:
    """Cut a box out of every image and resize it to size × size, bilinear and antialiased.

    Such a resize is linear in rows and in columns, so it is two batched matrix products; a mirror image is the
    product with the rows of the second matrix turned round, and costs nothing. Four times faster here than sampling
    a grid.

    Args:
        images: (N, C, H, W).
        top, left, height, width: whole numbers, in pixels; boxes lie inside the images.
        size: pixels of the result.
        flip: booleans; which results are mirrored left to right.

    Shape: (N, C, H, W) → (N, C, size, size).
    """
    count, channels, rows, columns = images.shape
    mirrored = torch.zeros_like(top) if flip is None else flip
    # both axes in one go: small batches spend most of this in starting operations
    start, length = torch.cat([top, left]), torch.cat([height, width])
    turned_round = torch.cat([torch.zeros_like(mirrored), mirrored])
    matrices = _resize_matrices(start, length, turned_round, max(rows, columns), size)
    vertical, horizontal = matrices.tensor_split(2)  # (N, size, max(H, W)); columns beyond the image are all 0
    narrow = torch.bmm(images.reshape(count, channels * rows, columns), horizontal[..., :columns].transpose(1, 2))
    return vertical[:, None, :, :rows] @ narrow.view(count, channels, rows, size)


def adjust_brightness(images: Tensor, factor: Tensor) -> Tensor:
    """Multiply; 0 is black, 1 leaves the image as it is."""
    return (images * _per_image(factor)).clamp_(0, 1)


def adjust_contrast(images: Tensor, factor: Tensor) -> Tensor:
    """Move away from the image's mean gray; 0 is flat gray, 1 leaves the image as it is."""
    weights = torch.tensor(GRAY_WEIGHTS, device=images.device)
    mean = images.mean(dim=(2, 3)) @ weights  # (N,), the mean of the gray image, which so need not be made
    return (images * _per_image(factor)).add_(_per_image(mean * (1 - factor))).clamp_(0, 1)


def adjust_saturation(images: Tensor, factor: Tensor) -> Tensor:
    """Move away from each pixel's gray; 0 is a gray image, 1 leaves the image as it is."""
    return _gray(images).lerp(images, _per_image(factor)).clamp_(0, 1)


def adjust_hue(images: Tensor, shift: Tensor) -> Tensor:
    """Turn the colors around the color wheel, by a share of a full turn in [−0.5, 0.5].

    The same as to HSV, on, and back. But a turn of the hue leaves each pixel's largest and smallest value in place,
    and how much of what lies between them a channel gets depends only on how far the hue is from the channel's own:
    all up to a sixth of a turn, nothing beyond a third, and linearly less from the one to the other.
    """
    red, green, blue = images.unbind(1)  # (N, H, W) each
    high = torch.maximum(torch.maximum(red, green), blue)
    low = torch.minimum(torch.minimum(red, green), blue)
    fall = (low - high).mul_(6)  # of a channel's value, for a turn away from its own hue
    # How far the hue is from red, in turns. HSV asks which channel is largest: with a >= b the other two, it is
    # a - b, 2a - b - red or 2a + b - 3 red, over 6 (high - low), if red is the largest, the second or the last.
    # All three are what stands here, without asking.
    hue = (green + blue).sub_(red).add_(high).sub_(low, alpha=2).div_(fall.clamp_max(-1e-12))
    hue.copysign_(green - blue).add_(shift[:, None, None])  # gray pixels have no hue, so any will do
    own_hues = torch.tensor([0, 1 / 3, 2 / 3], device=images.device)[:, None, None]
    away = hue[:, None] - own_hues  # (N, 3, H, W)
    away.sub_(away.round()).abs_().clamp_(1 / 6, 1 / 3)  # the nearer way round
    return away.mul_(fall[:, None]).add_(high.mul_(2).sub_(low)[:, None])


def color_jitter(images: Tensor, brightness: Tensor, contrast: Tensor, saturation: Tensor, hue: Tensor) -> Tensor:
    """Adjust brightness, contrast, saturation and hue, in this order.

    torchvision's ColorJitter draws the order anew each time; one order for all is what a batch can share.
    """
    images = adjust_brightness(images, brightness)
    images = adjust_contrast(images, contrast)
    images = adjust_saturation(images, saturation)
    return adjust_hue(images, hue)


def to_gray(images: Tensor) -> Tensor:
    """Take the color away; there are still three channels, all the same."""
    return _gray(images).expand(-1, 3, -1, -1)


def gaussian_blur(images: Tensor, sigma: Tensor, kernel_size: int) -> Tensor:
    """Blur with a Gaussian of `sigma` pixels cut off at `kernel_size` (odd), the borders reflected.

    A blur is linear in rows and in columns as well: again two matrix products.
    """
    vertical = _blur_matrices(sigma, kernel_size, images.shape[2])
    horizontal = _blur_matrices(sigma, kernel_size, images.shape[3])
    return vertical[:, None] @ images @ horizontal[:, None].transpose(2, 3)


def _resize_matrices(start: Tensor, length: Tensor, mirrored: Tensor, side: int, size: int) -> Tensor:
    """Return (N, size, side): row i of a matrix holds the weights of the source pixels of result pixel i.

    A triangle around the place that i comes from, as wide as a result pixel, or as a source pixel where those are
    wider (antialiasing); cut off at the box and normalized. The rows of mirrored matrices count backwards.
    """
    start, length, mirrored = (values.to(torch.float32)[:, None, None] for values in (start, length, mirrored))
    scale = length / size
    half_width = scale.clamp_min(1.0)
    result = torch.arange(0.5, size, device=start.device)[:, None]  # centers of result pixels
    result = result.lerp(size - result, mirrored) * (scale / half_width)  # (N, size, 1)
    source = torch.arange(0.5, side, device=start.device) - start  # (N, 1, side), counted from the box's edge
    inside = ((source > 0) & (source < length)).to(torch.float32)
    away = (source / half_width - result).abs_().clamp_max_(1)  # (N, size, side)
    weights = torch.addcmul(inside, away, inside, value=-1)  # 1 − away inside, 0 outside
    return weights.div_(weights.sum(dim=2, keepdim=True))


def _blur_matrices(sigma: Tensor, kernel_size: int, side: int) -> Tensor:
    """Return (N, side, side): Gaussian weights along a band, folded back at the borders."""
    half = kernel_size // 2
    if kernel_size % 2 == 0 or not 0 < half < side:
        raise ValueError(f"kernel_size must be odd, at least 3 and less than twice the side {side}, got {kernel_size}")
    offsets = torch.arange(-half, half + 1, device=sigma.device)
    weights = (-0.5 * (offsets / sigma[:, None]) ** 2).exp()
    weights = weights / weights.sum(dim=1, keepdim=True)  # (N, kernel_size)
    reached = torch.arange(side, device=sigma.device)[:, None] + offsets  # (side, kernel_size)
    reflected = (side - 1) - ((side - 1) - reached.abs()).abs()
    taps = torch.nn.functional.one_hot(reflected, side).to(weights.dtype)  # (side, kernel_size, side)
    return torch.einsum("nk,skt->nst", weights, taps)


def _gray(images: Tensor) -> Tensor:
    """Shape: (N, 3, H, W) → (N, 1, H, W)."""
    red, green, blue = images.split(1, dim=1)
    return (red * GRAY_WEIGHTS[0]).add_(green, alpha=GRAY_WEIGHTS[1]).add_(blue, alpha=GRAY_WEIGHTS[2])


def _per_image(values: Tensor) -> Tensor:
    return values[:, None, None, None]
