"""The bill: the figures that the course quotes, arithmetic, the next point's closed form, and every refusal."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.labeling import DATASET_SIZES, LABEL_KINDS, labeling_bill, next_point_cost
from course_utils.labeling.scaling import PowerLaw

CIFAR = int(DATASET_SIZES["CIFAR-10"].value)
IMAGENET = int(DATASET_SIZES["ImageNet"].value)


def make_law(scale=1.5, exponent=0.25, floor=0.0):
    return PowerLaw(scale, exponent, floor, (exponent, exponent), (100, 9000), 0.95, np.zeros((1, 3)))


@pytest.mark.parametrize(
    ("num_labels", "kind", "vendor", "dollars", "to"),
    [
        (CIFAR, "class", 0, 1_750, 0),
        (CIFAR, "class", 1, 600, 0),
        (IMAGENET, "class", 0, 44_800, -2),
        (IMAGENET, "class", 1, 15_400, -2),
        (IMAGENET, "mask", 0, 1_100_000, -5),
        (IMAGENET, "mask", 1, 1_100_000, -5),
    ],
)
def test_quoted_totals(num_labels, kind, vendor, dollars, to):
    price = LABEL_KINDS[kind].prices[vendor].value
    assert round(labeling_bill(num_labels, kind, price_per_label=price).dollars, to) == dollars


def test_first_list_price_is_what_a_bill_takes():
    assert labeling_bill(1000, "class").dollars == pytest.approx(35)
    assert labeling_bill(1000, "box").dollars == pytest.approx(63)
    assert labeling_bill(1000, "polygon").dollars == pytest.approx(257)
    assert labeling_bill(1000, "mask").dollars == pytest.approx(870)


def test_class_box_and_mask_cost_ever_more():
    kinds = [LABEL_KINDS[kind] for kind in ("class", "box", "mask")]
    for vendor in (0, 1):
        prices = [kind.prices[vendor].value for kind in kinds]
        assert prices == sorted(set(prices))
    seconds = [kind.seconds.value for kind in kinds]
    assert seconds == sorted(set(seconds))
    assert labeling_bill(1000, "mask").hours == pytest.approx(22)  # COCO's own number
    assert labeling_bill(1, "street scene", hourly_wage=10).hours == pytest.approx(1.5)


def test_every_figure_has_unit_and_source():
    figures = [*DATASET_SIZES.values()]
    for kind in LABEL_KINDS.values():
        figures += [kind.seconds, *kind.prices]
    for figure in figures:
        assert figure.value > 0
        assert figure.unit
        assert any(word in figure.source for word in ("quoted", "read in the primary source", "derived", "counted"))
    assert DATASET_SIZES["ImageNet, all splits"].value == 1_400_000


def test_by_the_hour():
    bill = labeling_bill(9000, "class", annotators_per_label=2, seconds_per_label=4, hourly_wage=15)
    assert bill.hours == pytest.approx(20)
    assert bill.dollars == pytest.approx(300)
    assert bill.working_years == pytest.approx(0.01)
    assert bill.price_per_label == pytest.approx(15 * 4 / 3600)
    assert bill.basis == "time: as given; price: $15.00 an hour"


def test_description_names_hours_and_years():
    assert labeling_bill(900, "class", seconds_per_label=4).describe() == (
        "900 labels (class) by 1 annotator each: $32, 1.0 hours"
    )
    assert labeling_bill(IMAGENET, "mask", annotators_per_label=3).describe() == (
        "1,281,167 labels (mask) by 3 annotators each: $3,343,846, 84,557.0 hours = 42.3 working years"
    )


@settings(deadline=None)
@given(
    num_labels=st.integers(0, 10**7),
    kind=st.sampled_from([name for name, kind in LABEL_KINDS.items() if kind.prices]),
    annotators=st.integers(1, 9),
    seconds=st.floats(0, 1e4),
    wage=st.floats(0, 1e3),
)
def test_bills_are_proportional(num_labels, kind, annotators, seconds, wage):
    one = labeling_bill(1, kind)
    many = labeling_bill(num_labels, kind, annotators_per_label=annotators)
    assert many.dollars == pytest.approx(num_labels * annotators * one.dollars)
    assert many.hours == pytest.approx(num_labels * annotators * one.hours)
    paid = labeling_bill(num_labels, kind, annotators_per_label=annotators, seconds_per_label=seconds, hourly_wage=wage)
    assert paid.dollars == pytest.approx(paid.hours * wage)


def test_next_point_in_closed_form():
    law = make_law(scale=1.0, exponent=0.5)  # labels = 1 / error²
    point = next_point_cost(law, 0.9, step=0.05)
    assert (point.labels_now, point.labels_needed) == (100, 400)
    assert point.target == pytest.approx(0.95)
    assert point.bill == labeling_bill(300, "class")
    assert not point.extrapolated
    costs = {"annotators_per_label": 3, "seconds_per_label": 10.0, "hourly_wage": 20.0}
    assert next_point_cost(law, 0.9, "box", step=0.05, **costs).bill == labeling_bill(300, "box", **costs)
    by_the_piece = next_point_cost(law, 0.9, "yes/no", step=0.05, price_per_label=0.5).bill
    assert by_the_piece.dollars == pytest.approx(150)


def test_extrapolation_is_flagged():
    law = make_law(scale=1.0, exponent=0.5)  # measured from 100 to 9,000 labels
    assert next_point_cost(law, 0.98).extrapolated  # 2,500 → 10,000
    assert next_point_cost(law, 0.88).extrapolated  # 70 → 83
    assert not next_point_cost(law, 0.97).extrapolated


@settings(deadline=None)
@given(accuracy=st.floats(0.3, 0.93), exponent=st.floats(0.2, 1), floor=st.sampled_from([0.0, 0.02, 0.04]))
def test_each_point_costs_more_than_the_one_before(accuracy, exponent, floor):
    law = make_law(exponent=exponent, floor=floor)
    first, second = next_point_cost(law, accuracy), next_point_cost(law, accuracy + 0.01)
    assert first.bill.num_labels == first.labels_needed - first.labels_now
    assert second.bill.num_labels >= first.bill.num_labels - 1  # whole labels


@pytest.mark.parametrize(
    ("costs", "message"),
    [
        ({"num_labels": -1}, "num_labels must be a whole number from 0 up, got -1"),
        ({"num_labels": 1.5}, "num_labels must be a whole number from 0 up, got 1.5"),
        ({"num_labels": math.nan}, "num_labels must be a whole number from 0 up, got nan"),
        ({"annotators_per_label": 0}, "annotators_per_label must be a whole number from 1 up, got 0"),
        ({"price_per_label": -0.01}, "price_per_label must be a number of dollars from 0 up, got -0.01"),
        ({"price_per_label": math.nan}, "price_per_label must be a number of dollars from 0 up, got nan"),
        ({"hourly_wage": -15}, "hourly_wage must be a number of dollars an hour from 0 up, got -15"),
        ({"seconds_per_label": math.inf}, "seconds_per_label must be a number of seconds from 0 up, got inf"),
        ({"hourly_wage": 15, "price_per_label": 0.1}, "by the hour or by the piece, got hourly_wage 15 and price_per_"),
        ({"kind": "circle"}, "no label kind is called 'circle'; known ones: class, yes/no, "),
        ({"kind": "yes/no"}, "no list price is known for 'yes/no'; give hourly_wage or price_per_label"),
    ],
)
def test_wrong_bills_are_named(costs, message):
    with pytest.raises(ValueError, match=message):
        labeling_bill(**{"num_labels": 10, "kind": "class", **costs})


@pytest.mark.parametrize(
    ("accuracy", "step", "message"),
    [
        (0.95, 0.01, "an accuracy of 0.96 is not reachable: the curve's ceiling is 0.95; ask for less"),
        (0.94, 0.01, "an accuracy of 0.95 is not reachable: the curve's ceiling is 0.95; ask for less"),
        (1.0, 0.01, r"accuracy must be a fraction in \[0, 1\), got 1.0"),
        (80, 0.01, r"accuracy must be a fraction in \[0, 1\), got 80"),
        (math.nan, 0.01, r"accuracy must be a fraction in \[0, 1\), got nan"),
        (0.8, 1, r"step must be a fraction in \(0, 1\), got 1; one percentage point is 0.01"),
        (0.8, 0, r"step must be a fraction in \(0, 1\), got 0"),
    ],
)
def test_wrong_targets_are_named(accuracy, step, message):
    with pytest.raises(ValueError, match=message):
        next_point_cost(make_law(floor=0.05), accuracy, step=step)


def test_costs_and_curves_of_a_next_point_are_checked_too():
    with pytest.raises(ValueError, match="price_per_label must be a number of dollars from 0 up, got -1"):
        next_point_cost(make_law(), 0.8, price_per_label=-1)
    with pytest.raises(ValueError, match=r"takes more than 10\^18 labels by this curve"):
        next_point_cost(make_law(exponent=0.01), 0.8)
    with pytest.raises(ValueError, match="an accuracy of 1 is not reachable: the curve's ceiling is 1"):
        next_point_cost(make_law(), 0.99)
    with pytest.raises(ValueError, match="does not fall with more labels"):
        next_point_cost(make_law(exponent=-0.1), 0.8)
