"""What labels cost: seconds, prices, and the bill for a data set or for the next point of accuracy.

A bill goes by the piece (price × labels × annotators) or by the hour (wage × seconds × labels × annotators). Every
number comes with its source, which also says whether it was read in the primary source, quoted elsewhere or derived.
One image may need several labels: a photo of a street has many boxes.
"""

import math
from dataclasses import dataclass
from numbers import Integral
from typing import Protocol

HOURS_PER_WORKING_YEAR = 2000  # 50 weeks of 40 hours
VERTEX = "price per 1,000 units and labeler, Google Vertex AI data labeling, tier 1, as of 2026-10; quoted"
GROUND_TRUTH = "minimum price a task, Amazon SageMaker Ground Truth, API reference; read in the primary source"


@dataclass(frozen=True)
class Figure:
    """A number from the literature: its unit, and where it was read."""

    value: float
    unit: str
    source: str


@dataclass(frozen=True)
class LabelKind:
    """A kind of label: what the annotator does, how long one takes, and what vendors ask for one."""

    task: str
    seconds: Figure  # for one label by one annotator
    prices: tuple[Figure, ...] = ()  # dollars for one label by one annotator; the first is what a bill takes


class Curve(Protocol):
    """What `next_point_cost` asks of a fitted curve; `scaling.PowerLaw` is one."""

    @property
    def floor(self) -> float:
        """Error that more labels never remove."""

    def labels_for(self, error: float) -> float:
        """Return how many labels the curve needs for this error."""

    def is_measured(self, num_labels: float) -> bool:
        """Say whether so many labels lie in the measured range."""


def _dollars(value: float, source: str) -> Figure:
    return Figure(value, "dollars per label", source)


def _seconds(value: float, source: str) -> Figure:
    return Figure(value, "seconds per label", source)


_COCO_SECONDS = _seconds(
    79.2, "mean; Lin et al. 2014 (COCO), section 4.3: 22 worker hours per 1,000 masks; derived from the primary source"
)
LABEL_KINDS = {
    "class": LabelKind(
        "name what the image shows",
        _seconds(1.6, "yes/no verification of one class, quoted; choosing among many classes takes longer"),
        (_dollars(35 / 1000, f"classification: {VERTEX}"), _dollars(0.012, f"classification: {GROUND_TRUTH}")),
    ),
    "yes/no": LabelKind("say whether the proposed label is right", _seconds(1.6, "quoted")),
    "center click": LabelKind("click on the object's center", _seconds(1.87, "quoted")),
    "box": LabelKind(
        "draw a tight box around the object, have it checked",
        _seconds(
            42.4,
            "median, drawing 25.5 + quality check 9.0 + coverage check 7.8 (mean 88.0); Su, Deng, Fei-Fei 2012; quoted",
        ),
        (_dollars(63 / 1000, f"box: {VERTEX}"), _dollars(0.036, f"box: {GROUND_TRUTH}")),
    ),
    "box by extreme clicking": LabelKind(
        "click on the object's top, bottom, leftmost and rightmost points",
        _seconds(
            7.0, "Papadopoulos et al. 2017, quoted; disputed: a study of 2024 found 6.9 s against 3.7 s for a drag"
        ),
    ),
    "polygon": LabelKind(
        "click around the object's outline", _COCO_SECONDS, (_dollars(257 / 1000, f"polygon: {VERTEX}"),)
    ),
    "mask": LabelKind(
        "mark every pixel of the object",
        _COCO_SECONDS,
        (_dollars(870 / 1000, f"segmentation: {VERTEX}"), _dollars(0.84, f"segmentation: {GROUND_TRUTH}")),
    ),
    "mask with a model's help": LabelKind(
        "correct a mask that a segmentation model proposes",
        _seconds(14.0, "Kirillov et al. 2023 (Segment Anything), down from 34 s as the model improved; quoted"),
    ),
    "street scene": LabelKind(
        "mark every pixel of a whole image",
        _seconds(5400.0, "more than 1.5 hours; Cordts et al. 2016 (Cityscapes), fine; read in the primary source"),
    ),
}

DATASET_SIZES = {
    "CIFAR-10": Figure(50_000, "images", "training set, 5,000 of each of 10 classes; counted in the data"),
    "ImageNet": Figure(1_281_167, "images", "training set of the challenge; quoted"),
    "ImageNet, all splits": Figure(
        1_400_000, "images", "about, as the article says: train + validation + test = 1.43 million; quoted"
    ),
}


@dataclass(frozen=True)
class Bill:
    """What a number of labels cost.

    Args:
        kind: a key of `LABEL_KINDS`.
        num_labels: finished labels, each agreed on by all its annotators.
        annotators_per_label: how many people give each label.
        seconds_per_label: of one annotator.
        price_per_label: dollars to one annotator, by the piece or wage × time.
        hours: of all annotators together.
        dollars: to all annotators together.
        basis: where time and price come from.
    """

    kind: str
    num_labels: int
    annotators_per_label: int
    seconds_per_label: float
    price_per_label: float
    hours: float
    dollars: float
    basis: str

    @property
    def working_years(self) -> float:
        """One person's years of 2,000 hours."""
        return self.hours / HOURS_PER_WORKING_YEAR

    def describe(self) -> str:
        """Return the bill in one line."""
        people = "1 annotator" if self.annotators_per_label == 1 else f"{self.annotators_per_label} annotators"
        years = f" = {self.working_years:,.1f} working years" if self.working_years >= 0.1 else ""
        return (
            f"{self.num_labels:,} labels ({self.kind}) by {people} each: ${self.dollars:,.0f}, "
            f"{self.hours:,.1f} hours{years}"
        )


@dataclass(frozen=True)
class NextPoint:
    """What it takes from one accuracy to the next by a fitted curve; accuracies are fractions."""

    accuracy: float
    target: float
    labels_now: int
    labels_needed: int
    bill: Bill  # for the labels between
    extrapolated: bool  # an end lies outside the range that the curve was measured in


def labeling_bill(
    num_labels: int,
    kind: str,
    *,
    annotators_per_label: int = 1,
    seconds_per_label: float | None = None,
    hourly_wage: float | None = None,
    price_per_label: float | None = None,
) -> Bill:
    """Return what labels cost in hours and dollars.

    By the hour if `hourly_wage` is given, else by the piece; without either, at the kind's first list price.

    Args:
        num_labels: finished labels, 0 or more.
        kind: a key of `LABEL_KINDS`.
        annotators_per_label: how many people give each label, 1 or more.
        seconds_per_label: of one annotator; the kind's own if not given.
        hourly_wage: dollars an hour.
        price_per_label: dollars for one label by one annotator.

    Raises:
        ValueError: an unknown kind, a number out of range, both a wage and a price, or neither where the kind has no
            list price.
    """
    label_kind = _find_kind(kind)
    _check_count("num_labels", num_labels, 0)
    _check_count("annotators_per_label", annotators_per_label, 1)
    if hourly_wage is not None and price_per_label is not None:
        raise ValueError(
            f"a bill goes by the hour or by the piece, got hourly_wage {hourly_wage} and price_per_label "
            f"{price_per_label}; leave one out"
        )
    if seconds_per_label is None:
        seconds, basis = label_kind.seconds.value, f"time: {label_kind.seconds.source}"
    else:
        seconds, basis = _checked("seconds_per_label", seconds_per_label, "seconds"), "time: as given"
    if hourly_wage is not None:
        price = _checked("hourly_wage", hourly_wage, "dollars an hour") * seconds / 3600
        basis += f"; price: ${hourly_wage:,.2f} an hour"
    elif price_per_label is not None:
        price, basis = _checked("price_per_label", price_per_label, "dollars"), f"{basis}; price: as given"
    elif label_kind.prices:
        price, basis = label_kind.prices[0].value, f"{basis}; price: {label_kind.prices[0].source}"
    else:
        raise ValueError(f"no list price is known for {kind!r}; give hourly_wage or price_per_label")
    pieces = num_labels * annotators_per_label
    return Bill(kind, num_labels, annotators_per_label, seconds, price, pieces * seconds / 3600, pieces * price, basis)


def next_point_cost(
    curve: Curve,
    accuracy: float,
    kind: str = "class",
    *,
    step: float = 0.01,
    annotators_per_label: int = 1,
    seconds_per_label: float | None = None,
    hourly_wage: float | None = None,
    price_per_label: float | None = None,
) -> NextPoint:
    """Return how many more labels, hours and dollars take a model from `accuracy` to `accuracy + step`.

    Args:
        curve: error against labels, fitted by `scaling.fit_power_law`.
        accuracy: where we stand, a fraction in [0, 1).
        kind: and all that follow `step`, as in `labeling_bill`.
        step: fraction to gain; 0.01 is one percentage point.

    Raises:
        ValueError: a target at or above the curve's ceiling, one that no countable number of labels reaches, or a
            number out of range.
    """
    if not 0 <= accuracy < 1:
        raise ValueError(f"accuracy must be a fraction in [0, 1), got {accuracy}")
    if not 0 < step < 1:
        raise ValueError(f"step must be a fraction in (0, 1), got {step}; one percentage point is 0.01")
    target, ceiling = accuracy + step, 1 - curve.floor
    if target >= ceiling - 1e-12:
        raise ValueError(
            f"an accuracy of {target:.4g} is not reachable: the curve's ceiling is {ceiling:.4g}; ask for less"
        )
    # rounded up to whole labels, but not for the last digits of floating point
    now, needed = (math.ceil(curve.labels_for(1 - value) * (1 - 1e-9)) for value in (accuracy, target))
    bill = labeling_bill(
        needed - now,
        kind,
        annotators_per_label=annotators_per_label,
        seconds_per_label=seconds_per_label,
        hourly_wage=hourly_wage,
        price_per_label=price_per_label,
    )
    return NextPoint(accuracy, target, now, needed, bill, not (curve.is_measured(now) and curve.is_measured(needed)))


def _find_kind(kind: str) -> LabelKind:
    if kind not in LABEL_KINDS:
        raise ValueError(f"no label kind is called {kind!r}; known ones: {', '.join(LABEL_KINDS)}")
    return LABEL_KINDS[kind]


def _checked(name: str, value: float, unit: str) -> float:
    if not 0 <= value < math.inf:
        raise ValueError(f"{name} must be a number of {unit} from 0 up, got {value}")
    return value


def _check_count(name: str, value: int, least: int) -> None:
    if not isinstance(value, Integral) or value < least:
        raise ValueError(f"{name} must be a whole number from {least} up, got {value}")
