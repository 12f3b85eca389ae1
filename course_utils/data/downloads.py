"""A download by another program, watched: shown while it comes, given up when its host is dead or hopelessly slow."""

import contextlib
import subprocess
import time
from collections import deque
from pathlib import Path

from course_utils.errors import DataError
from course_utils.progress import Progress, progress

SECONDS_OF_PATIENCE = 60.0
LEAST_BYTES_PER_SECOND = 100_000  # at less, the 170 MB of CIFAR-10 would take half an hour and more
SECONDS_BETWEEN_LOOKS = 0.5


def download_with(command: list[str], folder: Path, *, host: str, num_bytes: int) -> None:
    """Run a program that downloads into `folder`, and watch the folder grow.

    Args:
        command: the program and its arguments; `folder` is its working directory.
        folder: an empty folder; whatever the program keeps, it must keep there.
        host: who sends, for messages.
        num_bytes: about how many are to come, for the progress bar.

    Raises:
        DataError: the program can't be started or fails, or too little comes in for a minute.
    """
    try:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except OSError as error:
        raise DataError(f"{Path(command[0]).name} can't be run: {error.strerror}") from None
    try:
        with progress(num_bytes // 10**6, f"from {host}, MB") as shown:
            _watch(process, folder, host, shown)
    finally:
        process.kill()
        process.wait()
    if process.returncode:
        raise DataError(f"{host} could not be reached or gave no data")


def _watch(process: "subprocess.Popen[bytes]", folder: Path, host: str, shown: Progress) -> None:
    """Wait for the end of `process`, unless the folder grows by too little for too long."""
    sizes: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])  # of the last minute
    megabytes = 0
    while process.poll() is None:
        time.sleep(SECONDS_BETWEEN_LOOKS)
        now, size = time.monotonic(), _size(folder)
        shown.update(max(0, size // 10**6 - megabytes))
        megabytes = max(megabytes, size // 10**6)
        sizes.append((now, size))
        while now - sizes[0][0] > SECONDS_OF_PATIENCE:
            then, before = sizes.popleft()
            if size - before < LEAST_BYTES_PER_SECOND * (now - then):
                raise DataError(f"{host} sent less than {LEAST_BYTES_PER_SECOND // 1000} kB a second for a minute")


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # a temporary file may be gone by now
            total += path.stat().st_size if path.is_file() else 0
    return total
