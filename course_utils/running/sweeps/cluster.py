"""Where a sweep's runs are done: a local dask cluster as large as the machine, or one that is there already."""

import importlib.util
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from course_utils.errors import CourseError
from course_utils.running.environment import BYTES_A_KERNEL, count_cores, free_memory, list_gpus

if TYPE_CHECKING:
    from distributed import Client

SECONDS_TO_CONNECT = 10


@dataclass(frozen=True)
class Size:
    """How many runs go beside each other, and what each gets."""

    workers: int
    threads: int
    gpus: tuple[str, ...] = ()


def choose_size(num_runs: int, workers: int | None = None, threads: int | None = None) -> Size:
    """Return how to share this machine: one run a GPU, else one a core, as far as the free memory goes.

    Args:
        num_runs: more workers than these would be idle.
        workers, threads: what the user wants; None: as above, and the cores shared among the workers.
    """
    cores, gpus = count_cores(), tuple(list_gpus())
    most = len(gpus) or min(cores, max(1, int(free_memory() / BYTES_A_KERNEL)))
    chosen = min(workers or most, max(num_runs, 1))
    return Size(chosen, threads or max(1, cores // chosen), gpus)


def check_installed() -> None:
    """See that dask is there.

    Raises:
        CourseError: it isn't.
    """
    if importlib.util.find_spec("distributed") is None:
        raise CourseError("sweeps need dask: install it with `pip install -e '.[sweeps]'` in the course's folder")


def silence_dask() -> None:
    """Have dask keep its log to itself, for good: what it says when threads end late, we say shorter or not at all.

    A cluster's own `silence_logs` ends with the cluster, before the last of its threads.
    """
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


@contextmanager
def local_cluster(size: Size) -> Iterator["Client"]:
    """Yield a client of workers inside this process; every notebook has a process of its own."""
    from course_utils.running.sweeps.local import open_local_cluster

    silence_dask()
    with open_local_cluster(size.workers) as client:
        yield client


@contextmanager
def existing_cluster(address: str) -> Iterator["Client"]:
    """Yield a client of the scheduler at `address`.

    Raises:
        CourseError: nobody answers there.
    """
    from distributed import Client

    silence_dask()
    try:
        client = Client(address, timeout=SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        words = " ".join(str(error).split()) or "no answer"
        raise CourseError(f"no dask scheduler at {address} ({words}): start one with `dask scheduler`") from None
    with client:
        yield client


def size_of(client: "Client", threads: int | None) -> Size:
    """Return how many runs a cluster does at once, and how many threads each gets on its busiest machine."""
    workers: dict[str, dict[str, Any]] = client.scheduler_info(n_workers=-1)["workers"]
    slots: dict[str, int] = {}
    for worker in workers.values():
        slots[worker["host"]] = slots.get(worker["host"], 0) + worker["nthreads"]
    if threads is None and workers:
        cores = client.run(count_cores)
        threads = min(max(1, cores[address] // slots[worker["host"]]) for address, worker in workers.items())
    return Size(sum(slots.values()), threads or 1)
