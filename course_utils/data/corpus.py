"""Texts to learn a language from, without labels: the addresses, or any folder of .txt files, split by text."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from course_utils.data import addresses, folders, sources
from course_utils.data.text import TEXTS, load_addresses, read_text, text_fingerprint
from course_utils.errors import DataError
from course_utils.paths import resolve

LEAST_WORDS = 500  # fewer make no vocabulary, and hold out nothing worth a measurement
SHARE_HELD_OUT = 0.1  # for validation, and as much again for test
NAMES = ("train", "validation", "test")


@dataclass(frozen=True)
class Corpus:
    """Whole texts in three splits; `description` says where they are from and how they were split."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]
    description: str


def load_corpus(dataset: str = "sotu") -> Corpus:
    """Return texts to learn from, the same split as `load_texts` makes where the folder holds classes.

    Args:
        dataset: "sotu", or a folder with .txt files in UTF-8 at any depth; a relative path counts from the project's
            root. Files are held out whole, a tenth for validation and a tenth for test; where there are fewer than
            three, each is cut into its first eight tenths, the next and the last.

    Raises:
        DataError: the data set is unknown, missing, damaged, empty, too small or not text.
    """
    if sources.is_known(dataset, "texts"):
        parts = addresses.split_addresses(load_addresses())
        splits = {name: [address.text for address in part] for name, part in parts.items()}
        return _describe(splits, f"sotu: {sources.KNOWN['sotu'].description}", "split by address")
    path = resolve(dataset)
    given, how = _split_files(path)
    splits = {name: [text for file in given[name] if (text := read_text(file)).strip()] for name in NAMES}
    texts = [text for name in NAMES for text in splits[name]]
    if not all(splits.values()) and texts:
        splits, how = _cut(texts), "each text cut into its first eight tenths, the next and the last"
    return _describe(splits, str(path), how)


def corpus_fingerprint(dataset: str) -> str:
    """Return a hash that changes when the texts change.

    Raises:
        DataError: the data set is unknown, missing or holds no texts.
    """
    if sources.is_known(dataset, "texts"):
        return text_fingerprint(dataset)
    digest = hashlib.sha256()
    for file in folders.list_files(resolve(dataset), TEXTS):
        status = file.stat()
        digest.update(f"{file} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _split_files(path: Path) -> tuple[dict[str, list[Path]], str]:
    """Return the files of each split; folders of classes are split as `load_texts` does."""
    try:
        classes = folders.scan_folder(path, TEXTS)
    except DataError:  # no classes, or a few files only: then all that is there, whatever its folder
        return _split_any(folders.list_files(path, TEXTS))
    return {name: [file for file, _ in items] for name, items in classes.splits.items()}, f"{classes.how}, by file"


def _split_any(files: list[Path]) -> tuple[dict[str, list[Path]], str]:
    if len(files) < len(NAMES):
        return {"train": files, "validation": [], "test": []}, ""
    count = max(1, round(len(files) * SHARE_HELD_OUT))
    test, rest = folders.hold_out(files, count)
    validation, train = folders.hold_out(rest, count)
    return {"train": train, "validation": validation, "test": test}, "a tenth held out twice, by file"


def _cut(texts: Sequence[str]) -> dict[str, list[str]]:
    """Cut each text in three; a word on a border belongs to the earlier part."""
    splits: dict[str, list[str]] = {name: [] for name in NAMES}
    for text in texts:
        borders = (1 - 2 * SHARE_HELD_OUT, 1 - SHARE_HELD_OUT)
        first, second = (_next_blank(text, int(len(text) * border)) for border in borders)
        for name, part in zip(NAMES, (text[:first], text[first:second], text[second:]), strict=True):
            splits[name].append(part)
    return splits


def _next_blank(text: str, place: int) -> int:
    while place < len(text) and not text[place].isspace():
        place += 1
    return place


def _describe(splits: dict[str, list[str]], origin: str, how: str) -> Corpus:
    counts = {name: sum(len(text.split()) for text in texts) for name, texts in splits.items()}
    total = sum(counts.values())
    if total < LEAST_WORDS:
        raise DataError(
            f"{origin} has {total} words, too few to learn a language from: it needs {LEAST_WORDS} at the very least, "
            "and some 100,000 to learn anything"
        )
    sizes = ", ".join(f"{counts[name]:,} {name}" for name in NAMES)
    train, validation, test = (tuple(splits[name]) for name in NAMES)
    return Corpus(train, validation, test, f"{origin}. Words: {sizes}; {how}.")
