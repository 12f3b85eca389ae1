"""Views: altered copies of images, each image of a batch with its own draw, as SimCLR needs them."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from course_utils.transforms import color_jitter, gaussian_blur, resized_crop, to_gray

CROP_TRIES = 10  # as torchvision: boxes that do not fit are drawn again, at most so many times
BLUR_SIGMAS = (0.1, 2.0)  # pixels
PIXELS_PER_CHUNK = 128 * 32 * 32  # on a CPU: small enough for its caches, large enough to keep its cores busy


@dataclass(frozen=True)
class ViewSettings:
    """How views are made (Chen et al. 2020, appendix A).

    Args:
        size: pixels of a view's side.
        min_area, max_area: range of the crop, as shares of the image's area, in (0, 1].
        max_aspect: crops are at most so many times wider than high, or higher than wide.
        flip_prob: share of mirrored views.
        jitter_prob: share of views with distorted colors.
        color_strength: s; brightness, contrast and saturation change by up to 0.8 s, hue by up to 0.2 s turns.
        gray_prob: share of views without color.
        blur_prob: share of blurred views, with a sigma of 0.1 to 2 pixels.

    Raises:
        ValueError: a value out of range.
    """

    size: int
    min_area: float = 0.2
    max_area: float = 1.0
    max_aspect: float = 4 / 3
    flip_prob: float = 0.5
    jitter_prob: float = 0.8
    color_strength: float = 0.5
    gray_prob: float = 0.1
    blur_prob: float = 0.0

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"size must be at least 1 pixel, got {self.size}")
        if not 0 < self.min_area <= self.max_area <= 1:
            raise ValueError(f"0 < min_area <= max_area <= 1 must hold, got {self.min_area} and {self.max_area}")
        if not self.max_aspect >= 1:
            raise ValueError(f"max_aspect must be at least 1, got {self.max_aspect}")
        if not 0 <= self.color_strength <= 2:
            raise ValueError(f"color_strength must be in [0, 2], got {self.color_strength}")
        for name in ("flip_prob", "jitter_prob", "gray_prob", "blur_prob"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in [0, 1], got {getattr(self, name)}")


class ViewDraws(NamedTuple):
    """What was drawn for N views; each is a tensor of shape (N,)."""

    top: Tensor
    left: Tensor
    height: Tensor
    width: Tensor
    flipped: Tensor
    jittered: Tensor
    brightness: Tensor
    contrast: Tensor
    saturation: Tensor
    hue: Tensor
    gray: Tensor
    blurred: Tensor
    sigma: Tensor

    def take(self, which: Tensor | slice) -> "ViewDraws":
        """Return the draws of some of the views."""
        return ViewDraws(*(values[which] for values in self))

    def to(self, device: torch.device) -> "ViewDraws":
        """Return the draws on `device`; they travel as one table, for each transfer has its price."""
        if self.top.device == device:
            return self
        table = torch.stack([values.to(torch.float32) for values in self]).to(device)
        return ViewDraws(*(row.to(values.dtype) for row, values in zip(table, self, strict=True)))


def simclr_views(images: Tensor, settings: ViewSettings, generator: torch.Generator) -> Tensor:
    """Return one view of each image: crop and flip, color distortion, gray, blur.

    For SimCLR's two views of a batch: `simclr_views(images.repeat(2, 1, 1, 1), …).chunk(2)`.

    Args:
        images: uint8, or floats in [0, 1].
        settings: see `ViewSettings`.
        generator: the source of chance; draws are made on its device and moved to the images'.

    Shape: (N, 3, H, W) → (N, 3, size, size), float32 in [0, 1], on the images' device.

    Raises:
        ValueError: not a batch of color images, or of another type.
    """
    if images.ndim != 4 or images.shape[1] != 3 or 0 in images.shape[2:]:
        raise ValueError(f"images must have the shape (N, 3, H, W), got {tuple(images.shape)}")
    if images.dtype != torch.uint8 and not images.is_floating_point():
        raise ValueError(f"images must be uint8, or floats in [0, 1], got {images.dtype}")
    draws = draw_views(len(images), images.shape[2], images.shape[3], settings, generator)
    return apply_draws(images, draws, settings.size)


def draw_views(count: int, height: int, width: int, settings: ViewSettings, generator: torch.Generator) -> ViewDraws:
    """Draw how `count` images of height × width pixels are altered, on the generator's device."""

    def uniform(low: float, high: float) -> Tensor:
        return torch.empty(count, device=generator.device).uniform_(low, high, generator=generator)

    def happens(probability: float) -> Tensor:
        return uniform(0, 1) < probability

    change = 0.8 * settings.color_strength
    turn = 0.2 * settings.color_strength
    return ViewDraws(
        *draw_crops(count, height, width, settings, generator),
        flipped=happens(settings.flip_prob),
        jittered=happens(settings.jitter_prob),
        brightness=uniform(max(0.0, 1 - change), 1 + change),
        contrast=uniform(max(0.0, 1 - change), 1 + change),
        saturation=uniform(max(0.0, 1 - change), 1 + change),
        hue=uniform(-turn, turn),
        gray=happens(settings.gray_prob),
        blurred=happens(settings.blur_prob),
        sigma=uniform(*BLUR_SIGMAS),
    )


def apply_draws(images: Tensor, draws: ViewDraws, size: int) -> Tensor:
    """Alter each image as it was drawn.

    Shape: images (N, 3, H, W) uint8 or float → (N, 3, size, size), float32 in [0, 1], on the images' device.
    """
    views = torch.empty(len(images), 3, size, size, device=images.device)
    pixels = max(images.shape[2] * images.shape[3], size * size)
    chunk = PIXELS_PER_CHUNK // pixels if images.device.type == "cpu" else len(images)
    chunk = max(chunk, 1)
    for start in range(0, len(images), chunk):
        part = slice(start, start + chunk)
        views[part] = _alter(images[part], draws.take(part), size)
    return views


def draw_crops(
    count: int, height: int, width: int, settings: ViewSettings, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Draw boxes as torchvision's RandomResizedCrop does, for `count` images of height × width pixels.

    Area uniform, aspect uniform in its logarithm; a box that does not fit is drawn again, and after 10 tries the
    largest centered box of an allowed aspect is taken.

    Shape: returns top, left, height, width, each (count,) int64, on the generator's device.
    """
    device = generator.device
    tries = (count, CROP_TRIES)
    share = torch.rand(tries, generator=generator, device=device)
    area = height * width * (settings.min_area + share * (settings.max_area - settings.min_area))
    limit = math.log(settings.max_aspect)
    aspect = ((2 * torch.rand(tries, generator=generator, device=device) - 1) * limit).exp()
    box_width, box_height = (area * aspect).sqrt().round().long(), (area / aspect).sqrt().round().long()
    fits = (box_width > 0) & (box_width <= width) & (box_height > 0) & (box_height <= height)
    first = fits.long().argmax(dim=1, keepdim=True)  # 0 where none fits
    found = fits.any(dim=1)
    fallback_height = min(height, round(width * settings.max_aspect))
    fallback_width = min(width, round(height * settings.max_aspect))
    box_height = torch.where(found, box_height.gather(1, first)[:, 0], fallback_height)
    box_width = torch.where(found, box_width.gather(1, first)[:, 0], fallback_width)
    place = torch.rand(2, count, generator=generator, device=device)
    top = torch.where(found, (place[0] * (height - box_height + 1)).long(), (height - box_height) // 2)
    left = torch.where(found, (place[1] * (width - box_width + 1)).long(), (width - box_width) // 2)
    return top, left, box_height, box_width


def blur_kernel_size(size: int) -> int:
    """Return SimCLR's kernel for a view of `size` pixels: a tenth of it, odd, at least 3."""
    return max(3, size // 10 // 2 * 2 + 1)


def _alter(images: Tensor, drawn: ViewDraws, size: int) -> Tensor:
    draws = drawn.to(images.device)
    values = images.float() / 255 if images.dtype == torch.uint8 else images.float()
    views = resized_crop(values, draws.top, draws.left, draws.height, draws.width, size, draws.flipped)
    factors = (draws.brightness, draws.contrast, draws.saturation, draws.hue)
    _alter_some(views, drawn.jittered, color_jitter, *factors)
    _alter_some(views, drawn.gray, to_gray)
    _alter_some(views, drawn.blurred, partial(gaussian_blur, kernel_size=blur_kernel_size(size)), draws.sigma)
    return views.clamp_(0, 1)  # roundings


def _alter_some(views: Tensor, chosen: Tensor, alter: Callable[..., Tensor], *parameters: Tensor) -> None:
    """Alter the chosen views in place; `chosen` stays where it was drawn, for asking a GPU would stop us there."""
    which = chosen.nonzero()[:, 0]
    if len(which):
        which = which.to(views.device)
        some = views.index_select(0, which)  # twice as fast as views[which]
        views.index_copy_(0, which, alter(some, *(values[which] for values in parameters)))
