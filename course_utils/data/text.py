"""Text data sets in memory: passages of one length with their classes, split so that no text is in two splits."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from course_utils.data import addresses, folders, sources
from course_utils.data.addresses import Address
from course_utils.data.splits import DatasetSummary, LabeledExamples, Splits
from course_utils.errors import DataError
from course_utils.paths import resolve

__all__ = [
    "Address",
    "LabeledTexts",
    "TextSplits",
    "cut_into_passages",
    "describe_text_dataset",
    "load_addresses",
    "load_texts",
    "read_text",
    "text_fingerprint",
]
TEXTS = folders.FileKind("texts", frozenset({".txt"}))
MOST_BYTES = 512 * 2**20  # of texts; cut into passages they take several times as much


@dataclass(frozen=True)
class LabeledTexts(LabeledExamples):
    """Texts (N) with labels (N,) int64."""

    texts: tuple[str, ...]
    labels: Tensor

    def take(self, indices: Tensor) -> "LabeledTexts":
        """Return the examples at `indices`."""
        chosen = torch.arange(len(self))[indices].tolist()  # as a tensor takes them: also negative ones and a mask
        return LabeledTexts(tuple(self.texts[index] for index in chosen), self.labels[indices])


@dataclass(frozen=True)
class TextSplits(Splits[LabeledTexts]):
    """A data set of passages of one length."""


@dataclass(frozen=True)
class _Collection:
    """Whole texts with their labels, before they are cut into passages."""

    splits: dict[str, list[tuple[str, int]]]
    class_names: tuple[str, ...]
    origin: str  # words about where they are from
    how: str  # the splits were made


def load_addresses() -> list[Address]:
    """Return the 233 State of the Union addresses of 1790 to 2021, by year.

    Raises:
        DataError: the shipped file is missing, cut or altered.
    """
    return addresses.unpack(sources.read_shipped("sotu", addresses.FILE))


def load_texts(dataset: str = "sotu", passage_length: int = 100, num_train_passages: int = 0) -> TextSplits:
    """Load a data set as passages of `passage_length` words, each with the class of the text that it is from.

    Args:
        dataset: "sotu" (in which era was this said?) or a folder of class folders of .txt files in UTF-8; a relative
            path counts from the project's root.
        passage_length: words of a passage, at least 1; what is left over at a text's end is not used.
        num_train_passages: how many training passages to keep, the same share of each class; 0 for all.

    Raises:
        DataError: the data set is unknown, missing, cut, altered or no data set, or a class has no text so long.
        ValueError: `passage_length` is less than 1.
    """
    collection = _read(dataset, passage_length)
    train, validation, test = (
        _in_passages(collection.splits[split], passage_length) for split in ("train", "validation", "test")
    )
    everything = torch.cat([part.labels for part in (train, validation, test)])
    shares = torch.bincount(everything, minlength=len(collection.class_names)) / len(everything)
    balance = ", ".join(
        f"{name} {share:.0%}" for name, share in zip(collection.class_names, shares.tolist(), strict=True)
    )
    texts = [text for items in collection.splits.values() for text, _ in items]
    num_short = sum(len(text.split()) < passage_length for text in texts)
    short = f" {num_short:,} shorter texts are not used." if num_short else ""
    description = (
        f"{collection.origin}. {len(train):,} training, {len(validation):,} validation and {len(test):,} test passages "
        f"of {passage_length} words; {collection.how}. Classes and their shares: {balance}.{short}"
    )
    splits = TextSplits(dataset, train, validation, test, collection.class_names, description)
    return splits.with_fewer(num_train_passages, "passages")


def describe_text_dataset(dataset: str, passage_length: int = 100) -> DatasetSummary:
    """Return how many passages a data set has, having checked that it is there and whole, without building them.

    Raises:
        DataError, ValueError: as for `load_texts`.
    """
    collection = _read(dataset, passage_length)
    train, validation, test = (
        sum(len(text.split()) // passage_length for text, _ in collection.splits[split])
        for split in ("train", "validation", "test")
    )
    return DatasetSummary(dataset, train, validation, test, len(collection.class_names))


def text_fingerprint(dataset: str) -> str:
    """Return a hash that changes when the data change.

    Raises:
        DataError: the data set is unknown, missing or no data set.
    """
    if sources.is_known(dataset, "texts"):
        return hashlib.sha256("".join(sources.KNOWN[dataset].files.values()).encode()).hexdigest()
    return folders.fingerprint(folders.scan_folder(resolve(dataset), TEXTS))


def cut_into_passages(text: str, length: int) -> list[str]:
    """Return a text's consecutive passages of exactly `length` words; fewer words than that at its end are left out."""
    words = text.split()
    return [" ".join(words[start : start + length]) for start in range(0, len(words) - length + 1, length)]


def _read(dataset: str, passage_length: int) -> _Collection:
    if passage_length < 1:
        raise ValueError(f"passage_length must be at least 1, got {passage_length}")
    collection = _read_addresses() if sources.is_known(dataset, "texts") else _read_folder(dataset)
    _check_lengths(collection, passage_length)
    return collection


def _read_addresses() -> _Collection:
    splits = {
        split: [(address.text, addresses.era_of(address.year)) for address in part]
        for split, part in addresses.split_addresses(load_addresses()).items()
    }
    return _Collection(
        splits,
        addresses.era_names(),
        f"sotu: {sources.KNOWN['sotu'].description}",
        "of each era a fifth of the addresses, spread evenly, is for test and a tenth for validation, so that no "
        "address is in two splits; the eras end on the eve of the Civil War, with the century, and with the Second "
        "World War",
    )


def _read_folder(dataset: str) -> _Collection:
    folder = folders.scan_folder(resolve(dataset), TEXTS)
    _check_memory(folder)
    splits = {split: [(read_text(path), label) for path, label in items] for split, items in folder.splits.items()}
    ignored = f"; {folder.num_ignored} other files were left out" if folder.num_ignored else ""
    return _Collection(splits, folder.class_names, str(folder.path), f"{folder.how}, by file{ignored}")


def _check_memory(folder: folders.ClassFolder) -> None:
    """Raise DataError if the texts together are more than memory should hold."""
    total = sum(path.stat().st_size for items in folder.splits.values() for path, _ in items)
    if total > MOST_BYTES:
        raise DataError(
            f"the texts in {folder.path} have {total / 2**20:,.0f} MiB, more than the {MOST_BYTES // 2**20:,} that are "
            "read into memory: keep a part of them"
        )


def read_text(path: Path) -> str:
    """Return a file's text.

    Raises:
        DataError: it can't be read or is not UTF-8.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"the text {path} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise DataError(f"{path} is not text in UTF-8: save it so or take it out of the folder")
    return text


def _check_lengths(collection: _Collection, passage_length: int) -> None:
    """Raise DataError where a class has no passage in a split."""
    for split, items in collection.splits.items():
        for label, name in enumerate(collection.class_names):
            longest = max(len(text.split()) for text, own in items if own == label)
            if longest < passage_length:
                raise DataError(
                    f"class {name} has no text of {passage_length} words in {split} (the longest has {longest}): "
                    "choose a smaller PASSAGE_LENGTH or add longer texts"
                )


def _in_passages(items: Sequence[tuple[str, int]], length: int) -> LabeledTexts:
    pairs = [(passage, label) for text, label in items for passage in cut_into_passages(text, length)]
    return LabeledTexts(tuple(passage for passage, _ in pairs), torch.tensor([label for _, label in pairs]))
