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
    vertical = _resize_matrices(top, height, rows, size)  # (N, size, H)
    horizontal = _resize_matrices(left, width, columns, size, flip)  # (N, size, W)
    narrow = torch.bmm(images.reshape(count, channels * rows, columns), horizontal.transpose(1, 2))
    return vertical[:, None] @ narrow.view(count, channels, rows, size)


def adjust_brightness(images: Tensor, factor: Tensor) -> Tensor:
    """Multiply; 0 is black, 1 leaves the image as it is."""
    return (images * _per_image(factor)).clamp_(0, 1)


def adjust_contrast(images: Tensor, factor: Tensor) -> Tensor:
    """Move away from the image's mean gray; 0 is flat gray, 1 leaves the image as it is."""
    mean = _gray(images).mean(dim=(2, 3), keepdim=True)  # (N, 1, 1, 1)
    return mean.lerp(images, _per_image(factor)).clamp_(0, 1)


def adjust_saturation(images: Tensor, factor: Tensor) -> Tensor:
    """Move away from each pixel's gray; 0 is a gray image, 1 leaves the image as it is."""
    return _gray(images).lerp(images, _per_image(factor)).clamp_(0, 1)


def adjust_hue(images: Tensor, shift: Tensor) -> Tensor:
    """Turn the colors around the color wheel, by a share of a full turn in [−0.5, 0.5].

    The same as to HSV and back, but a turn of the hue leaves each pixel's largest and smallest value in place, so
    only the way between them is computed anew.
    """
    red, green, blue = images.unbind(1)  # (N, H, W) each
    high = torch.maximum(torch.maximum(red, green), blue)
    low = torch.minimum(torch.minimum(red, green), blue)
    chroma = high - low
    # which channel is the largest, as 0 or 1: arithmetic here is many times faster than comparing and choosing
    red_leads = 1 - torch.sign(high - red)
    green_leads = (1 - torch.sign(high - green)) * (1 - red_leads)
    blue_leads = 1 - red_leads - green_leads
    lead = (green - blue) * red_leads + (blue - red) * green_leads + (red - green) * blue_leads
    # the place on the color wheel: 0 red, 2 green, 4 blue, 6 red again; a gray pixel has none, so any will do
    position = (lead / chroma.clamp_min(1e-12)).add_(green_leads, alpha=2).add_(blue_leads, alpha=4)
    position += 6 * shift[:, None, None]
    start = torch.tensor([0.0, 4.0, 2.0], device=images.device)[:, None, None]
    turned = position[:, None] + start  # (N, 3, H, W)
    turned.sub_(torch.floor(turned / 6).mul_(6))  # into [0, 6)
    share = turned.sub_(3).abs_().sub_(1).clamp_(0, 1)
    return share.mul_(chroma[:, None]).add_(low[:, None])


def color_jitter(images: Tensor, brightness: Tensor, contrast: Tensor, saturation: Tensor, hue: Tensor) -> Tensor:
    """Adjust brightness, contrast, saturation and hue, in this order.

    torchvision's ColorJitter draws the order anew each time; one order for all is what a batch can share.
    """
    images = adjust_brightness(images, brightness)
    images = adjust_contrast(images, contrast)
    images = adjust_saturation(images, saturation)
    return adjust_hue(images, hue)


def to_gray(images: Tensor, chosen: Tensor) -> Tensor:
    """Take the color from the chosen images (booleans); they keep three channels, all the same."""
    return images.lerp(_gray(images), _per_image(chosen.to(images.dtype)))


def gaussian_blur(images: Tensor, sigma: Tensor, kernel_size: int) -> Tensor:
    """Blur with a Gaussian of `sigma` pixels cut off at `kernel_size` (odd), the borders reflected.

    A blur is linear in rows and in columns as well: again two matrix products.
    """
    vertical = _blur_matrices(sigma, kernel_size, images.shape[2])
    horizontal = _blur_matrices(sigma, kernel_size, images.shape[3])
    return vertical[:, None] @ images @ horizontal[:, None].transpose(2, 3)


def _resize_matrices(start: Tensor, length: Tensor, side: int, size: int, flip: Tensor | None = None) -> Tensor:
    """Return (N, size, side): row i of a matrix holds the weights of the source pixels of result pixel i.

    A triangle around the place that i comes from, as wide as a result pixel, or as a source pixel where those are
    wider (antialiasing); cut off at the box and normalized.
    """
    start, length = (value.to(torch.float32)[:, None, None] for value in (start, length))
    scale = length / size
    result = torch.arange(size, device=start.device, dtype=torch.float32)[:, None] + 0.5
    if flip is not None:
        result = result.lerp(size - result, flip.to(torch.float32)[:, None, None])  # (N, size, 1), counted backwards
    source = torch.arange(side, device=start.device, dtype=torch.float32) + 0.5 - start  # counted from the box's edge
    weights = (source - result * scale).abs_().div_(scale.clamp_min(1.0)).neg_().add_(1).clamp_min_(0)
    weights *= ((source > 0) & (source < length)).to(torch.float32)
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
