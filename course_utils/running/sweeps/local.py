"""A dask cluster inside this process: threads that wait for notebooks' processes, and not one open port.

Imported late, for it imports dask.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dask
from distributed import Client, Scheduler, SpecCluster, Worker
from distributed.comm.inproc import global_manager


class _NoServer:
    """Leaves out dask's pages about itself, which would listen on the network."""

    def start_http_server(self, *arguments: Any, **options: Any) -> None:
        """Start nothing."""


class _Scheduler(_NoServer, Scheduler):
    pass


class _Worker(_NoServer, Worker):
    pass


@contextmanager
def open_local_cluster(num_workers: int) -> Iterator[Client]:
    """Yield a client of so many workers, each of which does one thing at a time; they are called 0, 1, 2, ..."""
    scheduler = {"cls": _Scheduler, "options": {"protocol": "inproc://", "dashboard": False}}
    worker = {
        "cls": _Worker,
        "options": {"nthreads": 1, "protocol": "inproc://", "memory_limit": None, "silence_logs": logging.CRITICAL},
    }
    global_manager._ip = "127.0.0.1"  # a name only; else dask would look for the way to 8.8.8.8 to find one
    quiet = {"distributed.worker.profile.enabled": False}  # else it would look at our threads a hundred times a second
    with (
        dask.config.set(quiet),
        SpecCluster(dict.fromkeys(range(num_workers), worker), scheduler, silence_logs=logging.CRITICAL) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client
