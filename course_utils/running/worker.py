"""The process in which papermill executes one notebook; `execution.py` starts it and listens.

A process of its own can be ended whatever it does (a kernel killed for memory may leave papermill waiting for ever),
and it keeps the `course` command quick. It reads one line of JSON from stdin, what to do, and writes lines of JSON to
stdout, what happens. When stdin closes, `execution.py` wants no more of it or is dead: it ends its kernel and itself.
"""

import contextlib
import json
import os
import signal
import sys
import threading
import time
from typing import Any, TextIO

from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

ATTEMPTS_TO_START = 3
SECONDS_TO_START = 120
SECONDS_BETWEEN_LINES = 0.2
MOST_TEXT, MOST_LINE = 20_000, 500  # characters: a notebook may print millions without a line's end


class ThisPythonKernelManager(AsyncKernelManager):
    """Starts kernels with the very Python that runs the worker, whatever kernels the user has installed."""

    started: list[int] = []  # noqa: RUF012 (process ids, one a kernel; there is one worker a process)

    @property
    def kernel_spec(self) -> KernelSpec:
        """Return ipykernel's own description of a kernel in this Python."""
        return KernelSpec(**get_kernel_dict())

    async def _async_post_start_kernel(self, **options: Any) -> None:
        await super()._async_post_start_kernel(**options)
        if isinstance(pid := getattr(self.provisioner, "pid", None), int):
            self.started.append(pid)


class Events:
    """The worker's words to `execution.py`: which cell runs, what the notebook printed last, how it ended."""

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.cells_started = stream, 0
        self.text, self.said = "", 0.0

    def send(self, **event: Any) -> None:
        """Write one event."""
        self.stream.write(json.dumps(event) + "\n")
        self.stream.flush()

    def cell_started(self, cell: Any, cell_index: int) -> None:
        """Count a cell; nbclient calls this for each."""
        self.cells_started += 1
        self.send(cell=cell_index + 1)

    def write(self, text: str) -> None:
        """Pass on the last line of what the notebook prints; papermill calls this as it would a file's."""
        *lines, self.text = (self.text + text)[-MOST_TEXT:].replace("\r", "\n").split("\n")
        said = next((line.strip()[:MOST_LINE] for line in reversed(lines) if line.strip()), "")
        now = time.monotonic()
        if said and now - self.said >= SECONDS_BETWEEN_LINES:
            self.said = now
            self.send(line=said)

    def flush(self) -> None:
        """Do nothing: `write` keeps nothing back that is worth it."""


def execute(task: dict[str, Any], events: Events) -> None:
    """Execute the notebook and say how it ended."""
    # jsonschema, which papermill needs, would spend two seconds on a grammar of web addresses; it can do without
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    from papermill.exceptions import PapermillExecutionError

    for attempt in range(1, ATTEMPTS_TO_START + 1):
        try:
            _execute_once(task, events)
        except PapermillExecutionError as error:
            events.send(end="error", name=error.ename, value=error.evalue)
        except Exception as error:  # whatever goes wrong around the notebook is reported as its failure
            if not events.cells_started and attempt < ATTEMPTS_TO_START:
                continue  # the kernel did not start, as happens when a port is taken: the one thing to try again
            how = "could not go on" if events.cells_started else "kernel did not start"
            events.send(end=how, name=type(error).__name__, value=str(error))
        else:
            events.send(end="ok")
        return


def _execute_once(task: dict[str, Any], events: Events) -> None:
    import papermill  # after the above

    from course_utils.running import engine

    papermill.execute_notebook(
        _literal(task["notebook"]),
        _literal(task["output"]),
        task["parameters"],
        engine_name=engine.NAME,
        kernel_name="python3",
        language="python",
        progress_bar=False,
        cwd=task["folder"],
        start_timeout=SECONDS_TO_START,
        iopub_timeout=60,  # a busy machine is slow to hand over outputs
        kernel_manager_class=ThisPythonKernelManager,
        on_cell_start=events.cell_started,
        stdout_file=events,
        stderr_file=events,
    )


def _literal(path: str) -> str:
    """Return `path` so that papermill, which takes it for a format string, reads it as it stands."""
    return path.replace("{", "{{").replace("}", "}}")


def _end_when_unwanted() -> None:
    """Wait until stdin closes, then end the kernels and this process."""
    while os.read(0, 1):  # not sys.stdin, whose lock a waiting thread would still hold when Python ends
        pass
    for pid in ThisPythonKernelManager.started:
        with contextlib.suppress(OSError):
            if sys.platform == "win32":
                os.kill(pid, signal.SIGTERM)
            else:
                os.killpg(pid, signal.SIGKILL)  # a kernel leads its own group
    os._exit(1)


def _take_stdout() -> TextIO:
    """Return the stream for events, and send whatever else is written to stdout (kernels inherit it) to stderr."""
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return stream


def main() -> None:
    """Do one task."""
    events = Events(_take_stdout())
    task = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_when_unwanted, daemon=True).start()
    execute(task, events)


if __name__ == "__main__":
    main()
