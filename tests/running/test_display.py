import io
from types import SimpleNamespace

from rich.console import Console

from course_utils.running import display
from course_utils.running.display import claims_table, notebooks_table, open_display
from course_utils.running.execution import Progress

CLAIM = {"id": "x", "statement": "It [b]helps[/b].", "source": "A paper", "holds": False, "evidence": {"gain": 0.123}}
SUMMARY = {
    "profile": "smoke",
    "notebooks": [
        {
            "name": "05_simclr",
            "status": "ok",
            "seconds": 75.2,
            "metrics": {"image/simclr/knn/test_accuracy": 0.5, "image/simclr/knn/test_accuracy_sd": 0.01},
            "claims": [CLAIM],
            "error": None,
        },
        {"name": "06_x", "status": "failed", "seconds": 1, "metrics": {}, "claims": [], "error": "a [red]bad[/] one"},
    ],
}


def shown(*things, **options):
    stream = io.StringIO()
    console = Console(file=stream, width=120, **options)
    for thing in things:
        console.print(thing)
    return stream.getvalue()


def test_the_table_has_status_time_numbers_and_errors_as_they_are():
    text = shown(notebooks_table(SUMMARY))
    for words in ("05_simclr", "✓ ok", "1:15", "0.500 ± 0.010", "✗ failed", "a [red]bad[/] one"):
        assert words in text


def test_claims_are_shown_whether_they_hold_or_not():
    text = shown(claims_table(SUMMARY))
    for words in ("✗", "It [b]helps[/b].", "A paper", "gain 0.123"):
        assert words in text
    assert claims_table({"notebooks": []}) is None


def test_a_log_gets_lines_now_and_then(monkeypatch):
    stream, clock = io.StringIO(), iter(range(0, 1000, 10))
    monkeypatch.setattr(display, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    job = SimpleNamespace(name="05_simclr")
    with open_display(Console(file=stream, width=80)) as log:
        for step in range(8):
            log.show(job, Progress(cell=3, num_cells=9, line=f"SimCLR: {step} %", seconds=10 * step))
        log.ended(SUMMARY["notebooks"][0])
    lines = stream.getvalue().splitlines()
    assert lines[0] == "05_simclr: started"
    assert lines[1] == "05_simclr: cell 3 of 9 · 0:10 · SimCLR: 1 %"
    assert len(lines) < 8
    assert lines[-1] == "✓ ok  05_simclr  1:15"


def test_notebooks_side_by_side_keep_their_lines_apart(monkeypatch):
    jobs = [SimpleNamespace(name=name) for name in ("05_simclr", "06_x")]
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(display, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    logged, drawn = io.StringIO(), io.StringIO()
    with open_display(Console(file=logged, width=80)) as log:
        for step in range(4):
            for job in jobs:
                log.show(job, Progress(3, 9, f"{job.name[:2]} says {step}", 10.0 * step))
    lines = logged.getvalue().splitlines()
    assert lines[:2] == ["05_simclr: started", "06_x: started"]
    assert sum("started" in line for line in lines) == 2
    assert all(line.split("_")[0] == line.split(" · ")[-1][:2] for line in lines[2:])
    with open_display(Console(file=drawn, width=80, force_terminal=True, color_system=None)) as live:
        for job in jobs:
            live.show(job, Progress(3, 9, f"{job.name[:2]} works", 10.0))
        drawn.truncate(0)
        live.live.refresh()
        both = drawn.getvalue()
        live.ended(SUMMARY["notebooks"][0])
        drawn.truncate(0)
        live.live.refresh()
        one = drawn.getvalue()
    assert all(words in both for words in ("05_simclr  cell 3 of 9", "05 works", "06_x  cell 3 of 9", "06 works"))
    assert [words in one for words in ("05 works", "06 works")] == [False, True]


def test_a_terminal_gets_one_live_line_with_the_notebooks_own_words():
    stream = io.StringIO()
    console = Console(file=stream, width=80, force_terminal=True, color_system=None)
    with open_display(console) as live:
        live.show(SimpleNamespace(name="05_simclr"), Progress(3, 9, "SimCLR: [12 %]", 10.0))
        live.live.refresh()
        live.ended(SUMMARY["notebooks"][1])
    text = stream.getvalue()
    assert "05_simclr  cell 3 of 9 · 0:10" in text
    assert "SimCLR: [12 %]" in text
    assert "✗ failed  06_x  0:01: a [red]bad[/] one" in text
