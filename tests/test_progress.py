"""Progress: a bar, throttled lines or silence."""

import pytest

from course_utils.progress import progress


def count_to_ten(done=0):
    with progress(10, "counting", done=done) as shown:
        for _ in range(10 - done):
            shown.update(note="loss 1.5")


def test_bar_by_default(monkeypatch, capsys):
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)
    count_to_ten()
    shown = capsys.readouterr()
    assert "counting: 100%" in shown.out
    assert "loss 1.5" in shown.out
    assert shown.err == ""


def test_lines_are_throttled(monkeypatch, capsys):
    monkeypatch.setenv("COURSE_PROGRESS", "lines")
    count_to_ten()
    assert capsys.readouterr().out == "counting: 10 of 10 in 0 s\n"


def test_lines_say_how_far_and_how_long(monkeypatch, capsys):
    monkeypatch.setenv("COURSE_PROGRESS", "lines")
    monkeypatch.setattr("course_utils.progress.LEAST_BETWEEN_LINES", 0)
    clock = iter(range(0, 1000, 2))  # two seconds between looks at the clock
    monkeypatch.setattr("course_utils.progress.time.monotonic", lambda: next(clock))
    count_to_ten(done=8)
    assert "counting: 90 % · loss 1.5 ·" in capsys.readouterr().out


def test_silence(monkeypatch, capsys):
    monkeypatch.setenv("COURSE_PROGRESS", "none")
    count_to_ten()
    assert capsys.readouterr().out == ""


def test_the_end_is_said_when_work_breaks_off(monkeypatch, capsys):
    monkeypatch.setenv("COURSE_PROGRESS", "lines")
    with pytest.raises(KeyboardInterrupt), progress(10, "counting") as shown:
        shown.update(3)
        raise KeyboardInterrupt
    assert "counting: 3 of 10" in capsys.readouterr().out


def test_a_part_of_a_larger_piece_is_silent(monkeypatch, capsys):
    monkeypatch.setenv("COURSE_PROGRESS", "lines")
    with progress(2, "all") as shown:
        for _ in range(2):
            with progress(3, "part") as inner:
                inner.update(3)
            shown.update()
    with progress(1, "next") as shown:
        shown.update()
    said = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in said] == ["all", "next"]
