"""Exercises of notebook 01."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from course_utils.checks.verdicts import Mistake, Verdict, judge_function, judge_guess, trend


def check_share_right(function: Callable[[Tensor, Tensor], float]) -> Verdict:
    """Check (logits (N, classes), labels (N,)) → share of the images whose largest logit is their label's."""

    def right(logits: Tensor, labels: Tensor) -> Tensor:
        return (logits.argmax(dim=1) == labels).float().mean()

    # square, so that the wrong dimension goes unnoticed; whatever is wrong gives another number than what is right
    logits = torch.tensor([[0.1, 2.0, 0.3, 0.4], [0.0, 0.5, 1.0, 0.2], [3.0, 0.7, 0.1, 0.9], [0.0, 1.0, 4.0, 0.6]])
    return judge_function(
        "Accuracy by hand",
        function,
        right,
        [(logits, torch.tensor([1, 0, 0, 2])), (torch.eye(3), torch.tensor([0, 1, 1]))],
        mistakes=[
            Mistake(
                "a count, not a share",
                lambda logits, labels: (logits.argmax(dim=1) == labels).sum(),
                "How large a share of all images is it?",
            ),
            Mistake(
                "a percentage",
                lambda logits, labels: 100 * right(logits, labels),
                "In this course accuracies are fractions from 0 to 1.",
            ),
            Mistake(
                "the answer along the wrong dimension",
                lambda logits, labels: (logits.argmax(dim=0) == labels).float().mean(),
                "Each row of logits is an image, each column a class; along which do we look for the largest?",
            ),
            Mistake(
                "the share of wrong answers",
                lambda logits, labels: 1 - right(logits, labels),
                "That is the error. Accuracy is what is left.",
            ),
        ],
        hint="First one answer for each image, with argmax; then compare with the labels; then the mean of that, "
        "with True as 1 and False as 0.",
        praise="One line that the rest of the course stands on.",
    )


def check_majority(function: Callable[[Tensor, Tensor], float]) -> Verdict:
    """Check (train labels, test labels) → test accuracy of always naming the commonest class of training."""

    def always(answer: Tensor, labels: Tensor) -> Tensor:
        return (labels == answer).float().mean()

    train = torch.tensor([0, 1, 1, 2, 2, 1, 0, 1])
    return judge_function(
        "The majority baseline",
        function,
        lambda train, test: always(train.bincount().argmax(), test),
        [(train, torch.tensor([0, 0, 0, 0, 2, 2, 1])), (train, torch.tensor([1, 1, 0]))],
        mistakes=[
            Mistake(
                "choosing on the test labels",
                lambda train, test: always(test.bincount().argmax(), test),
                "Nobody knows those when the classifier is made. Which labels may it look at?",
            ),
            Mistake(
                "how common the class is in training",
                lambda train, test: always(train.bincount().argmax(), train),
                "The class is chosen there, but scored on the test labels.",
            ),
            Mistake(
                "the class itself",
                lambda train, test: train.bincount().argmax(),
                "Now: how often is that the right answer for a test image?",
            ),
        ],
        hint="torch.bincount(train_labels) counts each class, and .argmax() finds the commonest. "
        "On how large a share of the test labels is that the answer?",
        praise="Chosen on training, scored on test: even for a classifier that looks at nothing.",
    )


def check_shuffled_pixels(guess: str | None, measure: Callable[[], Mapping[str, float]]) -> Verdict:
    """Check what is predicted of a linear classifier when all images' pixels change places in the same way."""

    def decide(found: Mapping[str, float]) -> str:
        before, after = found.values()
        return trend(before, after, 0.03)

    return judge_guess(
        "Shuffled pixels",
        guess,
        ("stays", "falls", "rises"),
        measure,
        decide,
        why="A weighted sum doesn't mind the order of its terms: to a linear classifier an image is no picture at all, "
        "and that is what convolutions change.",
        think="Write down what the classifier computes for one class. Where does it use which pixels are neighbors?",
    )
