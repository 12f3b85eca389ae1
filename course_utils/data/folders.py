"""Any folder of class folders of images, as tensors of one size."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from course_utils.errors import DataError
from course_utils.progress import progress

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".tif", ".tiff"})
SPLIT_NAMES = {"train": ("train",), "validation": ("validation", "val", "valid"), "test": ("test",)}
MOST_BYTES = 4 * 2**30
SHARE_HELD_OUT = 0.1  # for validation, and as much again for test
Items = list[tuple[Path, int]]
"""Images' files with their labels."""


@dataclass(frozen=True)
class ImageFolder:
    """What a folder holds, before any image is opened."""

    path: Path
    class_names: tuple[str, ...]
    splits: dict[str, Items]  # "train", "validation", "test"
    how: str  # the splits were made
    num_ignored: int


def scan_folder(path: Path) -> ImageFolder:
    """List the images below `path` by class and split; no image is opened.

    Folders train, test and perhaps val are taken as they are; what is missing is held out of train, else of each class:
    a tenth for validation and a tenth for test, spread evenly over the sorted files.

    Raises:
        DataError: not a folder, or not a data set of two classes with three images each.
    """
    if not path.exists():
        raise DataError(
            f"there is no data set or folder {path}: see `course data list`, or name a folder of class folders"
        )
    if not path.is_dir():
        raise DataError(f"{path} is a file: name a folder that holds one folder of images for each class")
    given = {split: path / name for split, names in SPLIT_NAMES.items() for name in names if (path / name).is_dir()}
    if "train" not in given:
        given = {"train": path}
    names = tuple(_class_folders(given["train"]))
    if len(names) < 2:
        found = f"only one ({names[0]})" if names else "none"
        raise DataError(f"{given['train']} must hold at least two class folders of images, but there is {found}")
    files = {split: {name: _images(folder / name) for name in names} for split, folder in given.items()}
    _check_strangers(given, names)
    splits, how = _complete(files, names)
    everything = sum(1 for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
    return ImageFolder(path, names, splits, how, everything - sum(map(len, splits.values())))


def read_images(items: Items, size: int) -> Tensor:
    """Open images, turn them upright, resize the shorter side to `size` and cut out the center.

    Shape: returns (N, 3, size, size) uint8.

    Raises:
        DataError: an image can't be read, or all together don't fit into memory.
    """
    needed = len(items) * 3 * size * size
    if needed > MOST_BYTES:
        raise DataError(
            f"{len(items):,} images of {size} × {size} pixels need {needed / 2**30:.0f} GiB of memory: "
            "choose a smaller IMAGE_SIZE or fewer images"
        )
    images = torch.empty(len(items), 3, size, size, dtype=torch.uint8)
    with progress(len(items), "reading images") as shown:
        for place, (path, _) in enumerate(items):
            images[place] = _read_image(path, size)
            shown.update()
    return images


def fingerprint(folder: ImageFolder) -> str:
    """Return a hash of the files' names, sizes and times of change."""
    digest = hashlib.sha256()
    for split, items in folder.splits.items():
        for path, label in items:
            status = path.stat()
            digest.update(
                f"{split} {label} {path.relative_to(folder.path)} {status.st_size} {status.st_mtime_ns}\n".encode()
            )
    return digest.hexdigest()


def _class_folders(path: Path) -> list[str]:
    return sorted(child.name for child in path.iterdir() if child.is_dir() and not child.name.startswith("."))


def _images(folder: Path) -> list[Path]:
    files = (
        [
            file
            for file in sorted(folder.rglob("*"))
            if file.is_file() and file.suffix.lower() in SUFFIXES and not file.name.startswith(".")
        ]
        if folder.is_dir()
        else []
    )
    if not files:
        raise DataError(f"{folder} holds no images ({', '.join(sorted(SUFFIXES))}): each class needs some")
    return files


def _check_strangers(given: dict[str, Path], names: Sequence[str]) -> None:
    for folder in given.values():
        strangers = set(_class_folders(folder)) - set(names)
        if strangers:
            raise DataError(f"{folder} has a class that training lacks: {sorted(strangers)[0]}")


def _complete(files: dict[str, dict[str, list[Path]]], names: Sequence[str]) -> tuple[dict[str, Items], str]:
    """Hold out the splits that are missing; say how."""
    missing = [split for split in ("validation", "test") if split not in files]
    splits: dict[str, Items] = {split: [] for split in SPLIT_NAMES}
    for label, name in enumerate(names):
        rest = files["train"][name]
        if len(rest) < 1 + len(missing):
            raise DataError(f"class {name} has {len(rest)} images: it needs at least {1 + len(missing)} to be split")
        for split in missing:
            held_out, rest = _hold_out(rest, max(1, round(len(files["train"][name]) * SHARE_HELD_OUT)))
            splits[split] += [(path, label) for path in held_out]
        splits["train"] += [(path, label) for path in rest]
        for split in files:
            if split != "train":
                splits[split] += [(path, label) for path in files[split][name]]
    if not missing:
        return splits, "split as its folders say"
    return splits, f"a tenth of each class held out for {' and a tenth for '.join(missing)}"


def _hold_out(files: list[Path], count: int) -> tuple[list[Path], list[Path]]:
    """Take `count` files spread evenly over the list; return them and the rest."""
    taken = {round((place + 0.5) * len(files) / count - 0.5) for place in range(count)}
    return [files[i] for i in sorted(taken)], [file for i, file in enumerate(files) if i not in taken]


def _read_image(path: Path, size: int) -> Tensor:
    try:
        with Image.open(path) as picture:
            upright = ImageOps.exif_transpose(picture).convert("RGB")
            fitted = ImageOps.fit(upright, (size, size), method=Image.Resampling.BILINEAR)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise DataError(f"the image {path} can't be read: mend it or take it out of the folder") from None
    return torch.from_numpy(np.array(fitted)).permute(2, 0, 1)  # (3, size, size)
