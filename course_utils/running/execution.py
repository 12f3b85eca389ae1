"""Executing one notebook in a process of its own, with an eye on it and a hand on the switch."""

import json
import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from course_utils.paths import replacing
from course_utils.progress import STYLE_VARIABLE
from course_utils.running.notebooks import Notebook

SECONDS_BETWEEN_LOOKS = 0.25
SECONDS_TO_END = 5.0
OUR_ERRORS = ("CourseError", "DataError", "SettingsError")  # their text is a sentence made for the user


@dataclass
class Progress:
    """How far a notebook is."""

    cell: int = 0
    num_cells: int = 0
    line: str = ""  # the last that it printed
    seconds: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """How a notebook ended; `error` is one sentence, or None if all went well."""

    seconds: float
    error: str | None


Watcher = Callable[[Progress], None]
"""Called several times a second while a notebook runs."""


def execute(
    notebook: Notebook,
    output: Path,
    parameters: dict[str, Any],
    *,
    max_seconds: float,
    watch: Watcher = lambda _: None,
    environment: Mapping[str, str] | None = None,
) -> Outcome:
    """Execute a notebook into `output`; a notebook that fails leaves there what it did.

    Args:
        notebook: what to execute; its kernel is the Python that runs this.
        output: where the executed copy goes, whole or not at all.
        parameters: put after its `parameters` cell.
        max_seconds: after so long it is ended.
        watch: see `Watcher`.
        environment: variables that its process gets beside ours, such as OMP_NUM_THREADS.

    Raises:
        KeyboardInterrupt: Ctrl-C; the notebook has been ended and nothing is left at `output`.
    """
    with replacing(output) as partial, tempfile.TemporaryFile("w+") as chatter:
        task = {
            "notebook": str(notebook.path),
            "output": str(partial),
            "parameters": parameters,
            "folder": str(notebook.path.parent),
        }
        started = time.monotonic()
        with _worker(task, chatter, environment or {}) as worker:
            progress = Progress(num_cells=len(notebook.cells) + 1)  # papermill adds one with the parameters
            end = _follow(worker, progress, started, max_seconds, watch)
        if end["end"] == "worker died":
            end["value"] = _how_it_died(worker.returncode, chatter)
        error = _sentence(end, notebook, max_seconds)
        _tidy(partial, notebook, output)
        return Outcome(time.monotonic() - started, error)


@contextmanager
def _worker(
    task: dict[str, Any], chatter: IO[str], environment: Mapping[str, str]
) -> Iterator["subprocess.Popen[str]"]:
    """Run a worker on the task; at the block's end it is gone, and its kernel with it."""
    worker = subprocess.Popen(
        [sys.executable, "-m", "course_utils.running.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=chatter,
        text=True,
        encoding="utf-8",
        start_new_session=True,  # Ctrl-C is for us alone; we pass on what it means
        env={**os.environ, **environment, STYLE_VARIABLE: "lines"},
    )
    assert worker.stdin is not None
    try:
        with suppress(BrokenPipeError):  # it died at once, which the listener will say
            worker.stdin.write(json.dumps(task) + "\n")
            worker.stdin.flush()
        yield worker
    finally:
        with suppress(BrokenPipeError):
            worker.stdin.close()
        try:
            worker.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()


def _follow(
    worker: "subprocess.Popen[str]", shown: Progress, started: float, max_seconds: float, watch: Watcher
) -> dict[str, Any]:
    """Show what the worker says until it says how the notebook ended."""
    events = _events(worker)
    while True:
        shown.seconds = time.monotonic() - started
        if shown.seconds > max_seconds:
            return {"end": "too long"}
        try:
            event = events.get(timeout=SECONDS_BETWEEN_LOOKS)
        except queue.Empty:
            event = {}
        if "end" in event:
            return event
        shown.cell, shown.line = event.get("cell", shown.cell), event.get("line", shown.line)
        watch(shown)


def _events(worker: "subprocess.Popen[str]") -> "queue.Queue[dict[str, Any]]":
    """Return a queue that a thread fills with what the worker says, and with its end if it dies."""
    said: queue.Queue[dict[str, Any]] = queue.Queue()

    def listen() -> None:
        assert worker.stdout is not None
        with worker.stdout:
            for line in worker.stdout:
                said.put(json.loads(line))
        said.put({"end": "worker died"})

    threading.Thread(target=listen, daemon=True).start()
    return said


def _how_it_died(returncode: int, chatter: IO[str]) -> str:
    """Return what is known of a worker's death: the signal that killed it, or the last line that it wrote."""
    if returncode < 0:
        return f"killed by {signal.Signals(-returncode).name}; the same command goes on from the last checkpoint"
    chatter.seek(0)
    return chatter.read().strip().rpartition("\n")[2] or "it said nothing"


def _sentence(end: dict[str, Any], notebook: Notebook, max_seconds: float) -> str | None:
    """Return in one sentence why the notebook failed, None if it didn't."""
    how, name, value = end["end"], end.get("name", ""), _one_line(end.get("value", ""))
    if how == "ok":
        return None
    if how == "error":
        return value if name in OUR_ERRORS else f"{name}: {value}".removesuffix(": ")
    if how == "too long":
        return f"not done after {max_seconds / 60:g} minutes: allow more with --timeout, or choose smaller parameters"
    if how == "could not go on" and name == "DeadKernelError":
        return "its kernel was killed, most often for want of memory: try a smaller BATCH_SIZE"
    if how == "worker died":
        return f"the process that executes {notebook.name} ended unexpectedly: {value}"
    return f"{how}: {name}: {value}".removesuffix(": ")


def _one_line(text: str) -> str:
    return " ".join(re.sub(r"\x1b\[[0-9;]*m", "", text).split())


def _tidy(partial: Path, notebook: Notebook, output: Path) -> None:
    """Give the copy, which papermill wrote under a temporary name, the name that it will have."""
    try:
        content = json.loads(partial.read_text(encoding="utf-8"))
    except ValueError:  # ended before or while papermill wrote: what was executed is lost, the source is not
        content = json.loads(notebook.path.read_text(encoding="utf-8"))
    content["metadata"].get("papermill", {}).update(input_path=notebook.path.name, output_path=output.name)
    partial.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
