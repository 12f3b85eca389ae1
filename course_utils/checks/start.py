"""Exercises of notebook 00."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from course_utils.checks.verdicts import Mistake, Verdict, judge_function, judge_guess, trend


def check_next_number(function: Callable[[Tensor], tuple[Tensor, Tensor]]) -> Verdict:
    """Check (numbers,) → (inputs, targets): from each number but the last, predict the one that follows."""
    return judge_function(
        "Labels from a sequence",
        function,
        lambda numbers: (numbers[:-1], numbers[1:]),
        [(torch.tensor([3, 1, 4, 1, 5, 9]),), (torch.arange(4),)],
        mistakes=[
            Mistake(
                "the answer given away: each target is its own input",
                lambda numbers: (numbers[:-1], numbers[:-1]),
                "A network would only copy. Which number comes after the first?",
            ),
            Mistake(
                "the answer given away: each target is its own input",
                lambda numbers: (numbers, numbers),
                "A network would only copy. And what follows the last number?",
            ),
            Mistake(
                "predicting backwards: each target is the number before",
                lambda numbers: (numbers[1:], numbers[:-1]),
                "That is a pretext task, too, but here the future is asked for.",
            ),
            Mistake(
                "one number too many: nothing is known to follow the last one",
                lambda numbers: (numbers, numbers[1:]),
                "There must be as many inputs as targets.",
            ),
        ],
        hint="With slices: numbers[:-1] leaves out the last number, numbers[1:] the first.",
        praise="A sequence of n numbers made n − 1 questions with their answers, and nobody labeled anything.",
    )


def check_bigger_square(guess: str | None, measure: Callable[[], Mapping[str, float]]) -> Verdict:
    """Check what is predicted of the error when more is hidden; `measure` returns two errors, small square first."""

    def decide(errors: Mapping[str, float]) -> str:
        small, large = errors.values()
        return trend(small, large, 0.05 * small)

    return judge_guess(
        "A bigger square",
        guess,
        ("rises", "stays", "falls"),
        measure,
        decide,
        why="The middle of a large square is far from everything that is seen, and far pixels say little about it.",
        think="From which pixels would you guess the one in the middle of the square, and how far away are they?",
    )
