"""Exercises of notebook 06."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from course_utils.checks.verdicts import Mistake, Verdict, judge_function, judge_guess


def check_standardize(function: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]) -> Verdict:
    """Check (train features, test features) → both with mean 0 and spread 1 as measured on train, for each feature."""

    def scaled(features: Tensor, by: Tensor) -> Tensor:
        return (features - by.mean(dim=0)) / by.std(dim=0)

    def by_row(features: Tensor) -> Tensor:
        return (features - features.mean(dim=1, keepdim=True)) / features.std(dim=1, keepdim=True)

    generator = torch.Generator().manual_seed(0)
    train = torch.randn(12, 4, generator=generator) * torch.tensor([1.0, 10.0, 0.1, 5.0]) + 3
    test = torch.randn(7, 4, generator=generator) * 2 - 1
    return judge_function(
        "One scale for all features",
        function,
        lambda train, test: (scaled(train, train), scaled(test, train)),
        [(train, test)],
        mistakes=[
            Mistake(
                "measuring test features by themselves",
                lambda train, test: (scaled(train, train), scaled(test, test)),
                "The probe learned on one scale and would be asked on another; and a single test image has no spread.",
            ),
            Mistake(
                "measuring train and test together",
                lambda train, test: tuple(scaled(part, torch.cat([train, test])) for part in (train, test)),
                "Test images may not have a say in anything that comes before their score.",
            ),
            Mistake(
                "scaling each image, not each feature",
                lambda train, test: (by_row(train), by_row(test)),
                "Rows are images, columns features. Along which dimension is a feature's mean?",
            ),
            Mistake(
                "one mean and one spread for all features",
                lambda train, test: tuple((part - train.mean()) / train.std() for part in (train, test)),
                "Each feature has its own: mean(dim=0).",
            ),
            Mistake(
                "subtracting without dividing",
                lambda train, test: (train - train.mean(dim=0), test - train.mean(dim=0)),
                "The means are right; now the spread, .std(dim=0).",
            ),
        ],
        hint="mean and std along dim=0, of train only; then the same two for both.",
        praise="What is measured on train is used on everything that comes after.",
    )


def check_protocol(function: Callable[[dict[float, float], dict[float, float]], float]) -> Verdict:
    """Check (L2 → validation accuracy, L2 → test accuracy) → the test accuracy that may be reported."""
    validation = {1e-4: 0.58, 1e-3: 0.61, 1e-2: 0.64, 1e-1: 0.60}
    test = {1e-4: 0.57, 1e-3: 0.65, 1e-2: 0.62, 1e-1: 0.59}

    def best(accuracies: dict[float, float]) -> float:
        return max(accuracies, key=lambda l2: accuracies[l2])

    return judge_function(
        "What may be reported",
        function,
        lambda validation, test: test[best(validation)],
        [(validation, test)],
        mistakes=[
            Mistake(
                "choosing on the test images",
                lambda validation, test: max(test.values()),
                "It is the best of several tries, and the next images will not be so kind. Who may choose?",
            ),
            Mistake(
                "the validation accuracy",
                lambda validation, test: max(validation.values()),
                "It has helped to choose, so it flatters. What do images say that had no part in it?",
            ),
            Mistake(
                "the strength, not an accuracy",
                lambda validation, test: best(validation),
                "Right so far: this strength is chosen. And what does it score on test?",
            ),
            Mistake(
                "an average over all strengths",
                lambda validation, test: sum(test.values()) / len(test),
                "Only one strength is used in the end. Who may choose it?",
            ),
        ],
        hint="max(validation, key=validation.get) is the strength at which validation is best.",
        praise="A lower number than the best one in the table, and the only honest one.",
    )


def check_mixed_features(guess: str | None, measure: Callable[[], Mapping[str, float]]) -> Verdict:
    """Check what is predicted when features are turned in their space, so that each becomes a mixture of all.

    `measure` returns four accuracies: linear before and after, neighbors before and after.
    """

    def decide(found: Mapping[str, float]) -> str:
        linear, linear_after, neighbors, neighbors_after = found.values()
        linear_suffers, neighbors_suffer = linear - linear_after > 0.04, neighbors - neighbors_after > 0.04
        if linear_suffers:
            return "both" if neighbors_suffer else "linear"
        return "neighbors" if neighbors_suffer else "neither"

    return judge_guess(
        "Mixed features",
        guess,
        ("both", "neighbors", "linear", "neither"),
        measure,
        decide,
        why="A turn changes no angle, so the neighbors stay, and a flat cut can be turned along. What was learned lies "
        "in how images lie to one another, not in single features.",
        think="Turn a map: which towns are neighbors then, and can the same straight line divide them?",
    )
