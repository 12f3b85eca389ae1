"""Shares of a step's time."""

import time

import pytest

from course_utils.step_timing import as_shares, median_seconds


def test_parts_are_run_in_turn_and_their_medians_taken():
    order = []
    parts = {"quick": lambda: order.append("quick"), "slow": lambda: (order.append("slow"), time.sleep(0.02))}
    seconds = median_seconds(parts, repeats=2)
    assert order == ["quick", "slow"] * 3
    assert seconds["slow"] >= 0.02 > seconds["quick"]


def test_the_first_round_is_not_counted():
    waits = iter([0.2, 0.0, 0.0])
    assert median_seconds({"part": lambda: time.sleep(next(waits))}, repeats=2)["part"] < 0.1


def test_shares_add_up():
    assert as_shares({"a": 1.0, "b": 3.0}) == {"a": 0.25, "b": 0.75}


def test_no_rounds():
    with pytest.raises(ValueError, match="at least 1, got 0"):
        median_seconds({}, repeats=0)
