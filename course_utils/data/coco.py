"""Any folder of photos with boxes in COCO's format (Lin et al. 2014): read, checked, and made into scenes of one size.

For each split there is one JSON file, with the split's name in its own name or in its folder's: `train/boxes.json`,
`annotations/instances_val2017.json`, `test.json`. Pictures lie beside it or in a folder with the split's name.
"""

import hashlib
import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from course_utils.data.coco_json import Box, CocoFile, read_coco_json
from course_utils.data.folders import SPLIT_NAMES, hold_out
from course_utils.data.image_files import UNREADABLE
from course_utils.data.scenes import NOTHING, Scenes, SceneSplits
from course_utils.errors import DataError

SHARE_HELD_OUT = 0.2  # of the training pictures, for a split that is missing
MOST_DECODED = 500  # pictures that are looked at whole before a notebook runs; of more, only their sizes
GRAY = (114, 114, 114)  # beside pictures that are no squares


@dataclass(frozen=True)
class Photo:
    """One picture of a COCO file: boxes (x, y, width, height) in its own pixels, categories by COCO's numbers."""

    path: Path
    boxes: tuple[Box, ...]
    categories: tuple[int, ...]
    size: tuple[int, int]  # width and height, as the JSON file says
    listed_in: Path  # the JSON file


@dataclass(frozen=True)
class CocoFolder:
    """What a folder holds, its JSON files checked, no picture opened."""

    path: Path
    class_names: tuple[str, ...]
    categories: tuple[int, ...]  # COCO's numbers, in the order of the names
    splits: dict[str, list[Photo]]
    how: str  # the splits were made
    num_crowds: int  # boxes around crowds, which are left out


def load_coco(path: Path, size: int) -> SceneSplits:
    """Read a folder's pictures into squares of `size` pixels, the longer side fitted, with gray beside them.

    Raises:
        DataError: there is no such folder, or what is in it is damaged, incomplete or wrong; one sentence says what.
    """
    folder = scan_coco(path)
    most = max((len(photo.boxes) for photos in folder.splits.values() for photo in photos), default=0)
    parts = {split: _read_photos(photos, folder.categories, size, most) for split, photos in folder.splits.items()}
    sizes = ", ".join(f"{len(part):,} {split}" for split, part in parts.items())
    crowds = f" {folder.num_crowds:,} boxes around crowds were left out." if folder.num_crowds else ""
    words = (
        f"{path}: {sizes} scenes of {len(folder.class_names)} classes; {folder.how}; longer side fitted to {size} "
        f"pixels.{crowds}"
    )
    return SceneSplits(**parts, class_names=folder.class_names, description=words)


def scan_coco(path: Path) -> CocoFolder:
    """Read and check the JSON files of a folder.

    Raises:
        DataError: as for `load_coco`.
    """
    if not path.is_dir():
        raise DataError(f"there is no folder {path}: name one with pictures and boxes in COCO's format")
    files = _find_files(path)
    if "train" not in files:
        raise DataError(
            f"{path} has no boxes to learn from: it needs a JSON file with “train” in its name or its folder's name"
        )
    read = {split: read_coco_json(file) for split, file in files.items()}
    names = read["train"].class_names
    for split, content in read.items():
        if content.class_names != names:
            raise DataError(f"{files[split]} has other categories than {files['train']}: all splits need the same ones")
    found = {split: _photos_of(content, files[split], path, split) for split, content in read.items()}
    splits, how = _complete(found, path)
    for split, photos in splits.items():
        if not any(photo.boxes for photo in photos):
            raise DataError(f"{path} has no boxes in its {split} pictures: without any, nothing can be scored")
    crowds = sum(content.num_crowds for content in read.values())
    return CocoFolder(path, tuple(names.values()), tuple(names), splits, how, crowds)


def check_coco(path: Path) -> None:
    """Check a folder's JSON files and its pictures: up to `MOST_DECODED` whole, of more only the headers.

    Raises:
        DataError: as for `load_coco`.
    """
    photos = [photo for part in scan_coco(path).splits.values() for photo in part]
    for photo in photos:
        _open(photo, whole=len(photos) <= MOST_DECODED)


def coco_fingerprint(path: Path) -> str:
    """Return a hash of the JSON files' content and the pictures' names, sizes and times of change.

    Raises:
        DataError: as for `scan_coco`, or a picture is missing.
    """
    digest = hashlib.sha256()
    for split, photos in scan_coco(path).splits.items():
        for photo in photos:
            try:
                status = photo.path.stat()
            except OSError:
                raise _missing(photo.path, photo.listed_in) from None
            digest.update(f"{split} {photo} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _find_files(path: Path) -> dict[str, Path]:
    """Return the JSON file of each split."""
    found: dict[str, Path] = {}
    for file in sorted([*path.glob("*.json"), *path.glob("*/*.json")]):
        split = _split_of(file.stem) or (_split_of(file.parent.name) if file.parent != path else None)
        if split is None or file.name.startswith("."):
            continue
        if split in found:
            raise DataError(f"{found[split]} and {file} both look like the boxes of {split}: leave one in the folder")
        found[split] = file
    return found


def _split_of(name: str) -> str | None:
    hits = [split for split, words in SPLIT_NAMES.items() if any(word in name.lower() for word in words)]
    return hits[0] if len(hits) == 1 else None


def _photos_of(content: CocoFile, file: Path, path: Path, split: str) -> list[Photo]:
    """Find a file's pictures."""
    folders = [file.parent, *(path / word for word in _folders_of(path, split)), path / "images", path]
    places = [_find_folder(entry.name, folders) for entry in content.pictures]
    if None in places:
        others = Counter(place for place in places if place is not None)
        usual = others.most_common(1)[0][0] if others else folders[0]
        raise _missing(usual / content.pictures[places.index(None)].name, file, others=bool(others))
    return [
        Photo(
            place / entry.name,
            tuple(box for box, _ in entry.boxes),
            tuple(category for _, category in entry.boxes),
            entry.size,
            file,
        )
        for place, entry in zip(places, content.pictures, strict=True)
        if place is not None
    ]


def _folders_of(path: Path, split: str) -> list[str]:
    return [child.name for child in sorted(path.iterdir()) if child.is_dir() and _split_of(child.name) == split]


def _find_folder(name: str, folders: Sequence[Path]) -> Path | None:
    return next((folder for folder in folders if (folder / name).is_file()), None)


def _missing(picture: Path, file: Path, *, others: bool = False) -> DataError:
    where = "there, where the others lie," if others else "there"
    return DataError(f"the picture {picture} is missing: copy it {where} or take its entry and boxes out of {file}")


def _complete(splits: dict[str, list[Photo]], path: Path) -> tuple[dict[str, list[Photo]], str]:
    """Hold out of the training pictures what is missing; say how."""
    missing = [split for split in ("validation", "test") if split not in splits]
    rest, total = splits["train"], len(splits["train"])
    complete = dict(splits)
    for split in missing:
        count = max(1, round(total * SHARE_HELD_OUT))
        if len(rest) <= count:
            raise DataError(f"{path} has {total} training pictures, too few to hold some out for {split}")
        complete[split], rest = hold_out(rest, count)
    complete["train"] = rest
    how = f"a fifth held out for {' and a fifth for '.join(missing)}" if missing else "split as its files say"
    return {split: complete[split] for split in SPLIT_NAMES}, how


def _read_photos(photos: list[Photo], categories: tuple[int, ...], size: int, most: int) -> Scenes:
    images = torch.empty(len(photos), 3, size, size, dtype=torch.uint8)
    boxes = torch.zeros(len(photos), max(most, 1), 4)
    labels = torch.full((len(photos), max(most, 1)), NOTHING)
    for row, photo in enumerate(photos):
        images[row], scale, left, top = _read_square(photo, size)
        for place, ((x, y, width, height), category) in enumerate(zip(photo.boxes, photo.categories, strict=True)):
            corners = torch.tensor([x, y, x + width, y + height]) * scale + torch.tensor([left, top, left, top])
            boxes[row, place] = corners.clamp(0, size)
            labels[row, place] = categories.index(category)
    return Scenes(images, boxes, labels)


def _read_square(photo: Photo, size: int) -> tuple[Tensor, float, int, int]:
    """Return a picture (3, size, size) uint8, by what it was scaled, and where its corner is now."""
    whole = _open(photo, whole=True)
    scale = size / max(whole.size)
    fitted = ImageOps.contain(whole, (size, size), method=Image.Resampling.BILINEAR)
    left, top = (size - fitted.width) // 2, (size - fitted.height) // 2
    square = Image.new("RGB", (size, size), GRAY)
    square.paste(fitted, (left, top))
    return torch.from_numpy(np.array(square)).permute(2, 0, 1), scale, left, top


def _open(photo: Photo, *, whole: bool) -> Image.Image:
    """Return a picture, its size compared with the JSON file's; its pixels are only there if `whole`.

    It is not turned by EXIF: COCO's boxes are those of the pixels as stored.
    """
    try:
        with Image.open(photo.path) as picture:
            size = picture.size
            opened = picture.convert("RGB") if whole and size == photo.size else picture
    except (*UNREADABLE, TypeError, EOFError, struct.error):  # the last three from damaged TIFF and GIF files
        raise DataError(
            f"the picture {photo.path} can't be read: mend it, or take it out of the folder and its entry and boxes "
            f"out of {photo.listed_in}"
        ) from None
    if size != photo.size:
        real, said = (f"{width} × {height}" for width, height in (size, photo.size))
        turned = "save it upright" if size == photo.size[::-1] else "put the one that was labeled back"
        raise DataError(
            f"the picture {photo.path} has {real} pixels, but {photo.listed_in} says {said}, so its boxes don't fit: "
            f"{turned}, or label it again"
        )
    return opened
