"""How a sweep looks in a terminal or a log, while it goes and when it is done."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from course_utils.running.metrics import show_time
from course_utils.running.sweeps.cluster import Size
from course_utils.running.sweeps.files import Manifest, SweepEntry
from course_utils.running.sweeps.spec import Values

MARKS = {
    "ok": "[green]✓ ok[/]",
    "up-to-date": "[green]✓ up to date[/]",
    "failed": "[red]✗ failed[/]",
    "stopped": "[yellow]– stopped[/]",
    "waiting": "[yellow]– not run[/]",
}
MOST_FAILURES = 20


def describe_values(values: Values) -> str:
    """Return what is particular to a run, such as "TEMPERATURE 0.2 · SEED 1"."""
    return " · ".join(f"{name} {value}" for name, value in values.items())


class Account:
    """How far a sweep is, and when it will be done."""

    def __init__(self) -> None:
        self.total = self.due = self.done = self.failed = self.slots = 0
        self.started = time.monotonic()

    def begin(self, entries: Sequence[SweepEntry], size: Size) -> None:
        """Take in what there is to do."""
        statuses = Counter(entry["status"] for entry in entries)
        self.total, self.due, self.slots = len(entries), statuses["waiting"], size.workers
        self.started = time.monotonic()

    def count(self, entry: SweepEntry) -> None:
        """Take in that a run ended."""
        self.done += 1
        self.failed += entry["status"] == "failed"

    def seconds_left(self) -> float | None:
        """Return how long what is left will take at the pace so far, None before there is any."""
        passed = time.monotonic() - self.started
        return passed / self.done * (self.due - self.done) if self.done else None

    def __str__(self) -> str:
        """Return the account as one line."""
        left = self.seconds_left()
        words = [f"{self.done} of {self.due} done"]
        words += [f"{self.failed} failed"] if self.failed else []
        words += [f"{show_time(time.monotonic() - self.started)} so far"]
        words += [f"about {show_time(left)} left"] if left else []
        return " · ".join(words)


class SweepLines:
    """A line for each run that ended, with how far the sweep is: for a log, and above the moving line of a terminal."""

    def __init__(self, console: Console) -> None:
        self.console, self.account = console, Account()

    def started(self, entries: Sequence[SweepEntry], size: Size) -> None:
        """Say what will be done."""
        self.account.begin(entries, size)
        rest = len(entries) - self.account.due
        words = f"{self.account.due} of {len(entries)} runs to do{f', {rest} done before' if rest else ''}: "
        beside = f"{size.workers} beside each other" if size.workers != 1 else "one after the other"
        if size.workers == 0:
            beside = "waiting for the cluster's first worker"
        each = f"{size.threads} thread{'s' if size.threads > 1 else ''} each"
        self.console.print(Text(f"{words}{beside}, {each}"), soft_wrap=True)

    def ended(self, entry: SweepEntry) -> None:
        """Print how a run ended."""
        if entry["status"] == "stopped":
            return
        self.account.count(entry)
        words = f"{MARKS[entry['status']]}  {escape(describe_values(entry['values']))}"
        time_taken = f"  [dim]{show_time(entry['seconds'])}[/]" if entry["seconds"] else ""
        error = f": {escape(entry['error'])}" if entry["status"] == "failed" and entry["error"] else ""
        self.console.print(f"{words}{time_taken}{error}  [dim]{self._tail()}[/]", soft_wrap=True)

    def _tail(self) -> str:
        return f"({self.account})"


class SweepLive(SweepLines):
    """The same, with the account in a line that moves."""

    def __init__(self, live: Live) -> None:
        super().__init__(live.console)
        self.spinner = Spinner("dots", style="cyan")
        live.update(self, refresh=True)

    def __rich__(self) -> RenderableType:
        """Return the moving line; rich asks several times a second."""
        self.spinner.update(text=Text(str(self.account) if self.account.due else "looking at what is there"))
        return self.spinner

    def _tail(self) -> str:
        return ""


@contextmanager
def open_sweep_display(console: Console) -> Iterator[SweepLines]:
    """Yield a display: with a line that moves for a person at a terminal, lines alone for a log."""
    if not console.is_terminal:
        yield SweepLines(console)
        return
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        yield SweepLive(live)


def statuses_line(manifest: Manifest) -> str:
    """Return how many runs ended how, such as "58 ok, 2 failed"."""
    statuses = Counter(entry["status"] for entry in manifest["runs"])
    good = statuses.pop("ok", 0) + statuses.pop("up-to-date", 0)
    names = {"waiting": "not run"}
    return ", ".join([f"{good} ok", *(f"{count} {names.get(status, status)}" for status, count in statuses.items())])


def failures_table(manifest: Manifest) -> Table | None:
    """Return the table of runs that failed, with why; None if none did."""
    failed = [entry for entry in manifest["runs"] if entry["status"] == "failed"]
    if not failed:
        return None
    table = Table(title="Failed", title_justify="left", show_lines=True)
    table.add_column("run", ratio=1)
    table.add_column("why", ratio=2)
    for entry in failed[:MOST_FAILURES]:
        table.add_row(Text(describe_values(entry["values"])), Text(entry["error"] or ""))
    if len(failed) > MOST_FAILURES:
        table.add_row("…", f"and {len(failed) - MOST_FAILURES} more: see the report")
    return table
