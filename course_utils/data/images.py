"""Image data sets in memory, in three splits: train to learn from, validation to choose by, test to look at once."""

import hashlib
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from course_utils.data import folders, image_files, sources
from course_utils.data.cifar10 import CLASS_NAMES
from course_utils.data.splits import DatasetSummary, LabeledExamples, Splits
from course_utils.paths import resolve

SHARE_OF_VALIDATION = 0.1  # of the published training images: the last tenth of each class


@dataclass(frozen=True)
class LabeledImages(LabeledExamples):
    """Images (N, 3, height, width) uint8 with labels (N,) int64."""

    images: Tensor
    labels: Tensor

    def take(self, indices: Tensor) -> "LabeledImages":
        """Return the examples at `indices`."""
        return LabeledImages(self.images[indices], self.labels[indices])


@dataclass(frozen=True)
class ImageSplits(Splits[LabeledImages]):
    """A data set of images of one size."""


def load_images(dataset: str = "cifar10-mini", image_size: int = 32, num_train_images: int = 0) -> ImageSplits:
    """Load a data set.

    Args:
        dataset: a known name (see `course data list`) or a folder of class folders of images; a relative path counts
            from the project's root.
        image_size: pixels of a side; images of other sizes are resized.
        num_train_images: how many training images to keep, the same share of each class; 0 for all.

    Raises:
        DataError: the data set is unknown, missing, cut, altered or no data set.
    """
    splits = _load_known(dataset) if sources.is_known(dataset, "images") else _load_folder(dataset, image_size)
    if splits.train.images.shape[-1] != image_size:
        splits = _resized(splits, image_size)
    return splits.with_fewer(num_train_images, "images")


def describe_dataset(dataset: str) -> DatasetSummary:
    """Return a data set's sizes, having checked that it is there and whole, without opening its images.

    Raises:
        DataError: as for `load_images`, but for broken images in a folder.
    """
    if sources.is_known(dataset, "images"):
        sources.verify(dataset, quick=True)
        num_published, num_test = sources.KNOWN[dataset].num_train, sources.KNOWN[dataset].num_test
        num_validation = int(num_published * SHARE_OF_VALIDATION)
        return DatasetSummary(dataset, num_published - num_validation, num_validation, num_test, len(CLASS_NAMES))
    folder = _scan(dataset)
    num_train, num_validation, num_test = (len(folder.splits[split]) for split in ("train", "validation", "test"))
    return DatasetSummary(dataset, num_train, num_validation, num_test, len(folder.class_names))


def dataset_fingerprint(dataset: str) -> str:
    """Return a hash that changes when the data change.

    Raises:
        DataError: as for `describe_dataset`.
    """
    if sources.is_known(dataset, "images"):
        return hashlib.sha256("".join(sources.KNOWN[dataset].content.values()).encode()).hexdigest()
    return folders.fingerprint(_scan(dataset))


def _load_known(name: str) -> ImageSplits:
    arrays = sources.load(name)
    is_validation = _last_tenth_of_each_class(arrays.train_labels)
    train, validation = (
        _labeled(arrays.train_images[chosen], arrays.train_labels[chosen]) for chosen in (~is_validation, is_validation)
    )
    test = _labeled(arrays.test_images, arrays.test_labels)
    description = (
        f"{name}: {sources.KNOWN[name].description}. {len(train):,} training, {len(validation):,} validation (the last "
        f"tenth of each class) and {len(test):,} test images, 32 × 32 pixels, {len(CLASS_NAMES)} classes."
    )
    return ImageSplits(name, train, validation, test, CLASS_NAMES, description)


def _load_folder(dataset: str, image_size: int) -> ImageSplits:
    folder = _scan(dataset)
    image_files.check_memory(folder, image_size)
    train, validation, test = (
        LabeledImages(image_files.read_images(items, image_size), torch.tensor([label for _, label in items]))
        for items in (folder.splits[split] for split in ("train", "validation", "test"))
    )
    ignored = f" {folder.num_ignored} other files were left out." if folder.num_ignored else ""
    description = (
        f"{folder.path}: {len(train):,} training, {len(validation):,} validation and {len(test):,} test images of "
        f"{len(folder.class_names)} classes; {folder.how}; the shorter side resized to {image_size} pixels and the "
        f"center cut out.{ignored}"
    )
    return ImageSplits(dataset, train, validation, test, folder.class_names, description)


def _scan(dataset: str) -> folders.ClassFolder:
    return folders.scan_folder(resolve(dataset), image_files.IMAGES)


def _labeled(images: np.ndarray, labels: np.ndarray) -> LabeledImages:
    """Shape: images (N, H, W, 3) → (N, 3, H, W)."""
    return LabeledImages(torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(), torch.from_numpy(labels).long())


def _last_tenth_of_each_class(labels: np.ndarray) -> np.ndarray:
    held_out = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        held_out[members[len(members) - int(len(members) * SHARE_OF_VALIDATION) :]] = True
    return held_out


def _resized(splits: ImageSplits, size: int) -> ImageSplits:
    def resize(part: LabeledImages) -> LabeledImages:
        chunks = [
            F.interpolate(chunk.float(), size=(size, size), mode="bilinear", antialias=True)
            .round()
            .clamp(0, 255)
            .byte()
            for chunk in part.images.split(1000)
        ]
        return LabeledImages(torch.cat(chunks), part.labels)

    return replace(
        splits,
        train=resize(splits.train),
        validation=resize(splits.validation),
        test=resize(splits.test),
        description=f"{splits.description} Resized to {size} × {size}.",
    )
