"""Moving pictures for a notebook, as a GIF that needs no network and no player; the report shows strips instead."""

import io
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image as Picture
from torch import Tensor
from torch.nn import functional as F

if TYPE_CHECKING:
    from IPython.display import Image

GAP_COLOR = 0.6


def tile_clips(clips: Tensor, columns: int, gap: int = 1) -> Tensor:
    """Lay clips side by side, row by row, with gray lines between them.

    Shape: (N, T, C, H, W) floats → (T, C, height, width).
    """
    count, num_frames, channels, height, width = clips.shape
    rows = -(-count // columns)
    empty = clips.new_zeros(rows * columns - count, num_frames, channels, height, width)
    framed = F.pad(torch.cat([clips, empty]), (0, gap, 0, gap), value=GAP_COLOR)
    tiles = framed.unflatten(0, (rows, columns)).permute(2, 3, 0, 4, 1, 5)  # (T, C, rows, h, columns, w)
    return tiles.flatten(4, 5).flatten(2, 3)


def encode_gif(frames: Tensor, zoom: int = 3, milliseconds: int = 300) -> bytes:
    """Return an endless GIF of frames (T, C, H, W), floats in [0, 1], each pixel `zoom` pixels large."""
    pixels = (frames.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    pixels = np.repeat(np.repeat(pixels, zoom, axis=1), zoom, axis=2)
    pictures = [Picture.fromarray(np.repeat(each, 3, axis=2) if each.shape[2] == 1 else each) for each in pixels]
    content = io.BytesIO()
    pictures[0].save(
        content, "GIF", save_all=True, append_images=pictures[1:], duration=milliseconds, loop=0, optimize=False
    )
    return content.getvalue()


def animate(clips: Tensor, columns: int, caption: str, zoom: int = 2) -> "Image":
    """Return clips (N, T, C, H, W) in motion, to be shown by a notebook; the caption is for screen readers."""
    from IPython.display import Image

    return Image(data=encode_gif(tile_clips(clips, columns), zoom), format="gif", alt=caption)
