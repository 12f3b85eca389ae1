"""Images as one large PNG that a person can open, 100 to a row, with their labels in a CSV file beside it."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from course_utils.data.shipped import how_to_mend
from course_utils.errors import DataError
from course_utils.paths import replacing, write_text

COLUMNS = 100
CSV_HEADER = ("row", "column", "label", "class_name", "original_index")


def write_mosaic(
    folder: Path, split: str, images: np.ndarray, labels: np.ndarray, indices: np.ndarray, names: Sequence[str]
) -> None:
    """Write `split`.png and `split`_labels.csv.

    Args:
        folder: where to.
        split: "train" or "test".
        images: (N, side, side, 3) uint8; N is a multiple of 100.
        labels: (N,) whole numbers.
        indices: (N,) places in the original data set.
        names: of the classes.
    """
    count, side = images.shape[:2]
    if count % COLUMNS:
        raise ValueError(f"a mosaic takes a multiple of {COLUMNS} images, got {count}")
    rows = count // COLUMNS
    tiles = images.reshape(rows, COLUMNS, side, side, 3).swapaxes(1, 2)  # (rows, side, columns, side, 3)
    with replacing(folder / f"{split}.png") as temporary:
        Image.fromarray(tiles.reshape(rows * side, COLUMNS * side, 3)).save(temporary, format="PNG", optimize=True)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(CSV_HEADER)
    for place, (label, index) in enumerate(zip(labels.tolist(), indices.tolist(), strict=True)):
        table.writerow((*divmod(place, COLUMNS), label, names[label], index))
    write_text(folder / f"{split}_labels.csv", text.getvalue())


def read_mosaic(folder: Path, split: str, side: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Return images (N, side, side, 3) and labels (N,), both uint8.

    Raises:
        DataError: a file is missing or damaged, or images and labels don't fit together.
    """
    images = _read_tiles(folder / f"{split}.png", side)
    labels = _read_labels(folder / f"{split}_labels.csv")
    if len(images) != len(labels):
        raise DataError(
            f"{folder / split}.png holds {len(images)} images but there are {len(labels)} labels: {how_to_mend(folder)}"
        )
    return images, labels


def _read_tiles(path: Path, side: int) -> np.ndarray:
    try:
        with Image.open(path) as picture:
            pixels = np.asarray(picture.convert("RGB"))
    except FileNotFoundError:
        raise DataError(f"{path} is missing: {how_to_mend(path.parent)}") from None
    except (OSError, SyntaxError, ValueError):
        raise DataError(f"{path} is cut or not a PNG file: {how_to_mend(path.parent)}") from None
    height, width = pixels.shape[:2]
    if width != COLUMNS * side or height % side:
        raise DataError(
            f"{path} is {width} × {height} pixels, not rows of {COLUMNS} images of {side}: {how_to_mend(path.parent)}"
        )
    tiles = pixels.reshape(height // side, side, COLUMNS, side, 3).swapaxes(1, 2)
    return np.ascontiguousarray(tiles).reshape(-1, side, side, 3)


def _read_labels(path: Path) -> np.ndarray:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return np.array([int(row["label"]) for row in csv.DictReader(file)], dtype=np.uint8)
    except FileNotFoundError:
        raise DataError(f"{path} is missing: {how_to_mend(path.parent)}") from None
    except (OSError, KeyError, TypeError, ValueError, OverflowError):
        raise DataError(f"{path} is damaged: {how_to_mend(path.parent)}") from None
