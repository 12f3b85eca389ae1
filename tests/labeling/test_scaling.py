"""The power law: known exponents come back, intervals cover, inversion holds, and scipy finds the same minimum."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares

from course_utils.labeling.scaling import HESTNESS_EXPONENTS, PowerLaw, fit_power_law

SIZES = [100, 300, 1000, 3000, 9000]


def noisy_errors(scale=1.5, exponent=0.25, floor=0.0, noise=0.03, num_seeds=5, seed=0, sizes=SIZES):
    generator = np.random.default_rng(seed)
    return [
        [(floor + scale * n**-exponent) * math.exp(noise * generator.standard_normal()) for _ in range(num_seeds)]
        for n in sizes
    ]


def make_law(scale=1.5, exponent=0.25, floor=0.0):
    return PowerLaw(
        scale, exponent, floor, (exponent, exponent), (100, 9000), 0.95, np.array([[math.log(scale), exponent, floor]])
    )


@pytest.mark.parametrize("exponent", [*HESTNESS_EXPONENTS, 0.5])
@pytest.mark.parametrize("floor", [0.0, 0.05])
def test_known_law_comes_back(exponent, floor):
    errors = noisy_errors(0.9, exponent, floor, noise=0)
    law = fit_power_law(SIZES, errors, seed=0, with_floor=floor > 0)
    assert law.exponent == pytest.approx(exponent, rel=1e-3)
    assert law.scale == pytest.approx(0.9, rel=1e-3)
    assert law.floor == pytest.approx(floor, abs=1e-4)
    assert law.exponent_interval == pytest.approx((law.exponent, law.exponent))
    assert law.measured_range == (100, 9000)


def test_line_equals_numpys():
    errors = noisy_errors(noise=0.1)
    law = fit_power_law(SIZES, errors, seed=0)
    slope, intercept = np.polyfit(np.log(SIZES), [np.log(values).mean() for values in errors], 1)
    assert law.exponent == pytest.approx(-slope)
    assert law.scale == pytest.approx(math.exp(intercept))
    assert law.floor == 0


@pytest.mark.parametrize("seed", range(8))
def test_floor_is_close_to_scipys_minimum(seed):
    errors = noisy_errors(3, 0.5, 0.1, noise=0.02, seed=seed)
    law = fit_power_law(SIZES, errors, seed=0, with_floor=True, num_resamples=1)
    means = np.array([np.log(values).mean() for values in errors])
    log_sizes = np.log(SIZES)

    def residuals(values):
        return np.log(values[2] + np.exp(values[0] - values[1] * log_sizes)) - means

    peer = least_squares(residuals, (math.log(3), 0.5, 0.1), bounds=([-9, 0, 0], [9, 5, 0.2]))
    ours = residuals([math.log(law.scale), law.exponent, law.floor])
    assert (ours**2).sum() <= 2 * peer.cost * 1.05 + 1e-12
    assert law.exponent == pytest.approx(peer.x[1], abs=0.005)


def test_floor_costs_no_accuracy_where_there_is_none():
    errors = noisy_errors(noise=0)
    assert fit_power_law(SIZES, errors, seed=0, with_floor=True).floor < 1e-4


def test_interval_covers_the_true_exponent():
    covered = 0
    for seed in range(200):
        low, high = fit_power_law(SIZES, noisy_errors(num_seeds=4, seed=seed), seed=seed).exponent_interval
        assert low < high
        covered += low <= 0.25 <= high
    assert 0.87 <= covered / 200 <= 0.99


def test_interval_narrows_with_less_confidence_and_repeats_with_its_seed():
    errors = noisy_errors()
    wide, narrow = (fit_power_law(SIZES, errors, seed=1, confidence=level).exponent_interval for level in (0.95, 0.5))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
    assert fit_power_law(SIZES, errors, seed=1).exponent_interval == wide
    assert fit_power_law(SIZES, errors, seed=2).exponent_interval != wide


def test_order_of_sizes_and_ragged_seeds_are_no_obstacle():
    errors = noisy_errors(noise=0)
    errors[1] = errors[1][:2]
    law = fit_power_law(SIZES[::-1], errors[::-1], seed=0)
    assert law.exponent == pytest.approx(0.25)
    assert law.measured_range == (100, 9000)


def test_interval_widens_where_nothing_was_measured():
    law = fit_power_law(SIZES, noisy_errors(), seed=0)
    widths = [math.log(high / low) for low, high in (law.error_interval_at(n) for n in (1e3, 1e5, 1e7))]
    assert widths == sorted(widths)
    low, high = law.labels_interval_for(0.1)
    assert low < law.labels_for(0.1) < high
    assert law.is_measured(100)
    assert law.is_measured(9000)
    assert not law.is_measured(99)
    assert not law.is_measured(9001)


def test_labels_interval_is_open_where_a_floor_may_be_in_the_way():
    law = fit_power_law(SIZES, noisy_errors(3, 0.5, 0.1, noise=0.05), seed=0, with_floor=True)
    low, high = law.labels_interval_for(law.floor + 1e-4)
    assert math.isfinite(low)
    assert high == math.inf


@settings(deadline=None, max_examples=200)
@given(
    scale=st.floats(0.3, 5),
    exponent=st.floats(0.05, 2),
    floor=st.sampled_from([0.0, 0.03, 0.2]),
    num_labels=st.floats(1, 1e9),
    factor=st.floats(1.01, 100),
)
def test_more_labels_less_error_and_inversion(scale, exponent, floor, num_labels, factor):
    law = make_law(scale, exponent, floor)
    error, lower = law.error_at(num_labels), law.error_at(num_labels * factor)
    assert floor <= lower <= error
    if floor + 1e-6 < lower and error <= 1:
        assert lower < error
        assert law.labels_for(error) < law.labels_for(lower)
        assert law.error_at(law.labels_for(error)) == pytest.approx(error, rel=1e-9)
        assert law.labels_for(error) == pytest.approx(num_labels, rel=1e-3)


def test_description_has_law_interval_and_range():
    text = fit_power_law(SIZES, noisy_errors(noise=0), seed=0).describe()
    assert text == (
        "error = 1.5 · n^(−0.250), exponent's 95% interval 0.250 to 0.250, measured from 100 to 9,000 labels"
    )
    assert "n^(−0.500) + 0.1," in make_law(3, 0.5, 0.1).describe()


def test_flat_and_rising_curves_are_fitted_but_not_inverted():
    sizes, errors = [10, 20, 40, 80], [[0.5, 0.5], [0.5, 0.5], [0.6, 0.6], [0.7, 0.7]]
    for with_floor in (False, True):
        law = fit_power_law(sizes, errors, seed=0, with_floor=with_floor)
        assert law.exponent < 0
        assert law.floor == 0
        with pytest.raises(ValueError, match=r"does not fall with more labels \(exponent -"):
            law.labels_for(0.4)


@pytest.mark.parametrize(
    ("sizes", "errors", "message"),
    [
        ([10, 20], [[0.5, 0.4]] * 2, "needs at least 3 sizes, got 2"),
        ([10, 20, 30], [[0.5, 0.4]] * 2, "its own list of errors, got 3 sizes and 2 lists"),
        ([10, 20, 30], [[0.5, 0.4], [0.4], [0.3, 0.3]], "at least 2 seeds at each size, got 1 at 20 labels"),
        ([10, 20, 20], [[0.5, 0.4]] * 3, r"each size must be given once, with all its seeds, got \[10, 20, 20\]"),
        ([0, 20, 30], [[0.5, 0.4]] * 3, "a number of labels must be above 0 and finite, got 0"),
        ([10, 20, 30], [[0.5, 0.4], [0.4, math.nan], [0.3, 0.3]], r"errors must be in \(0, 1\], got nan at 20 labels"),
        ([10, 20, 30], [[0.5, 0.4], [0.4, 0.0], [0.3, 0.3]], r"errors must be in \(0, 1\], got 0.0 at 20 labels"),
        ([10, 20, 30], [[50, 40]] * 3, r"errors must be in \(0, 1\], got 50 at 10 labels"),
    ],
)
def test_wrong_points_are_named(sizes, errors, message):
    with pytest.raises(ValueError, match=message):
        fit_power_law(sizes, errors, seed=0)


def test_wrong_settings_are_named():
    errors = noisy_errors()
    with pytest.raises(ValueError, match="needs at least 4 sizes, got 3"):
        fit_power_law(SIZES[:3], errors[:3], seed=0, with_floor=True)
    with pytest.raises(ValueError, match=r"confidence must be in \(0, 1\), got 95"):
        fit_power_law(SIZES, errors, seed=0, confidence=95)
    with pytest.raises(ValueError, match="num_resamples must be at least 1, got 0"):
        fit_power_law(SIZES, errors, seed=0, num_resamples=0)


def test_wrong_questions_are_named():
    law = make_law(3, 0.5, 0.1)
    for error in (0.05, 0.1):
        with pytest.raises(ValueError, match=f"an error of {error} is not reachable: the curve's floor is 0.1"):
            law.labels_for(error)
    for error in (0, -0.1, 1.2, math.nan):
        with pytest.raises(ValueError, match=rf"an error must be in \(0, 1\], got {error}"):
            law.labels_for(error)
    with pytest.raises(ValueError, match=r"an error of 0.01 takes more than 10\^18 labels by this curve"):
        make_law(exponent=0.01).labels_for(0.01)
    for ask in (law.error_at, law.error_interval_at):
        with pytest.raises(ValueError, match="a number of labels must be above 0 and finite, got -3"):
            ask(-3)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"scale": 0.0}, "scale must be above 0 and finite, got 0.0"),
        ({"exponent": math.nan}, "exponent must be a finite number, got nan"),
        ({"floor": 1.0}, r"floor must be in \[0, 1\), got 1.0"),
    ],
)
def test_wrong_laws_are_named(values, message):
    law = {"scale": 1.0, "exponent": 0.3, "floor": 0.0, **values}
    with pytest.raises(ValueError, match=message):
        PowerLaw(**law, exponent_interval=(0, 1), measured_range=(1, 2), confidence=0.9, resamples=np.zeros((1, 3)))
