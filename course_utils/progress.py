"""One way to show progress: a bar for a person at the notebook, a line now and then for a log."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from tqdm import tqdm

STYLE_VARIABLE = "COURSE_PROGRESS"  # "bar" (default), "lines" or "none"; set by whoever runs the notebook
_OPEN: list[str] = []  # titles of the pieces of work that are under way
LEAST_BETWEEN_LINES, MOST_BETWEEN_LINES = 5.0, 20.0  # seconds; in between, a fifth of the time so far


class Progress(Protocol):
    """What `progress` hands out."""

    def update(self, steps: int = 1, note: str = "") -> None:
        """Count `steps` more as done; `note` says how it goes."""


class _Bar:
    def __init__(self, total: int, title: str, done: int) -> None:
        self.bar = tqdm(
            total=total,
            initial=done,
            desc=title,
            file=sys.stdout,
            mininterval=0.5,
            dynamic_ncols=False,
            ncols=100,
        )

    def update(self, steps: int = 1, note: str = "") -> None:
        if note:
            self.bar.set_postfix_str(note, refresh=False)
        self.bar.update(steps)

    def close(self) -> None:
        self.bar.close()


class _Lines:
    def __init__(self, total: int, title: str, done: int) -> None:
        self.total, self.title, self.done = total, title, done
        self.done_at_start, self.started, self.said = done, time.monotonic(), time.monotonic()

    def update(self, steps: int = 1, note: str = "") -> None:
        self.done += steps
        now = time.monotonic()
        wait = min(max(LEAST_BETWEEN_LINES, (now - self.started) / 5), MOST_BETWEEN_LINES)
        if now - self.said >= wait:
            self.said = now
            left = (now - self.started) / (self.done - self.done_at_start) * (self.total - self.done)
            percent = 100 * self.done // max(self.total, 1)
            self._say(f"{percent} % · {note + ' · ' if note else ''}{left:.0f} s left")

    def close(self) -> None:
        self._say(f"{self.done} of {self.total} in {time.monotonic() - self.started:.0f} s")

    def _say(self, words: str) -> None:
        sys.stdout.write(f"{self.title}: {words}\n")
        sys.stdout.flush()


class _Silence:
    def __init__(self, total: int, title: str, done: int) -> None:
        pass

    def update(self, steps: int = 1, note: str = "") -> None:
        pass

    def close(self) -> None:
        pass


@contextmanager
def progress(total: int, title: str, *, done: int = 0, shown: bool = True) -> Iterator[Progress]:
    """Show how far a piece of work of `total` steps is, of which `done` were done before.

    The environment variable `COURSE_PROGRESS` chooses a bar, throttled lines or silence; `shown=False` is silence too,
    and so is being part of a larger piece whose progress is shown.
    """
    style = os.environ.get(STYLE_VARIABLE, "bar") if shown and not _OPEN else "none"
    kinds: dict[str, type[_Bar | _Lines | _Silence]] = {"lines": _Lines, "none": _Silence}
    chosen = kinds.get(style, _Bar)(total, title, done)
    _OPEN.append(title)
    try:
        yield chosen
    finally:
        _OPEN.pop()
        chosen.close()
