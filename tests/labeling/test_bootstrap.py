"""Means drawn again: around the measured ones, as wide as the seeds differ."""

import numpy as np
import pytest

from course_utils.labeling.bootstrap import interval, resample_means


def test_means_scatter_as_the_standard_error_says():
    values = np.random.default_rng(0).normal(size=3)
    drawn = resample_means([values, values[:1]], 40_000, np.random.default_rng(1))
    assert drawn.shape == (40_000, 2)
    assert drawn[:, 0].mean() == pytest.approx(values.mean(), abs=0.01)
    assert drawn[:, 0].std() == pytest.approx(values.std(ddof=1) / np.sqrt(3), rel=0.02)
    assert (drawn[:, 1] == values[0]).all(), "one seed has no spread"


def test_an_interval_leaves_out_the_ends_and_may_be_infinite():
    assert interval(np.arange(1001.0), 0.9) == pytest.approx((50, 950), abs=1)
    assert interval(np.array([1.0] * 90 + [np.inf] * 10), 0.9) == (1.0, np.inf)
    with pytest.raises(ValueError, match="confidence must be in"):
        interval(np.arange(3.0), 1.0)
