"""A comparison as a table in the terminal."""

from typing import Any

from rich.table import Table
from rich.text import Text

from course_utils.running.comparison.groups import Comparison, Group, Measured
from course_utils.running.metrics import show_number, show_spread

MOST_COLUMNS = 8


def show_value(value: Any) -> str:
    """Return a parameter's value as it is shown."""
    return "–" if value is None else str(value)


def show_measured(measured: Measured | None) -> str:
    """Return a mean with its spread, such as "0.612 ± 0.004"."""
    if measured is None:
        return "–"
    spread = "" if measured.spread is None else show_spread(measured.mean, measured.spread)
    return show_number(measured.mean) + spread


def comparison_table(comparison: Comparison, *, everything: bool = True) -> Table:
    """Return parameters that differ and metrics, a column for each group of runs, or a row where groups are many."""
    groups = comparison.groups
    metrics = comparison.metrics if everything else comparison.key_metrics
    if len(groups) > MOST_COLUMNS:
        return _table_of_rows(comparison, groups, comparison.key_metrics)
    table = Table(title="Compared", title_justify="left")
    table.add_column("", overflow="fold")
    for group in groups:
        table.add_column(Text(_title(group)), justify="right", overflow="fold")
    difference = len(groups) == 2
    if difference:
        table.add_column("difference", justify="right")
    for name in comparison.differing:
        table.add_row(Text(name), *(Text(show_value(group.parameters[name])) for group in groups))
    table.add_section()
    for name in metrics:
        measured = [group.metrics.get(name) for group in groups]
        last = [Text(_difference(*measured))] if difference else []
        table.add_row(_breakable(name), *(Text(show_measured(item)) for item in measured), *last)
    return table


def _table_of_rows(comparison: Comparison, groups: list[Group], metrics: list[str]) -> Table:
    table = Table(title="Compared", title_justify="left")
    for name in comparison.differing:
        table.add_column(Text(name), justify="right", overflow="fold")
    table.add_column("runs", justify="right")
    for name in metrics:
        table.add_column(_breakable(name), justify="right", overflow="fold")
    for group in groups:
        table.add_row(
            *(Text(show_value(group.parameters[name])) for name in comparison.differing),
            str(len(group.runs)),
            *(Text(show_measured(group.metrics.get(name))) for name in metrics),
        )
    return table


def _breakable(name: str) -> Text:
    """Return a metric's name, to be broken after its first two parts where the table is narrow."""
    subject, method, what = name.split("/", 2) if name.count("/") > 1 else ("", "", name)
    return Text(f"{subject}/{method}/ {what}" if method else what)


def _title(group: Group) -> str:
    return group.runs[0].name if len(group.runs) == 1 else f"{len(group.runs)} runs"


def _difference(first: Measured | None, second: Measured | None) -> str:
    if first is None or second is None:
        return ""
    change = second.mean - first.mean
    return f"{'+' if change > 0 else '−' if change < 0 else ''}{show_number(abs(change))}"
