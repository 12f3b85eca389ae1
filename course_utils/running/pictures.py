"""Smaller files for the pictures of executed copies: few colors for what is drawn, JPEG for what is photographed."""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_ERROR = 2.0
"""Levels (of 255) by which a pixel may be off on average for a palette to do; drawings stay below, photos don't."""


@dataclass(frozen=True)
class Shrinking:
    """How small pictures are to become."""

    scale: float  # of width and height, at most 1
    num_colors: int  # of a palette, at most 256
    quality: int  # of a JPEG, at most 95


SHRINKINGS = (
    Shrinking(1.0, 256, 90),
    Shrinking(0.8, 256, 88),
    Shrinking(0.65, 256, 85),
    Shrinking(0.5, 256, 85),
    Shrinking(0.5, 128, 80),
    Shrinking(0.5, 64, 75),
    Shrinking(0.5, 48, 65),
    Shrinking(0.5, 32, 50),
)
"""Best first; at 0.5 a picture has a screen's pixels."""


def shrink_picture(content: bytes, shrinking: Shrinking) -> tuple[str, bytes]:
    """Return the media type and the bytes of a smaller picture, or the PNG that came if that is smaller.

    A palette is taken where the picture is nearly the same with it; JPEG where it isn't, or is far smaller.

    Args:
        content: a PNG file's.
        shrinking: how small.
    """
    from PIL import Image

    with Image.open(io.BytesIO(content)) as loaded:
        picture = _scaled(_on_white(loaded), shrinking.scale)
    few = picture.quantize(shrinking.num_colors, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    palette = _saved(few, "PNG")
    jpeg = _saved(picture, "JPEG", quality=shrinking.quality, progressive=True)
    is_photo = _error(picture, few.convert("RGB")) > MOST_ERROR or 2 * len(jpeg) < len(palette)
    small = ("image/jpeg", jpeg) if is_photo else ("image/png", palette)
    return min(("image/png", content), small, key=lambda file: len(file[1]))


def _on_white(picture: "Image") -> "Image":
    from PIL import Image

    white = Image.new("RGB", picture.size, "white")
    rgba = picture.convert("RGBA")
    white.paste(rgba, mask=rgba.getchannel("A"))
    return white


def _scaled(picture: "Image", scale: float) -> "Image":
    from PIL import Image

    if scale >= 1:
        return picture
    size = (max(round(picture.width * scale), 1), max(round(picture.height * scale), 1))
    return picture.resize(size, Image.Resampling.LANCZOS)


def _error(first: "Image", second: "Image") -> float:
    difference = np.asarray(first, dtype=np.int16) - np.asarray(second, dtype=np.int16)
    return float(np.abs(difference).mean())


def _saved(picture: "Image", kind: str, **options: int) -> bytes:
    content = io.BytesIO()
    picture.save(content, kind, optimize=True, **({"subsampling": 0} if kind == "JPEG" else {}), **options)
    return content.getvalue()
