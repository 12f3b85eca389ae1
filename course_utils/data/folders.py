"""Any folder of class folders of images, as tensors of one size."""

import hashlib
from collections.abc import Iterator, Sequence
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

    Where there are no other folders than train, test and perhaps val, they are taken as they are; what is missing is
    held out of train, else of each class: a tenth for validation and a tenth for test, spread evenly over the sorted
    files. What is hidden (its name starts with a dot) is not looked at.

    Raises:
        DataError: not a folder, or not a data set of two classes with three images each, or not readable.
    """
    try:
        return _scan(path)
    except OSError as error:
        raise DataError(f"{error.filename or path} can't be read: {error.strerror}") from None


def _scan(path: Path) -> ImageFolder:
    if not path.exists():
        raise DataError(
            f"there is no data set or folder {path}: see `course data list`, or name a folder of class folders"
        )
    if not path.is_dir():
        raise DataError(f"{path} is a file: name a folder that holds one folder of images for each class")
    given = _given_splits(path)
    names = tuple(_visible_folders(given["train"]))
    if len(names) < 2:
        found = f"only one ({names[0]})" if names else "none"
        raise DataError(f"{given['train']} must hold at least two class folders of images, but there is {found}")
    files = {split: {name: _images(folder / name) for name in names} for split, folder in given.items()}
    _check_strangers(given, names)
    splits, how = _complete(files, names)
    everything = sum(1 for _ in _visible_files(path))
    return ImageFolder(path, names, splits, how, everything - sum(map(len, splits.values())))


def check_memory(folder: ImageFolder, size: int) -> None:
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


def _given_splits(path: Path) -> dict[str, Path]:
    """Return the folders of the splits; the whole is "train" where there are none."""
    known = {name: split for split, names in SPLIT_NAMES.items() for name in names}
    found = _visible_folders(path)
    if "train" in found and set(found) <= set(known):  # else train is a class, such as the railway's
        return {known[name]: path / name for name in found}
    return {"train": path}


def _visible_folders(path: Path) -> list[str]:
    return sorted(child.name for child in path.iterdir() if child.is_dir() and not child.name.startswith("."))


def _visible_files(folder: Path) -> Iterator[Path]:
    for file in folder.rglob("*"):
        if file.is_file() and not any(part.startswith(".") for part in file.relative_to(folder).parts):
            yield file


def _images(folder: Path) -> list[Path]:
    files = [file for file in _visible_files(folder) if file.suffix.lower() in SUFFIXES]
    if not files:
        raise DataError(f"{folder} holds no images ({', '.join(sorted(SUFFIXES))}): each class needs some")
    return sorted(files, key=Path.as_posix)  # the same order on every system


def _check_strangers(given: dict[str, Path], names: Sequence[str]) -> None:
    for folder in given.values():
        strangers = set(_visible_folders(folder)) - set(names)
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
            upright = _in_8_bits(ImageOps.exif_transpose(picture)).convert("RGB")
            fitted = ImageOps.fit(upright, (size, size), method=Image.Resampling.BILINEAR)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise DataError(f"the image {path} can't be read: mend it or take it out of the folder") from None
    return torch.from_numpy(np.array(fitted)).permute(2, 0, 1)  # (3, size, size)


def _in_8_bits(picture: Image.Image) -> Image.Image:
    """Return 16-bit gray values as their upper 8 bits; conversion alone would clip them to white."""
    if not picture.mode.startswith("I"):
        return picture
    values = np.asarray(picture).astype(np.int64)
    return Image.fromarray((values.clip(0, 65535) >> 8).astype(np.uint8))
