"""A request to stop, from Ctrl-C or from a scheduler that needs the machine (SIGTERM)."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from course_utils.errors import INTERRUPTED, TERMINATED


class StopRequest:
    """Whether somebody wants this process to stop; training asks after each step."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def came(self) -> bool:
        """Tell whether it came."""
        return self.signal is not None

    @property
    def exit_code(self) -> int:
        """How the command ends because of it."""
        return INTERRUPTED if self.signal == signal.SIGINT else TERMINATED

    @property
    def sender(self) -> str:
        """In words, what came."""
        return "Ctrl-C" if self.signal == signal.SIGINT else "SIGTERM"

    def note(self, number: int, frame: FrameType | None = None) -> None:
        """Take in a signal; a second Ctrl-C stops at once."""
        if self.signal is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.signal = number


@contextmanager
def listening() -> Iterator[StopRequest]:
    """Turn SIGTERM and Ctrl-C into a request until the block ends."""
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request  # only the main thread may
        return
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, request.note) for number in numbers]
    try:
        yield request
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
