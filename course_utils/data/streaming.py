"""Images of a folder tree that does not fit in memory: read from disk while a network trains, batch by batch."""

import hashlib
import multiprocessing
import os
import signal
import threading
import warnings
from collections.abc import Collection, Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from course_utils.data.folders import list_files
from course_utils.data.image_files import IMAGES, read_image
from course_utils.errors import DataError, LostProcessError
from course_utils.paths import resolve

# a fork starts at once, shares the memory of torch and ends with us; workers compute with one thread and no GPU
START = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
GO_ON = "the same command goes on from the last checkpoint"


class ImageStream:
    """All images below a folder, however deep; no labels are read.

    They are in the order in which `load_images` has those of class folders: by class, and then by path.
    In memory are the paths and the batches under way.

    Args:
        folder: a relative path counts from the project's root.
        image_size: pixels of a side; the shorter side is resized, and the center cut out.
        num_workers: processes that read and decode; 0: this process does, which then waits for the disk.
        without: files that are left out.
        patience: seconds to wait for a batch from the workers.

    Raises:
        DataError: the folder is missing, can't be read, or holds no images.
    """

    def __init__(
        self,
        folder: str,
        image_size: int,
        num_workers: int = 0,
        without: Collection[Path] = (),
        patience: float = 0.0,
    ) -> None:
        self.root, self.num_workers, self.patience = resolve(folder).resolve(), num_workers, patience
        left_out = set(without)
        names = [file.relative_to(self.root) for file in list_files(self.root, IMAGES) if file not in left_out]
        if not names:
            raise DataError(
                f"all images of {folder} are DATASET's validation and test images: name a folder that holds others"
            )
        depth = 2 if (self.root / "train").is_dir() else 1  # of the class folders
        names.sort(key=lambda name: (name.parts[:depth], name.as_posix()))
        self._names = np.array([os.fsencode(name) for name in names])  # a list of a million takes twice as much memory
        self._images = _ImageFiles(self.root, image_size)

    def __len__(self) -> int:
        return len(self._names)

    def fingerprint(self) -> str:
        """Return a hash of the images' paths in the folder, which decide the order that a checkpoint goes on in."""
        return hashlib.sha256(b"\n".join(self._names.tolist())).hexdigest()

    def spread(self, most: int) -> Tensor:
        """Return the indices of at most so many images, spread evenly over the tree, (min(most, N),) int64."""
        count = min(most, len(self))
        return torch.arange(count) * len(self) // count

    def read(self, batches: Iterable[Tensor]) -> Generator[Tensor, None, None]:
        """Yield the images of each batch of indices, in the order given, read ahead by the workers.

        The workers end with the generator: close it where it is left early.

        Args:
            batches: each (batch,) int64.

        Shape: each (batch, 3, image_size, image_size) uint8.

        Raises:
            DataError: an image can't be read, or is no longer there.
            LostProcessError: a worker was killed, or no batch came in time.
        """
        before = multiprocessing.active_children()
        loaded = self._start(self._names[indices.numpy()].tolist() for indices in batches)
        watch = _Watch([process for process in multiprocessing.active_children() if process not in before])
        with minding_the_workers(watch):
            while (read := watch.limit(loaded, self.patience)) is not None:
                if isinstance(read, str):
                    raise DataError(read)
                yield read

    def _start(self, batches: Iterable[list[bytes]]) -> Iterator[Tensor | str]:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "This DataLoader will create", UserWarning)  # so many were asked for
            warnings.filterwarnings("ignore", ".*multi-threaded, use of fork", DeprecationWarning)  # by Python 3.12
            return iter(
                DataLoader(
                    self._images,
                    batch_sampler=batches,  # names in place of numbers
                    num_workers=self.num_workers,
                    multiprocessing_context=START if self.num_workers else None,
                    worker_init_fn=_leave_signals,
                    collate_fn=_as_it_is,
                    pin_memory=torch.cuda.is_available(),
                    generator=torch.Generator(),  # else it would draw from the global one, as the network does
                )
            )


class _Watch:
    """Kills workers from which no batch comes in time, for torch's own limit does not hold in all that it waits for."""

    def __init__(self, workers: "list[multiprocessing.process.BaseProcess]") -> None:
        self.workers = workers
        self.was_late = False

    def limit(self, loaded: Iterator[Tensor | str], seconds: float) -> Tensor | str | None:
        """Return the next batch, None after the last one; killed workers make torch raise an error."""
        if not (self.workers and seconds):
            return next(loaded, None)
        timer = threading.Timer(seconds, self._end)
        timer.daemon = True
        timer.start()
        try:
            return next(loaded, None)
        finally:
            timer.cancel()

    def _end(self) -> None:
        self.was_late = True
        for worker in self.workers:
            worker.kill()


@contextmanager
def minding_the_workers(watch: _Watch | None = None) -> Iterator[None]:
    """Put into words that a process that reads images was lost, which torch tells wherever we are at that moment.

    Args:
        watch: knows whether we killed it ourselves.

    Raises:
        LostProcessError: one was.
    """
    try:
        yield
    except (RuntimeError, EOFError, ConnectionError) as error:
        if watch is not None and watch.was_late:
            raise LostProcessError(
                f"no batch came in time from the processes that read images: {GO_ON}; more --workers read faster, and "
                "--patience waits longer"
            ) from error
        is_a_loss = "DataLoader worker" in str(error) or (watch is not None and not isinstance(error, RuntimeError))
        if not is_a_loss:
            raise
        raise LostProcessError(
            f"a process that reads images was killed, perhaps because memory ran out: {GO_ON}; fewer --workers need "
            "less memory"
        ) from error


class _ImageFiles(Dataset[Tensor]):
    """Reads whole batches by the files' names, so that no worker holds the list of all.

    A broken image comes back as the sentence that says so, which crosses processes unharmed.
    """

    def __init__(self, root: Path, size: int) -> None:
        self.root, self.size = root, size

    def __getitems__(self, names: list[bytes]) -> Tensor | str:
        images = torch.empty(len(names), 3, self.size, self.size, dtype=torch.uint8)
        try:
            for row, name in enumerate(names):
                images[row] = read_image(self.root / os.fsdecode(name), self.size)
        except DataError as error:
            return str(error)
        return images


def _leave_signals(_worker: int) -> None:
    """Let the training process decide: a terminal and a scheduler send their signals to all processes."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _as_it_is(batch: Any) -> Any:
    return batch
