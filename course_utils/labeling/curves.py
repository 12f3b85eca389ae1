"""Accuracy against labels a class: every encoder gets the same draws of labels."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from course_utils.data.images import LabeledImages
from course_utils.data.splits import Examples
from course_utils.evaluation import L2_STRENGTHS, FeatureSplits, evaluate_linear, strengths_near

LabelCurve = dict[int, list[float]]
"""Labels a class → test accuracies of the seeds."""


def draw_labels(examples: Examples, count: int, seed: int) -> Examples:
    """Return `count` random examples of each class; the same ones for features as for the images they come from."""
    return examples.sample_per_class(count, torch.Generator().manual_seed(seed))


def counts_within(counts: Sequence[int], labels: Tensor, num_classes: int) -> list[int]:
    """Return the counts that leave out some label in every class, and at the end the one that means all of them.

    That is the mean number of labels a class, if classes differ.
    """
    sizes = torch.bincount(labels, minlength=num_classes)
    smallest = int(sizes.min())
    return [*(count for count in counts if count < smallest), max(1, round(len(labels) / num_classes))]


def probe_curve(
    versions: Sequence[FeatureSplits], counts: Sequence[int], seeds: Sequence[int], num_classes: int
) -> LabelCurve:
    """Return the test accuracies of linear probes on few labels; validation images choose their strength, no more.

    Args:
        versions: features for each seed, all the same unless networks differ.
        counts: labels a class.
        seeds: one draw of the labels each.
        num_classes: how many logits.
    """
    curve: LabelCurve = {}
    for count in counts:
        strengths: Sequence[float] = L2_STRENGTHS
        curve[count] = []
        for data, seed in zip(versions, seeds, strict=True):
            few = FeatureSplits(draw_labels(data.train, count, seed), data.validation, data.test)
            result = evaluate_linear(few, num_classes, strengths, refit=False)
            curve[count].append(result.test_accuracy)
            strengths = strengths_near(result.l2) if strengths is L2_STRENGTHS else strengths
    return curve


def tuning_curve(
    tune: Callable[[LabeledImages, int, str], float], images: LabeledImages, counts: Sequence[int], seeds: Sequence[int]
) -> LabelCurve:
    """Return the test accuracies of networks trained on few labels.

    Args:
        tune: trains and scores one; is given its labeled images, its seed and a title for the progress bar.
        images: all labeled images to draw from.
        counts: labels a class.
        seeds: one draw of the labels and one training each.
    """
    return {
        count: [tune(draw_labels(images, count, seed), seed, f"{count} labels a class") for seed in seeds]
        for count in counts
    }
