"""What a sweep says while it goes and when it is done."""

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from course_utils.running.sweeps import display as sweep_display
from course_utils.running.sweeps.cluster import Size
from course_utils.running.sweeps.display import Account, failures_table, open_sweep_display, statuses_line


def entry(status, seed=0, error=None, seconds=3.0):
    return {"folder": f"r{seed}", "values": {"SEED": seed}, "status": status, "seconds": seconds, "error": error}


@pytest.fixture
def clock(monkeypatch):
    """Stand in for the time."""
    now = SimpleNamespace(time=100.0)
    monkeypatch.setattr(sweep_display, "time", SimpleNamespace(monotonic=lambda: now.time))
    return now


def test_the_time_left_is_what_is_left_at_the_pace_so_far(clock):
    account = Account()
    account.begin([entry("up-to-date"), *[entry("waiting", seed) for seed in range(4)]], Size(2, 1))
    assert (account.total, account.due, account.seconds_left()) == (5, 4, None)
    clock.time += 30
    account.count(entry("ok"))
    assert account.seconds_left() == 90.0
    clock.time += 10
    account.count(entry("failed"))
    assert str(account) == "2 of 4 done · 1 failed · 0:40 so far · about 0:40 left"


@pytest.mark.parametrize("terminal", [True, False])
def test_each_run_that_ended_has_a_line_and_no_markup_of_its_own(clock, terminal):
    stream = io.StringIO()
    console = Console(file=stream, width=120, force_terminal=terminal, color_system=None)
    with open_sweep_display(console) as display:
        display.started([entry("waiting", 0), entry("waiting", 1), entry("up-to-date", 2)], Size(2, 4))
        display.ended(entry("ok", 0))
        display.ended(entry("stopped", 5, "stopped by Ctrl-C"))
        display.ended(entry("failed", 1, "ValueError: [red]boo[/red]"))
    said = stream.getvalue()
    assert "2 of 3 runs to do, 1 done before: 2 beside each other, 4 threads each" in said
    assert "✓ ok  SEED 0  0:03" in said
    assert "✗ failed  SEED 1  0:03: ValueError: [red]boo[/red]" in said
    assert "SEED 5" not in said, "after Ctrl-C nobody wants a line for each run that was not done"


def test_counts_and_failures_at_the_end():
    manifest = {
        "runs": [entry("ok"), entry("up-to-date"), entry("waiting"), *[entry("failed", n, "x") for n in range(30)]]
    }
    assert statuses_line(manifest) == "2 ok, 1 not run, 30 failed"
    assert failures_table(manifest).row_count == 21
    assert failures_table({"runs": [entry("ok")]}) is None
