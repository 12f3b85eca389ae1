"""How a run looks in a terminal or a log, while it goes and when it is done."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from course_utils.running.execution import Progress
from course_utils.running.metrics import key_metrics, rows, show_evidence, show_time
from course_utils.running.plan import Job
from course_utils.running.runs import Display
from course_utils.running.summary import Entry, Status, Summary

MARKS: dict[Status, str] = {
    "ok": "[green]✓ ok[/]",
    "up-to-date": "[green]✓ up to date[/]",
    "failed": "[red]✗ failed[/]",
    "skipped": "[yellow]– skipped[/]",
}
SECONDS_BETWEEN_LINES = 15.0
LONGEST_LINE = 100


@contextmanager
def open_display(console: Console) -> Iterator[Display]:
    """Yield a display: a line that moves for a person at a terminal, lines now and then for a log."""
    if not console.is_terminal:
        yield LogDisplay(console)
        return
    with Live(console=console, refresh_per_second=8, transient=True) as live:
        yield LiveDisplay(live)


class LiveDisplay:
    """One line for each notebook that ended, and below them two for each that runs: where it is, what it says."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.running: dict[str, tuple[Spinner, Text]] = {}

    def show(self, job: Job, progress: Progress) -> None:
        """Redraw the lines about a notebook that runs."""
        where = Text.assemble(
            (job.name, "bold"),
            f"  cell {progress.cell} of {progress.num_cells} · {show_time(progress.seconds)}",
        )
        spinner = self.running[job.name][0] if job.name in self.running else Spinner("dots", style="cyan")
        spinner.update(text=where)
        said = Text(f"  {progress.line}", style="dim", no_wrap=True, overflow="ellipsis")
        self.running[job.name] = (spinner, said)
        self._redraw()

    def ended(self, entry: Entry) -> None:
        """Leave one line for good."""
        self.running.pop(entry["name"], None)
        self._redraw()
        self.live.console.print(_line(entry), soft_wrap=True)

    def _redraw(self) -> None:
        self.live.update(Group(*(line for lines in self.running.values() for line in lines)))


class LogDisplay:
    """A line when a notebook starts, when it has something new to say, and when it ends."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.last: dict[str, tuple[str, float]] = {}  # what each notebook said, and when it was printed

    def show(self, job: Job, progress: Progress) -> None:
        """Print a line if there is news and the last one is some time ago."""
        if job.name not in self.last:
            self.last[job.name] = ("", time.monotonic())
            self._print(f"{job.name}: started")
        line, said_at = self.last[job.name]
        is_time = time.monotonic() - said_at >= SECONDS_BETWEEN_LINES
        if is_time and progress.line != line:
            self.last[job.name] = (progress.line, time.monotonic())
            where = f"cell {progress.cell} of {progress.num_cells}"
            said = progress.line if len(progress.line) <= LONGEST_LINE else progress.line[:LONGEST_LINE] + " …"
            self._print(f"{job.name}: {where} · {show_time(progress.seconds)} · {said}")

    def ended(self, entry: Entry) -> None:
        """Print how it ended."""
        self.console.print(_line(entry), soft_wrap=True)

    def _print(self, text: str) -> None:
        self.console.print(Text(text), soft_wrap=True)


def notebooks_table(summary: Summary) -> Table:
    """Return the table of notebooks: status, time, the metrics that matter most."""
    table = Table(title=f"Run “{escape(summary['profile'])}”", title_justify="left", show_lines=True)
    table.add_column("notebook", no_wrap=True)
    table.add_column("status", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("measured")
    for entry in summary["notebooks"]:
        measured = _measured(entry) if entry["error"] is None else Text(entry["error"])
        table.add_row(Text(entry["name"]), MARKS[entry["status"]], show_time(entry["seconds"]), measured)
    return table


def claims_table(summary: Summary) -> Table | None:
    """Return the table of claims, or None if none was made."""
    claims = [claim for entry in summary["notebooks"] for claim in entry["claims"]]
    if not claims:
        return None
    title = "Claims, held against what was measured here (or in a recorded sweep, where it says so)"
    table = Table(title=title, title_justify="left", expand=True)
    table.show_lines = True
    table.add_column("holds", justify="center", no_wrap=True)
    table.add_column("claim", ratio=3)
    table.add_column("evidence", ratio=2)
    for claim in claims:
        holds = "[green]✓[/]" if claim["holds"] else "[red]✗[/]"
        statement = Text.assemble(claim["statement"], "\n", (claim["source"], "dim"))
        evidence = "\n".join(f"{name} {value}" for name, value in show_evidence(claim["evidence"]))
        table.add_row(holds, statement, Text(evidence))
    return table


def _measured(entry: Entry) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in rows(key_metrics(entry["metrics"])):
        table.add_row(Text(name), Text(value))
    return table


def _line(entry: Entry) -> str:
    status = entry["status"]
    parts = [MARKS[status], escape(entry["name"])]
    if status != "skipped":
        parts.append(f"[dim]{'took ' if status == 'up-to-date' else ''}{show_time(entry['seconds'])}[/]")
    return "  ".join(parts) + (f": {escape(entry['error'])}" if entry["error"] else "")
