"""Starting the processes of a pretraining on this machine, and ending them all however it ends."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import IO

from course_utils.errors import FAILED, LOST, SettingsError
from course_utils.pretraining.order import Order
from course_utils.pretraining.signals import StopRequest
from course_utils.processes import ALONE
from course_utils.running.environment import count_cores
from course_utils.teamwork import NOTICED

LEASH = "COURSE_LEASH"  # set where a process ends when its stdin does
SECONDS_BETWEEN_LOOKS = 0.1
SECONDS_TO_END = 8.0  # for the others, once one failed


@dataclass(frozen=True)
class End:
    """How the processes ended: the command's exit code, and what is to be said on stderr."""

    exit_code: int
    words: str


@dataclass
class _Process:
    rank: int
    popen: "subprocess.Popen[bytes]"
    said: IO[bytes]  # on stderr
    ended_by_us: bool = False

    def words(self) -> str:
        self.said.seek(0)
        return self.said.read().decode(errors="replace").strip()

    def only_noticed(self) -> bool:
        """Tell whether it ended because another one did not answer."""
        return self.popen.returncode == LOST and self.words().startswith(f"error: {NOTICED}")


def launch(order: Order, request: StopRequest, environment: dict[str, str]) -> End:
    """Run the command once for each device of this machine, and return how it ended; none of them outlives us.

    Args:
        order: what was asked for.
        request: a stop that is passed on to the processes.
        environment: its variables.

    Raises:
        SettingsError: there are other machines, and nothing says where process 0 is.
    """
    own = _meeting_point(order, environment)
    num_local = order.num_devices or 1
    first = int(own["GROUP_RANK"]) * num_local
    threads = str(max(count_cores() // num_local, 1))
    shared = {"OMP_NUM_THREADS": threads, "TORCH_CPP_LOG_LEVEL": "FATAL", **environment, **own, LEASH: "1"}
    shared |= {"WORLD_SIZE": str(num_local * (order.num_nodes or 1)), "LOCAL_WORLD_SIZE": str(num_local)}
    with ExitStack() as stack:
        processes: list[_Process] = []
        stack.callback(_end_all, processes)
        for local_rank in range(num_local):
            said = stack.enter_context(tempfile.TemporaryFile())
            number = {"RANK": str(first + local_rank), "LOCAL_RANK": str(local_rank)}
            processes.append(_start(order.words(), {**shared, **number}, said, shows=first + local_rank == 0))
        failed = _watch(processes, request)
        _end_all(processes)
        return _tell(processes, failed, request, order.patience)


def hold_the_leash(environment: dict[str, str]) -> None:
    """End this process when the one that started it is gone; does nothing in a process that `launch` did not start."""
    if environment.get(LEASH) != "1":
        return
    import threading

    def wait() -> None:
        with suppress(OSError):
            while os.read(0, 1):
                pass
        os._exit(LOST)

    threading.Thread(target=wait, daemon=True).start()


def _meeting_point(order: Order, environment: dict[str, str]) -> dict[str, str]:
    """Return where process 0 waits and which of the machines this one is."""
    if (order.num_nodes or 1) == 1:
        return {"MASTER_ADDR": ALONE, "MASTER_PORT": str(_free_port()), "GROUP_RANK": "0"}
    names = ("MASTER_ADDR", "MASTER_PORT", "NODE_RANK")
    missing = [name for name in names if name not in environment]
    if missing:
        raise SettingsError(
            f"--nodes {order.num_nodes} needs {', '.join(missing)} in the environment of every machine, or a start by "
            "torchrun or srun, which set them"
        )
    rank = environment["NODE_RANK"]
    if not rank.isdecimal() or int(rank) >= (order.num_nodes or 1):
        raise SettingsError(f"NODE_RANK must be a number from 0 to {(order.num_nodes or 1) - 1}, got {rank!r}")
    return {"GROUP_RANK": rank}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((ALONE, 0))
        port: int = probe.getsockname()[1]
    return port


def _start(words: Sequence[str], environment: dict[str, str], said: IO[bytes], *, shows: bool) -> _Process:
    popen = subprocess.Popen(
        [sys.executable, "-m", "course_utils", *words],
        stdin=subprocess.PIPE,  # never written to: it closes when we are gone
        stdout=None if shows else subprocess.DEVNULL,
        stderr=said,
        start_new_session=True,  # Ctrl-C is for us alone; we pass it on
        env=environment,
    )
    return _Process(int(environment["RANK"]), popen, said)


def _watch(processes: list[_Process], request: StopRequest) -> _Process | None:
    """Wait until all ended, or for a while after one failed, which is returned."""
    failed: _Process | None = None
    failed_at = 0.0
    passed_on = False
    while any(process.popen.poll() is None for process in processes):
        if request.signal is not None and not passed_on:
            passed_on = True
            for process in processes:
                process.popen.send_signal(request.signal)
        bad = [process for process in processes if process.popen.poll() and not _was_asked(process, request)]
        if bad and failed is None:
            failed, failed_at = bad[0], time.monotonic()
        if failed is not None and time.monotonic() - failed_at > SECONDS_TO_END:
            return failed
        time.sleep(SECONDS_BETWEEN_LOOKS)
    bad = [process for process in processes if process.popen.poll() and not _was_asked(process, request)]
    return failed or next(iter(bad), None)


def _was_asked(process: _Process, request: StopRequest) -> bool:
    """Tell whether a process ended because it was asked to, be it before it could listen."""
    number = request.signal
    return number is not None and process.popen.returncode in (request.exit_code, -number)


def _end_all(processes: list[_Process]) -> None:
    for process in processes:
        if process.popen.poll() is None:
            process.ended_by_us = True
            process.popen.kill()
    for process in processes:
        process.popen.wait()
        if process.popen.stdin is not None:
            process.popen.stdin.close()


def _cause(processes: list[_Process], failed: _Process) -> _Process:
    """Return the process that failed by itself: the first one that was seen may only have noticed its loss."""
    ended = [process for process in processes if process.popen.returncode and not process.ended_by_us]
    causes = [process for process in ended if process.popen.returncode != LOST]
    lost = [process for process in ended if not process.only_noticed()]  # such as a process that reads its images
    frozen = [process for process in processes if process.ended_by_us]
    return next(iter([*causes, *lost, *frozen]), failed)


def _tell(processes: list[_Process], failed: _Process | None, request: StopRequest, patience: float) -> End:
    if failed is None:
        code = next((request.exit_code for process in processes if process.popen.returncode), 0)
        words = processes[0].words()
        return End(code, words or f"stopped by {request.sender} before anything was trained" if code else words)
    told = _cause(processes, failed)
    code, count = told.popen.returncode, len(processes)
    if told.ended_by_us:
        return End(
            LOST,
            f"error: process {told.rank} of {count} did not answer for {patience:g} s and was ended: the same command "
            "goes on from the last checkpoint, with any number of processes",
        )
    if code < 0:
        return End(
            LOST,
            f"error: process {told.rank} of {count} was killed by {signal.Signals(-code).name}: the same command goes "
            "on from the last checkpoint, with any number of processes",
        )
    words = told.words()
    if not words.startswith("error: "):
        last = words.rpartition("\n")[2] or "it said nothing"
        return End(FAILED, f"{words}\nerror: process {told.rank} of {count} ended unexpectedly: {last}".strip())
    return End(code, words)
