"""Any folder of class folders: which files it holds, of which class and in which split."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from course_utils.errors import DataError

SPLIT_NAMES = {"train": ("train",), "validation": ("validation", "val", "valid"), "test": ("test",)}
SHARE_HELD_OUT = 0.1  # for validation, and as much again for test
Item = TypeVar("Item")
Items = list[tuple[Path, int]]
"""Files with their labels."""


@dataclass(frozen=True)
class FileKind:
    """What kind of files a data set is made of."""

    plural: str  # "images" or "texts"
    suffixes: frozenset[str]


@dataclass(frozen=True)
class ClassFolder:
    """What a folder holds, before any file is opened."""

    path: Path
    class_names: tuple[str, ...]
    splits: dict[str, Items]  # "train", "validation", "test"
    how: str  # the splits were made
    num_ignored: int


def scan_folder(path: Path, kind: FileKind) -> ClassFolder:
    """List the files of a kind below `path` by class and split; no file is opened.

    Where there are no other folders than train, test and perhaps val, they are taken as they are; what is missing is
    held out of train, else of each class: a tenth for validation and a tenth for test, spread evenly over the sorted
    files. What is hidden (its name starts with a dot) is not looked at.

    Raises:
        DataError: not a folder, or not a data set of two classes with three files each, or not readable.
    """
    try:
        return _scan(path, kind)
    except OSError as error:
        raise DataError(f"{error.filename or path} can't be read: {error.strerror}") from None


def list_files(path: Path, kind: FileKind) -> list[Path]:
    """List the files of a kind anywhere below `path`, sorted; what is hidden is not looked at.

    Raises:
        DataError: there are none, or the folder can't be read.
    """
    try:
        if path.is_file():
            raise DataError(f"{path} is a file: name the folder that holds it")
        if not path.exists():
            raise DataError(f"there is no data set or folder {path}: name a folder of {kind.plural}")
        files = [file for file in _visible_files(path) if file.suffix.lower() in kind.suffixes]
    except OSError as error:
        raise DataError(f"{error.filename or path} can't be read: {error.strerror}") from None
    if not files:
        raise DataError(f"{path} holds no {kind.plural} ({', '.join(sorted(kind.suffixes))})")
    return sorted(files, key=Path.as_posix)


def _scan(path: Path, kind: FileKind) -> ClassFolder:
    if not path.exists():
        raise DataError(
            f"there is no data set or folder {path}: see `course data list`, or name a folder of class folders"
        )
    if not path.is_dir():
        raise DataError(f"{path} is a file: name a folder that holds one folder of {kind.plural} for each class")
    given = _given_splits(path)
    names = tuple(_visible_folders(given["train"]))
    if len(names) < 2:
        found = f"only one ({names[0]})" if names else "none"
        raise DataError(f"{given['train']} must hold at least two class folders of {kind.plural}, but there is {found}")
    files = {split: {name: _files(folder / name, kind) for name in names} for split, folder in given.items()}
    _check_strangers(given, names)
    splits, how = _complete(files, names, kind)
    everything = sum(1 for _ in _visible_files(path))
    return ClassFolder(path, names, splits, how, everything - sum(map(len, splits.values())))


def fingerprint(folder: ClassFolder) -> str:
    """Return a hash of the files' names, sizes and times of change."""
    digest = hashlib.sha256()
    for split, items in folder.splits.items():
        for path, label in items:
            status = path.stat()
            digest.update(
                f"{split} {label} {path.relative_to(folder.path)} {status.st_size} {status.st_mtime_ns}\n".encode()
            )
    return digest.hexdigest()


def hold_out(items: Sequence[Item], count: int) -> tuple[list[Item], list[Item]]:
    """Take `count` items spread evenly over the list; return them and the rest."""
    taken = {round((place + 0.5) * len(items) / count - 0.5) for place in range(count)}
    return [items[i] for i in sorted(taken)], [item for i, item in enumerate(items) if i not in taken]


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


def _files(folder: Path, kind: FileKind) -> list[Path]:
    files = [file for file in _visible_files(folder) if file.suffix.lower() in kind.suffixes]
    if not files:
        raise DataError(f"{folder} holds no {kind.plural} ({', '.join(sorted(kind.suffixes))}): each class needs some")
    return sorted(files, key=Path.as_posix)  # the same order on every system


def _check_strangers(given: dict[str, Path], names: Sequence[str]) -> None:
    for folder in given.values():
        strangers = set(_visible_folders(folder)) - set(names)
        if strangers:
            raise DataError(f"{folder} has a class that training lacks: {sorted(strangers)[0]}")


def _complete(
    files: dict[str, dict[str, list[Path]]], names: Sequence[str], kind: FileKind
) -> tuple[dict[str, Items], str]:
    """Hold out the splits that are missing; say how."""
    missing = [split for split in ("validation", "test") if split not in files]
    splits: dict[str, Items] = {split: [] for split in SPLIT_NAMES}
    for label, name in enumerate(names):
        rest = files["train"][name]
        if len(rest) < 1 + len(missing):
            raise DataError(
                f"class {name} has {len(rest)} {kind.plural}: it needs at least {1 + len(missing)} to be split"
            )
        for split in missing:
            held_out, rest = hold_out(rest, max(1, round(len(files["train"][name]) * SHARE_HELD_OUT)))
            splits[split] += [(path, label) for path in held_out]
        splits["train"] += [(path, label) for path in rest]
        for split in files:
            if split != "train":
                splits[split] += [(path, label) for path in files[split][name]]
    if not missing:
        return splits, "split as its folders say"
    return splits, f"a tenth of each class held out for {' and a tenth for '.join(missing)}"
