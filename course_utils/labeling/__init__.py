"""What labels cost: bills, wrong labels, accuracy against labels, and how many of them pretraining saves."""

from course_utils.labeling.costs import (
    DATASET_SIZES,
    LABEL_KINDS,
    Bill,
    LabelKind,
    NextPoint,
    labeling_bill,
    next_point_cost,
)

__all__ = [
    "DATASET_SIZES",
    "LABEL_KINDS",
    "Bill",
    "LabelKind",
    "NextPoint",
    "labeling_bill",
    "next_point_cost",
]
