"""Image files as tensors of one size."""

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from course_utils.data.folders import ClassFolder, FileKind, Items
from course_utils.errors import DataError
from course_utils.progress import progress

IMAGES = FileKind("images", frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".tif", ".tiff"}))
MOST_BYTES = 4 * 2**30
UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)
"""What Pillow raises for files that are cut, damaged, too large to be true or no pictures."""


def check_memory(folder: ClassFolder, size: int) -> None:
    """Raise DataError if the images of all splits together, `size` pixels a side, need too much memory."""
    count = sum(map(len, folder.splits.values()))
    needed = count * 3 * size * size
    if needed > MOST_BYTES:
        raise DataError(
            f"{count:,} images of {size} × {size} pixels need {needed / 2**30:.0f} GiB of memory: "
            "choose a smaller IMAGE_SIZE or fewer images"
        )


def read_images(items: Items, size: int) -> Tensor:
    """Open images, turn them upright, resize the shorter side to `size` and cut out the center.

    Shape: returns (N, 3, size, size) uint8.

    Raises:
        DataError: an image can't be read.
    """
    images = torch.empty(len(items), 3, size, size, dtype=torch.uint8)
    with progress(len(items), "reading images") as shown:
        for place, (path, _) in enumerate(items):
            images[place] = read_image(path, size)
            shown.update()
    return images


def decode_image(content: bytes, name: str, size: int) -> Tensor:
    """Return a picture file's content as `read_images` would, (3, size, size) uint8.

    Raises:
        DataError: it is no picture.
    """
    try:
        return _decode(io.BytesIO(content), size)
    except UNREADABLE:
        raise DataError(f"{name} can't be read as a picture: choose a PNG or JPEG file") from None


def read_image(path: Path, size: int) -> Tensor:
    """Open one image as `read_images` does, (3, size, size) uint8.

    Raises:
        DataError: it can't be read, or is no longer there.
    """
    try:
        return _decode(path, size)
    except FileNotFoundError:
        raise DataError(f"the image {path} is no longer there: put it back") from None
    except UNREADABLE:
        raise DataError(f"the image {path} can't be read: mend it or take it out of the folder") from None


def _decode(source: Path | io.BytesIO, size: int) -> Tensor:
    with Image.open(source) as picture:
        upright = _in_8_bits(ImageOps.exif_transpose(picture)).convert("RGB")
        fitted = ImageOps.fit(upright, (size, size), method=Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(fitted)).permute(2, 0, 1)  # (3, size, size)


def _in_8_bits(picture: Image.Image) -> Image.Image:
    """Return 16-bit gray values as their upper 8 bits; conversion alone would clip them to white."""
    if not picture.mode.startswith("I"):
        return picture
    values = np.asarray(picture).astype(np.int64)
    return Image.fromarray((values.clip(0, 65535) >> 8).astype(np.uint8))
