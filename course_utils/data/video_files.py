"""One's own videos: a folder of frames, or a file where something on this machine can decode it."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageSequence
from torch import Tensor
from torch.nn import functional as F

from course_utils.data.folders import list_files
from course_utils.data.image_files import IMAGES, UNREADABLE
from course_utils.errors import DataError

MOST_FRAMES = 20_000
MANY_FRAMES = (".gif", ".webp", ".png")  # what Pillow itself can decode


def read_frames(path: Path, size: int) -> Tensor:
    """Return the frames of a folder of pictures (in the order of their names) or of a video, cut square and resized.

    Shape: (frames, 3, size, size) uint8.

    Raises:
        DataError: it is not there, it can't be decoded, or its frames differ in size; one sentence.
    """
    if path.is_dir():
        return _read_folder(path, size)
    if not path.exists():
        raise DataError(f"there is no video or folder {path}: name a folder of frames, a video file, or `digits`")
    frames = _read_animation(path) if path.suffix.lower() in MANY_FRAMES else _decode(path)
    if len(frames) < 2:
        raise DataError(f"{path} holds {len(frames)} frame: a video needs several")
    return torch.cat([_fit(chunk, size) for chunk in frames.split(256)])


def _read_folder(path: Path, size: int) -> Tensor:
    files = list_files(path, IMAGES)[:MOST_FRAMES]
    fitted: list[Tensor] = []
    first = (0, 0)
    for file in files:
        try:
            with Image.open(file) as picture:
                shape, pixels = picture.size, np.array(picture.convert("RGB"))
        except UNREADABLE:
            raise DataError(f"the frame {file} can't be read: mend it or take it out of the folder") from None
        first = first if fitted else shape
        if shape != first:
            raise DataError(
                f"the frames of a video must have one size, but {files[0].name} has {first[0]} × {first[1]} pixels "
                f"and {file.name} {shape[0]} × {shape[1]}"
            )
        fitted.append(_fit(torch.from_numpy(pixels)[None], size))
    return torch.cat(fitted)


def _read_animation(path: Path) -> Tensor:
    """Shape: (frames, H, W, 3) uint8."""
    try:
        with Image.open(path) as picture:
            frames = [np.array(frame.convert("RGB")) for frame in ImageSequence.Iterator(picture)][:MOST_FRAMES]
    except UNREADABLE:
        raise _undecodable(path) from None
    return torch.from_numpy(np.stack(frames))


def _decode(path: Path) -> Tensor:
    """Let imageio decode, where it is installed; (frames, H, W, 3) uint8."""
    try:
        from imageio import v3 as imageio
    except ImportError:
        raise DataError(
            f"to decode {path.name}, run `pip install 'imageio[pyav]'`, or give its frames as a folder of pictures"
        ) from None
    try:
        frames = np.stack([frame for _, frame in zip(range(MOST_FRAMES), imageio.imiter(path), strict=False)])
    except Exception:  # each of its decoders has errors of its own
        raise _undecodable(path) from None
    if frames.ndim != 4 or frames.shape[-1] < 3:
        raise _undecodable(path)
    return torch.from_numpy(frames[..., :3].astype(np.uint8))


def _undecodable(path: Path) -> DataError:
    return DataError(f"{path} can't be decoded as a video: give its frames as a folder of PNG or JPEG pictures instead")


def _fit(frames: Tensor, size: int) -> Tensor:
    """Cut the middle square out and resize it; (frames, H, W, 3) → (frames, 3, size, size) uint8."""
    height, width = frames.shape[1:3]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = frames[:, top : top + side, left : left + side].permute(0, 3, 1, 2).float()
    resized = F.interpolate(square, size=(size, size), mode="bilinear", antialias=True)
    return resized.round().clamp(0, 255).byte()
