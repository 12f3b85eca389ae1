"""Pictures of images: in grids and rows, beside their neighbors, under maps, with a network's answer."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from course_utils.plotting.style import BLUE, GREEN, INK, nothing_to_show

GAP = 0.07  # between images, as a share of an image


def image_grid(images: Tensor, columns: int, titles: Sequence[str] | None = None, scale: float = 0.9) -> Figure:
    """Draw images row by row.

    Args:
        images: (N, C, H, W), uint8 or floats in [0, 1]; C is 3 or 1.
        columns: images in a row.
        titles: one above each image, or above the first row only where there are `columns` of them.
        scale: inches an image.
    """
    if not len(images):
        return nothing_to_show("There is no such image.")
    rows = -(-len(images) // columns)
    title_space = 0.32 / scale if titles else 0.0
    height = 1 + (title_space if titles and len(titles) > columns else GAP)  # of a row
    sheet = _Sheet(columns + GAP * (columns - 1), rows * height + title_space, scale)
    for place, image in enumerate(images):
        x, y = place % columns * (1 + GAP), title_space + place // columns * height
        sheet.image(x, y, image)
        if titles and place < len(titles):
            sheet.words(x + 0.5, y - 0.05, titles[place], size=8, ha="center", va="bottom")
    return sheet.figure


def rows_of_images(rows: Sequence[tuple[str, Tensor]], columns: int, scale: float = 0.8) -> Figure:
    """Draw rows of images, each with its name at the left; images (N, C, H, W) as for `image_grid`."""
    label_width = (0.1 + 0.085 * max(len(name) for name, _ in rows)) / scale
    sheet = _Sheet(label_width + columns * (1 + GAP), len(rows) * (1 + GAP), scale)
    for row, (name, images) in enumerate(rows):
        y = row * (1 + GAP)
        sheet.words(label_width - 0.12, y + 0.5, name, size=9, ha="right", va="center")
        for column, image in enumerate(images[:columns]):
            sheet.image(label_width + column * (1 + GAP), y, image)
    return sheet.figure


def heat_over_images(images: Tensor, maps: Tensor, titles: Sequence[str], colorbar: str) -> Figure:
    """Draw images in a row, and below each the same with a map over it: red above 0, blue below.

    Shape: images (N, C, H, W); maps (N, rows, columns), stretched over the image.
    """
    figure = Figure(figsize=(1.25 * len(images) + 0.9, 2.9), layout="constrained")
    axes = figure.subplots(2, len(images), squeeze=False)
    largest = max(maps.abs().quantile(0.98).item(), 1e-6)
    for column, (image, heat, title) in enumerate(zip(images, maps, titles, strict=True)):
        pixels = image.permute(1, 2, 0).cpu().numpy()
        place = (0, pixels.shape[1], pixels.shape[0], 0)
        axes[0, column].imshow(pixels, extent=place)
        axes[0, column].set_title(title, fontsize=8.5, color=INK)
        axes[1, column].imshow(pixels.mean(axis=-1), cmap="gray", extent=place)
        drawn = axes[1, column].imshow(
            heat.cpu().numpy(), cmap="RdBu_r", vmin=-largest, vmax=largest, alpha=0.7, extent=place,
            interpolation="bilinear",
        )  # fmt: skip
    for axis in axes.flat:
        axis.axis("off")
    figure.colorbar(drawn, ax=axes[1].tolist(), label=colorbar, shrink=0.9)
    return figure


def answer(image: Tensor, probabilities: Mapping[str, float], right: str | None = None) -> Figure:
    """Draw an image beside the probabilities that a network gives to its answers; the right one in green."""
    figure = Figure(figsize=(5.6, 2.3), layout="constrained")
    left, axis = figure.subplots(1, 2, width_ratios=[1, 1.5])
    left.imshow(image.permute(1, 2, 0).cpu().numpy(), interpolation="nearest")
    left.axis("off")
    for position, (name, share) in enumerate(probabilities.items()):
        axis.barh(position, share, color=GREEN if name == right else BLUE, height=0.66)
        axis.text(share + 0.02, position, f"{100 * share:.0f} %", va="center", fontsize=9, color=INK)
    axis.set_yticks(range(len(probabilities)), list(probabilities))
    axis.invert_yaxis()
    axis.set(xlim=(0, 1.18), xticks=[], xlabel="the network's probability")
    axis.spines[:].set_visible(False)
    axis.tick_params(axis="y", length=0, labelsize=9)
    return figure


def neighbors(queries: Tensor, found: Mapping[str, Tensor], scale: float = 0.72) -> Figure:
    """Draw query images at the left and, block by block, the nearest images that each encoder found.

    Shape: queries (Q, C, H, W); each of found (Q, k, C, H, W).
    """
    blocks = {"query": queries[:, None], **found}
    title_space, space_between = 0.4, 0.4
    columns = sum(images.shape[1] for images in blocks.values())
    width = columns * (1 + GAP) + space_between * len(found)
    sheet = _Sheet(width, title_space + len(queries) * (1 + GAP), scale)
    x = 0.0
    for name, images in blocks.items():
        sheet.words(x, title_space - 0.08, name, size=9, ha="left", va="bottom")
        for row, nearest in enumerate(images):
            for column, image in enumerate(nearest):
                sheet.image(x + column * (1 + GAP), title_space + row * (1 + GAP), image)
        x += images.shape[1] * (1 + GAP) + space_between
    return sheet.figure


class _Sheet:
    """A page on which images and words are placed, measured in images from the upper left corner.

    All of them share one axis: with one each, a hundred images take seconds.
    """

    def __init__(self, width: float, height: float, scale: float) -> None:
        self.figure = Figure(figsize=(width * scale, height * scale))
        self.axis = self.figure.add_axes((0, 0, 1, 1))
        self.axis.axis("off")
        self.axis.set(xlim=(0, width), ylim=(height, 0), autoscale_on=False)

    def image(self, x: float, y: float, image: Tensor) -> None:
        """Place an image (C, H, W), uint8 or floats in [0, 1]."""
        pixels = image.permute(1, 2, 0).cpu().numpy()  # (H, W, C)
        self.axis.imshow(
            pixels.squeeze(-1) if pixels.shape[-1] == 1 else pixels,
            cmap="gray",
            vmin=0,
            vmax=255 if pixels.dtype == np.uint8 else 1,
            extent=(x, x + 1, y + 1, y),
            interpolation="nearest",
            aspect="auto",
        )

    def words(self, x: float, y: float, text: str, *, size: float, ha: str, va: str) -> None:
        """Write a line."""
        self.axis.text(x, y, text, fontsize=size, ha=ha, va=va, color=INK)
