import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_utils.running.metrics import (
    MetricsTable,
    check_metric_name,
    finite_number,
    key_metrics,
    plain,
    rows,
    show_evidence,
    show_time,
)


@pytest.mark.parametrize(
    "name",
    [
        "image/supervised/test_accuracy",
        "image/simclr/linear/labels_10/test_accuracy",
        "text/masked_words/loss",
        "video/frames/copy_last/mse",
    ],
)
def test_good_names(name):
    assert check_metric_name(name) == name


@pytest.mark.parametrize(
    "name", ["accuracy", "image/x", "sound/a/b", "Image/a/b", "image/a/B", "image//b", "image/a/b/", "image/a/b c", ""]
)
def test_bad_names(name):
    with pytest.raises(ValueError, match="name is like image/simclr/knn/test_accuracy"):
        check_metric_name(name)


@pytest.mark.parametrize(
    ("value", "number"),
    [(1, 1), (0.5, 0.5), (np.float32(0.5), 0.5), (np.int64(3), 3), (torch.tensor(0.25), 0.25), (np.array([2.0]), 2.0)],
)
def test_numbers_of_all_kinds(value, number):
    assert finite_number(value, "x") == number
    assert type(finite_number(value, "x")) is type(number)


@pytest.mark.parametrize("value", [math.nan, math.inf, "0.5", None, True, [0.5], torch.ones(2), np.ones(2), {}])
def test_other_things_are_no_numbers(value):
    with pytest.raises(ValueError, match="finite number"):
        finite_number(value, "x")


def test_evidence_may_be_text_or_truth():
    assert [plain(value, "x") for value in ("yes", True, np.bool_(False))] == ["yes", True, False]


def test_a_spread_stands_beside_its_mean():
    metrics = {"image/a/b": 0.5, "image/a/b_sd": 0.0006, "image/a/count": 12345, "image/c/d_sd": 1.0}
    assert rows(metrics) == [("image/a/b", "0.500 ± 0.001"), ("image/a/count", "12,345"), ("image/c/d_sd", "1.000")]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_is_shown_to_three_figures_or_so(value):
    [(_, shown)] = rows({"image/a/b": value})
    assert math.isclose(float(shown.replace(",", "")), value, rel_tol=0.06, abs_tol=0)


def test_key_metrics_are_accuracies_with_their_spreads():
    metrics = {"image/a/loss": 1.0, "image/a/test_accuracy": 0.5, "image/a/test_accuracy_sd": 0.1}
    assert list(key_metrics(metrics)) == ["image/a/test_accuracy", "image/a/test_accuracy_sd"]
    assert list(key_metrics({"image/a/loss": 1.0})) == ["image/a/loss"]
    assert len(key_metrics({f"image/a/x{i}": 1.0 for i in range(30)})) == 6


def test_evidence_is_shown_in_order():
    assert show_evidence({"b": 0.25, "a": True, "why": "so"}) == [("b", "0.250"), ("a", "True"), ("why", "so")]


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00"), (59.6, "1:00"), (75, "1:15"), (3599, "59:59"), (3725, "1:02:05")]
)
def test_times(seconds, shown):
    assert show_time(seconds) == shown


def test_the_table_reads_as_text_and_as_html():
    table = MetricsTable({"image/a/b": 0.5})
    assert repr(table) == "image/a/b  0.500"
    assert "<td>image/a/b</td><td>0.500</td>" in table._repr_html_()
    assert repr(MetricsTable({})) == "nothing measured yet"
