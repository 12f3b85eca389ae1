"""Measurements in a process of their own, whose memory nothing else has touched."""

import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import psutil

T = TypeVar("T")
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def in_fresh_process(measure: Callable[..., T], *arguments: object) -> T:
    """Return what a function of a module gives in a new process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure, *arguments).result()


def extra_memory(work: Callable[[], object]) -> int:
    """Return by how many bytes the memory of this process rose at its highest, while `work` ran.

    What torch holds is memory of the process as any other; Python's tracemalloc does not see it.
    """
    before = resident_memory()
    with suppress(OSError):  # Linux: start counting the peak anew; elsewhere it counts from the process's start
        CLEAR.write_text("5")
    work()
    return max(peak_memory() - before, 0)


def resident_memory() -> int:
    """Return the bytes of memory that this process has now."""
    return int(psutil.Process().memory_info().rss)


def peak_memory() -> int:
    """Return the most bytes of memory that this process has had."""
    if STATUS.exists():  # getrusage would also count what the parent had when it started us
        line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS
