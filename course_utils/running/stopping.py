"""How a command is stopped from outside: Ctrl-C, or SIGTERM from a scheduler or `timeout`."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from course_utils.errors import INTERRUPTED, TERMINATED


class Terminated(KeyboardInterrupt):
    """SIGTERM came: all that Ctrl-C would stop is to be stopped."""


@contextmanager
def heeding_sigterm() -> Iterator[None]:
    """Have SIGTERM raise `Terminated` in the main thread until the block ends."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may
        return
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def sender_of(error: KeyboardInterrupt) -> str:
    """Return in words what came."""
    return "SIGTERM" if isinstance(error, Terminated) else "Ctrl-C"


def exit_code_for(sender: str) -> int:
    """Return how a command ends because of it."""
    return TERMINATED if sender == "SIGTERM" else INTERRUPTED


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated
