"""Any folder of photos with boxes in COCO's format (Lin et al. 2014): read, checked, and made into scenes of one size.

For each split there is one JSON file, with the split's name in its own name or in its folder's: `train/boxes.json`,
`annotations/instances_val2017.json`, `test.json`. Pictures lie beside it or in a folder with the split's name.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from course_utils.data.folders import SPLIT_NAMES, hold_out
from course_utils.data.image_files import UNREADABLE
from course_utils.data.scenes import NOTHING, Scenes, SceneSplits
from course_utils.errors import DataError

SHARE_HELD_OUT = 0.2  # of the training pictures, for a split that is missing
ROUNDING = 1.0  # pixels by which a box may leave its picture, for programs that round
GRAY = (114, 114, 114)  # beside pictures that are no squares


@dataclass(frozen=True)
class Photo:
    """One picture of a COCO file: boxes (x, y, width, height) in its own pixels, categories by COCO's numbers."""

    path: Path
    boxes: tuple[tuple[float, float, float, float], ...]
    categories: tuple[int, ...]


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
    read = {split: _read_file(file, path, split) for split, file in files.items()}
    names = read["train"][0]
    for split, (others, _, _) in read.items():
        if others != names:
            raise DataError(f"{files[split]} has other categories than {files['train']}: all splits need the same ones")
    splits, how = _complete({split: photos for split, (_, photos, _) in read.items()}, path)
    for split, photos in splits.items():
        if not any(photo.boxes for photo in photos):
            raise DataError(f"{path} has no boxes in its {split} pictures: without any, nothing can be scored")
    crowds = sum(count for _, _, count in read.values())
    return CocoFolder(path, tuple(names.values()), tuple(names), splits, how, crowds)


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
                raise DataError(_missing(photo.path)) from None
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


def _read_file(file: Path, path: Path, split: str) -> tuple[dict[int, str], list[Photo], int]:
    """Return a file's categories by their numbers, its photos, and how many boxes around crowds were left out."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        names = {int(each["id"]): str(each["name"]) for each in content["categories"]}
        images = {int(each["id"]): each for each in content["images"]}
        boxes = [each for each in content["annotations"] if not each.get("iscrowd")]
        names = dict(sorted(names.items()))
        of_image: dict[int, list[tuple[tuple[float, float, float, float], int]]] = {number: [] for number in images}
        for each in boxes:
            _check_box(each, names, images, file)
            x, y, width, height = each["bbox"]
            of_image[each["image_id"]].append(((x, y, width, height), each["category_id"]))
        folders = [file.parent, *(path / word for word in _folders_of(path, split)), path / "images", path]
        photos = [
            Photo(
                _find_picture(str(image["file_name"]), folders),
                tuple(box for box, _ in of_image[number]),
                tuple(category for _, category in of_image[number]),
            )
            for number, image in sorted(images.items())
        ]
    except DataError:
        raise
    except OSError as error:
        raise DataError(f"{file} can't be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{file} is not in COCO's format ({type(error).__name__}: {error}): export it again") from None
    if not names or not photos:
        raise DataError(f"{file} has no {'pictures' if names else 'categories'}: a detector needs some to learn from")
    return names, photos, len(content["annotations"]) - len(boxes)


def _check_box(each: dict[str, Any], names: dict[int, str], images: dict[int, Any], file: Path) -> None:
    number = each.get("id", "without a number")
    if each["image_id"] not in images:
        raise DataError(f"{file}: box {number} belongs to picture {each['image_id']}, which is not listed")
    if each["category_id"] not in names:
        raise DataError(f"{file}: box {number} is of category {each['category_id']}, which is not listed")
    x, y, width, height = (float(value) for value in each["bbox"])
    image = images[each["image_id"]]
    if not (width > 0 and height > 0 and np.isfinite([x, y, width, height]).all()):
        raise DataError(f"{file}: box {number} has no area ({width:g} × {height:g}): mend it or take it out")
    outside = min(x, y) < -ROUNDING or x + width > image["width"] + ROUNDING or y + height > image["height"] + ROUNDING
    if outside:
        raise DataError(
            f"{file}: box {number}, {[x, y, width, height]}, lies outside its picture {image['file_name']} of "
            f"{image['width']} × {image['height']} pixels: COCO's boxes are x, y, width, height"
        )


def _folders_of(path: Path, split: str) -> list[str]:
    return [child.name for child in sorted(path.iterdir()) if child.is_dir() and _split_of(child.name) == split]


def _find_picture(name: str, folders: list[Path]) -> Path:
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise DataError(_missing(folders[0] / name))


def _missing(path: Path) -> str:
    return f"the picture {path} is missing: copy it there or take it out of the JSON file"


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
        images[row], scale, left, top = _read_square(photo.path, size)
        for place, ((x, y, width, height), category) in enumerate(zip(photo.boxes, photo.categories, strict=True)):
            corners = torch.tensor([x, y, x + width, y + height]) * scale + torch.tensor([left, top, left, top])
            boxes[row, place] = corners.clamp(0, size)
            labels[row, place] = categories.index(category)
    return Scenes(images, boxes, labels)


def _read_square(path: Path, size: int) -> tuple[Tensor, float, int, int]:
    """Return a picture (3, size, size) uint8, by what it was scaled, and where its corner is now."""
    try:
        with Image.open(path) as picture:
            scale = size / max(picture.size)
            whole = picture.convert("RGB")  # not turned by EXIF: COCO's boxes are those of the pixels as stored
            fitted = ImageOps.contain(whole, (size, size), method=Image.Resampling.BILINEAR)
    except UNREADABLE:
        raise DataError(f"the image {path} can't be read: mend it or take it out of the folder") from None
    left, top = (size - fitted.width) // 2, (size - fitted.height) // 2
    square = Image.new("RGB", (size, size), GRAY)
    square.paste(fitted, (left, top))
    return torch.from_numpy(np.array(square)).permute(2, 0, 1), scale, left, top
