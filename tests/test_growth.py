"""What the growth study computes itself: lines, memory of a fresh process, its picture and its place in the command."""

import math
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.__main__ import COMPARISONS, find_problem, main
from benchmarks.fresh import extra_memory, in_fresh_process
from benchmarks.growth import Series, as_table, draw, fit_line
from benchmarks.growth_work import cached_step_cost, loss_cost, processes_rate


@given(
    slope=st.floats(-1e3, 1e3),
    intercept=st.floats(-1e3, 1e3),
    noise=st.lists(st.floats(-10, 10), min_size=3, max_size=12),
)
def test_a_line_is_numpys_and_r_squared_the_squared_correlation(slope, intercept, noise):
    points = [(x, slope * x + intercept + e) for x, e in enumerate(noise)]
    x, y = np.array(points).T
    line = fit_line(points)
    expected = np.polynomial.Polynomial.fit(x, y, 1).convert(domain=[-1, 1]).coef
    scale = 1e-7 * (1 + np.abs(y).max())
    assert line.intercept == pytest.approx(expected[0], abs=scale)
    assert line.slope == pytest.approx(expected[1] if len(expected) > 1 else 0, abs=scale)
    if np.ptp(y) > 1e-3:
        assert line.r_squared == pytest.approx(np.corrcoef(x, y)[0, 1] ** 2, abs=1e-6)


def test_lines_of_known_form():
    exact = fit_line([(1, 5), (2, 7), (4, 11)])
    assert (exact.slope, exact.intercept, exact.r_squared) == (pytest.approx(2), pytest.approx(3), pytest.approx(1))
    bent = fit_line([(0, 0), (1, 1), (2, 0)])
    assert bent.r_squared == pytest.approx(0)
    assert math.isnan(fit_line([(0, 1), (1, 1), (2, 1)]).r_squared)
    with pytest.raises(ValueError, match="from 3 points on, got 2"):
        fit_line([(0, 1), (1, 1)])
    with pytest.raises(ValueError, match="at several x, all are at 2"):
        fit_line([(2, 1), (2, 3), (2, 4)])


def hold(megabytes: int) -> int:
    return extra_memory(lambda: torch.ones(megabytes * 2**20, dtype=torch.uint8))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere the peak can't be set back")
def test_the_memory_of_a_tensor_is_seen():
    assert in_fresh_process(hold, 96) / 2**20 == pytest.approx(96, abs=12)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere the peak can't be set back")
def test_chunks_take_less_memory_than_one_table():
    num_views = 4096
    _, plain = in_fresh_process(loss_cost, num_views, 0, 1)
    _, chunked = in_fresh_process(loss_cost, num_views, 128, 1)
    table = 4 * num_views**2
    assert plain > 2 * table
    assert chunked < table / 2


def test_the_parts_that_train_do_train():
    seconds, _ = cached_step_cost(64, 16)
    assert seconds > 0
    assert processes_rate(2, 1) > 0


def test_a_series_is_told_and_drawn():
    points = [(1.0, 2.0), (2.0, 4.0), (3.0, 6.0)]
    series = Series("a step", "images", "s", points, fit_line(points), ("all at once", 9.0))
    assert as_table([series]).row_count == 1
    axes = draw([series] * 4).axes
    assert len(axes) == 4
    assert axes[0].get_title(loc="left") == "a step: R² = 1.0000"
    assert axes[0].get_ylabel() == "s"


def test_a_study_is_run_by_itself(capsys):
    assert find_problem(["growth"]) == ""
    assert "'growth' is no comparison: run it by itself" in find_problem(["growth", next(iter(COMPARISONS))])
    assert main(["grow"]) == 2
    assert "there is no comparison 'grow'" in capsys.readouterr().err
