"""Notebooks run here without a network: the kernels' sockets reach this machine only."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from course_utils.running.side_by_side import thread_variables

OFFLINE = '''\
"""Python imports this at its start: an address beyond this machine is refused."""
import socket

_connect, _connect_ex, _getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo
NEAR = ("127.", "localhost", "::1", "0.0.0.0")


def _check(address):
    if isinstance(address, tuple) and not str(address[0]).startswith(NEAR):
        raise OSError(f"the tests run offline, but something wanted {address[0]}")


def connect(self, address):
    _check(address)
    return _connect(self, address)


def connect_ex(self, address):
    _check(address)
    return _connect_ex(self, address)


def getaddrinfo(host, *arguments, **options):
    _check((host or "localhost",))
    return _getaddrinfo(host, *arguments, **options)


socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo = connect, connect_ex, getaddrinfo
'''


@dataclass(frozen=True)
class SmokeRun:
    """What `course run --profile smoke` said and left."""

    folder: Path
    done: "subprocess.CompletedProcess[str]"

    @property
    def summary(self) -> dict[str, Any]:
        return json.loads((self.folder / "summary.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def offline(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return an environment in which Python and its kernels reach nothing beyond this machine, and HOME is empty.

    Each process computes with one thread: another number adds up in another order, and then runs can't be compared.
    """
    folder, home = tmp_path_factory.mktemp("offline"), tmp_path_factory.mktemp("home")
    (folder / "sitecustomize.py").write_text(OFFLINE)
    own = {"PYTHONPATH": str(folder), "HOME": str(home), "COURSE_PROGRESS": "none"}
    return {**os.environ, **own, **thread_variables(1)}


@pytest.fixture(scope="session")
def course_run(offline: dict[str, str]) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Return a function that runs the core course as a newcomer would, but for smoke, into a folder."""

    def call(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "course_utils", "run", *words, "--profile", "smoke", "--name", str(folder)]
        return subprocess.run(command, env=offline, capture_output=True, text=True, timeout=900)

    return call


@pytest.fixture(scope="session")
def smoke_run(
    course_run: Callable[..., "subprocess.CompletedProcess[str]"], tmp_path_factory: pytest.TempPathFactory
) -> SmokeRun:
    """Return the one smoke run of these tests."""
    folder = tmp_path_factory.mktemp("runs") / "smoke"
    return SmokeRun(folder, course_run(folder))
