"""One JSON file in COCO's format: read, and each thing that is wrong with it said in one sentence."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_utils.errors import DataError

ROUNDING = 1.0  # pixels by which a box may leave its picture, for programs that round
PARTS = ("images", "annotations", "categories")
LONGEST_SHOWN = 40  # letters of a wrong value
Box = tuple[float, float, float, float]
"""x, y, width and height, in the picture's own pixels."""


@dataclass(frozen=True)
class Entry:
    """A picture as the file lists it: its name and size, and its boxes with their categories, by COCO's numbers."""

    name: str
    size: tuple[int, int]  # width and height
    boxes: tuple[tuple[Box, int], ...]


@dataclass(frozen=True)
class CocoFile:
    """What a file says."""

    class_names: dict[int, str]  # by their numbers, sorted
    pictures: list[Entry]  # sorted by their numbers
    num_crowds: int  # boxes around crowds, which are left out


def read_coco_json(file: Path) -> CocoFile:
    """Read and check a file; no picture is looked for.

    Raises:
        DataError: it can't be read, is not in COCO's format, or what it says can't be.
    """
    content = _read_object(file)
    lists = {part: _list_of(content, part, file) for part in PARTS}
    names = _by_number(lists["categories"], "category", file)
    images = _by_number(lists["images"], "picture", file)
    if not names or not images:
        raise DataError(f"{file} has no {'pictures' if names else 'categories'}: a detector needs some to learn from")
    class_names = {number: _name_of(each, "name", f"{file}: category {number}") for number, each in names.items()}
    pictures = {number: _read_picture(each, f"{file}: picture {number}") for number, each in images.items()}
    boxes: dict[int, list[tuple[Box, int]]] = {number: [] for number in images}
    crowds = 0
    for place, each in enumerate(lists["annotations"], start=1):
        what = _called(each, "box", place, file)
        if each.get("iscrowd"):
            crowds += 1
            continue
        image, category = (_whole(each, key, what) for key in ("image_id", "category_id"))
        if image not in pictures:
            raise DataError(f"{what} belongs to picture {image}, which is not listed: add it or take the box out")
        if category not in class_names:
            raise DataError(f"{what} is of category {category}, which is not listed: add it or take the box out")
        boxes[image].append((_read_box(each, pictures[image], what), category))
    entries = [Entry(each.name, each.size, tuple(boxes[number])) for number, each in sorted(pictures.items())]
    return CocoFile(dict(sorted(class_names.items())), entries, crowds)


def _read_object(file: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DataError(f"{file} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DataError(f"{file} is not written in UTF-8: save it as UTF-8, or export it again") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise DataError(f"{file} is not valid JSON ({where}): mend it there, or export it again") from None
    except (ValueError, RecursionError):  # numbers of thousands of digits, thousands of brackets in each other
        raise DataError(f"{file} is not valid JSON: export it again") from None
    missing = [part for part in PARTS if not isinstance(content, dict) or part not in content]
    if missing:
        found = f"has no {missing[0]}" if isinstance(content, dict) else f"holds {_shown(content)}"
        raise DataError(
            f"{file} must hold an object with images, annotations and categories, but {found}: export it again in "
            "COCO's format"
        )
    return content


def _list_of(content: Mapping[str, Any], part: str, file: Path) -> list[dict[str, Any]]:
    found = content[part]
    if not isinstance(found, list):
        raise DataError(f"{file}: {part} must be a list, not {_shown(found)}: export the file again in COCO's format")
    for place, each in enumerate(found, start=1):
        if not isinstance(each, dict):
            raise DataError(
                f"{file}: number {place} of {part} must be an object, not {_shown(each)}: export the file again"
            )
    return found


def _by_number(entries: list[dict[str, Any]], kind: str, file: Path) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    for place, each in enumerate(entries, start=1):
        number = _whole(each, "id", f"{file}: {kind} number {place} of the list")
        if number in found:
            raise DataError(f"{file}: {kind} id {number} stands twice: give each {kind} an id of its own")
        found[number] = each
    return found


def _called(each: Mapping[str, Any], kind: str, place: int, file: Path) -> str:
    return f"{file}: {kind} {_shown(each['id'])}" if "id" in each else f"{file}: {kind} number {place} of the list"


def _read_picture(each: Mapping[str, Any], what: str) -> Entry:
    name = _name_of(each, "file_name", what)
    width, height = (_whole(each, key, what) for key in ("width", "height"))
    if width < 1 or height < 1:
        raise DataError(f"{what} has {width} × {height} pixels: enter the picture's real width and height")
    return Entry(name, (width, height), ())


def _read_box(each: Mapping[str, Any], picture: Entry, what: str) -> Box:
    values = _value(each, "bbox", what)
    if not isinstance(values, list) or len(values) != 4 or not all(_is_number(value) for value in values):
        raise DataError(f"{what} has the bbox {_shown(values)}: it must be four numbers, x, y, width and height")
    if not all(_is_finite(value) for value in values):
        raise DataError(f"{what} has the bbox {_shown(values)}: a box's numbers must be finite; mend it or take it out")
    x, y, width, height = values
    if not (width > 0 and height > 0):
        raise DataError(f"{what} has no area ({width:g} × {height:g}): mend it or take it out")
    across, down = picture.size
    if min(x, y) < -ROUNDING or x + width > across + ROUNDING or y + height > down + ROUNDING:
        raise DataError(
            f"{what}, {_shown(values)}, lies outside its picture {picture.name} of {across} × {down} pixels: mend it; "
            "COCO's boxes are x, y, width, height"
        )
    return x, y, width, height


def _value(each: Mapping[str, Any], key: str, what: str) -> Any:
    if key not in each:
        raise DataError(f"{what} has no {key}: add it, or export the file again")
    return each[key]


def _whole(each: Mapping[str, Any], key: str, what: str) -> int:
    value = _value(each, key, what)
    if not (_is_number(value) and _is_finite(value) and value == int(value)):
        kind = "ids" if key.endswith("id") else "sizes"
        raise DataError(f"{what} has the {key} {_shown(value)}: {kind} must be whole numbers, without quotation marks")
    return int(value)


def _name_of(each: Mapping[str, Any], key: str, what: str) -> str:
    value = _value(each, key, what)
    if not ((isinstance(value, str) and value) or _is_number(value)):
        raise DataError(f"{what} has the {key} {_shown(value)}: it must be a text")
    return str(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number of hundreds of digits
        return False


def _shown(value: object) -> str:
    """Return a value as JSON writes it, on one line and not too long."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list) and (len(value) > 6 or any(isinstance(each, list | dict) for each in value)):
        return "a list"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"
