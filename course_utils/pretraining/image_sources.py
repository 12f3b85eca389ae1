"""Where a pretraining's images come from: all in memory, on the network's device, or read from disk as it goes."""

from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from course_utils.data import sources
from course_utils.data.folders import scan_folder
from course_utils.data.image_files import IMAGES
from course_utils.data.streaming import ImageStream
from course_utils.errors import SettingsError
from course_utils.models.vision import channel_statistics, count_values, statistics_of_counts
from course_utils.paths import resolve
from course_utils.pretraining.order import Order
from course_utils.running.environment import count_cores
from course_utils.running.settings import RotationSettings, SimCLRSettings
from course_utils.training import Reader, Step

MOST_FOR_STATISTICS = 10_000  # images of a tree by which the channels' means are taken
COUNTED_AT_ONCE = 100  # of these
MOST_WORKERS = 8  # beside each training process, unless more are asked for


class ImageSource(Protocol):
    """Images that a pretraining learns from."""

    @property
    def read(self) -> Reader | None:
        """What `fit` reads its steps' examples with; None: nothing need be read."""

    def __len__(self) -> int: ...

    def statistics(self) -> tuple[list[float], list[float]]:
        """Return mean and standard deviation of each channel, in [0, 1]."""

    def take(self, step: Step) -> Tensor:
        """Return this process's images of a step, (N, 3, H, W) uint8, on the device."""


class ImagesInMemory:
    """Images (N, 3, H, W) uint8 that are all on the device."""

    read = None

    def __init__(self, images: Tensor, device: torch.device) -> None:
        self.images = images.to(device)

    def __len__(self) -> int:
        return len(self.images)

    def statistics(self) -> tuple[list[float], list[float]]:
        """Return mean and standard deviation of each channel, of all images."""
        return channel_statistics(self.images)

    def take(self, step: Step) -> Tensor:
        """Return this process's images of a step."""
        return self.images[step.indices.to(self.images.device)]


class StreamedImages:
    """Images of a folder tree, of which `fit` has each step's read."""

    def __init__(self, stream: ImageStream, device: torch.device) -> None:
        self.stream, self.device = stream, device

    def read(self, batches: Iterable[Tensor]) -> Generator[Tensor, None, None]:
        """Yield the images of each batch of indices."""
        return self.stream.read(batches)

    def __len__(self) -> int:
        return len(self.stream)

    def statistics(self) -> tuple[list[float], list[float]]:
        """Return mean and standard deviation of each channel, of at most 10,000 images."""
        counts = torch.zeros(3, 256, dtype=torch.int64)
        for images in self.read(self.stream.spread(MOST_FOR_STATISTICS).split(COUNTED_AT_ONCE)):
            counts += count_values(images)
        return statistics_of_counts(counts)

    def take(self, step: Step) -> Tensor:
        """Return this process's images of a step."""
        assert step.examples is not None
        return step.examples.to(self.device, non_blocking=True)


def choose_source(images: Tensor, stream: ImageStream | None, device: torch.device) -> ImageSource:
    """Return what is learned from: the stream, where there is one, in place of the data set's training images.

    Args:
        images: (N, 3, H, W) uint8.
        stream: see `open_stream`.
        device: the network's.
    """
    return ImagesInMemory(images, device) if stream is None else StreamedImages(stream, device)


def open_stream(order: Order, settings: SimCLRSettings | RotationSettings, num_local: int) -> ImageStream | None:
    """Return the images that `--stream` names, without those that `DATASET` holds out; None if it was not said.

    Args:
        order: what was asked for.
        settings: the notebook's checked parameters.
        num_local: training processes on this machine, which share its cores.

    Raises:
        CourseError: the folder holds no images, or fewer than a batch. Nothing has been written or started.
    """
    if order.stream is None:
        return None
    workers = order.num_workers
    if workers is None:
        workers = max(1, min(count_cores() // num_local - 1, MOST_WORKERS))
    stream = ImageStream(order.stream, settings.image_size, workers, _held_out(settings.dataset), order.patience)
    if len(stream) < settings.batch_size:
        raise SettingsError(
            f"BATCH_SIZE {settings.batch_size} is larger than the {len(stream)} images of {order.stream}: choose a "
            "smaller one"
        )
    return stream


def _held_out(dataset: str) -> set[Path]:
    """Return the files of a folder's validation and test images: nothing may be learned from them."""
    if sources.is_known(dataset, "images"):
        return set()
    splits = scan_folder(resolve(dataset).resolve(), IMAGES).splits
    return {path for split in ("validation", "test") for path, _ in splits[split]}
