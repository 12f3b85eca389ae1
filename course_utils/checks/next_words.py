"""Exercises of notebook 07."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from course_utils.checks.verdicts import Mistake, Verdict, judge_function, judge_guess


def check_perplexity(function: Callable[[Tensor], Tensor | float]) -> Verdict:
    """Check probabilities (words,) that a model gave to the words that did come → its perplexity."""
    return judge_function(
        "Perplexity",
        function,
        lambda given: (-given.log().mean()).exp().item(),
        [(torch.tensor([0.5, 0.125, 0.25, 0.03]),), (torch.tensor([0.9, 0.2, 0.2]),)],
        mistakes=[
            Mistake(
                "the loss in nats",
                lambda given: -given.log().mean(),
                "Perplexity is a number of words. Which function takes a logarithm back?",
            ),
            Mistake(
                "the mean of the probabilities turned over",
                lambda given: 1 / given.mean(),
                "One word that was thought impossible has to weigh heavily: take the logarithms before the mean.",
            ),
            Mistake(
                "a mean of numbers of words",
                lambda given: (1 / given).mean(),
                "The loss is a mean of logarithms; the mean comes first, then the exponential.",
            ),
            Mistake(
                "perplexity upside down",
                lambda given: given.log().mean().exp(),
                "The loss is minus the mean logarithm: there is a sign missing.",
            ),
            Mistake(
                "perplexity of the whole text",
                lambda given: (-given.log().sum()).exp(),
                "It would grow with every word of the text. What is the loss of one word on average?",
            ),
            Mistake(
                "two to the power of nats",
                lambda given: 2 ** (-given.log().mean()),
                "Either bits and 2, or nats and e: `log` is the natural logarithm.",
            ),
        ],
        hint="Minus the mean of the logarithms is the loss; perplexity is e to the power of it.",
        praise="It says among how many equally likely words the model would hesitate as much.",
    )


def check_best_possible(function: Callable[[int, int, int], float]) -> Verdict:
    """Check (examples shown, keys of a rule, labels) → the accuracy of the best possible reader of a prompt."""

    def seen(n: int, keys: int) -> float:
        return float(1 - (1 - 1 / keys) ** n)

    return judge_function(
        "The best possible",
        function,
        lambda n, keys, labels: seen(n, keys) + (1 - seen(n, keys)) / labels,
        [(3, 6, 16), (8, 6, 16), (0, 6, 16), (2, 4, 10)],
        mistakes=[
            Mistake(
                "a reader who says nothing of a key that is new",
                lambda n, keys, labels: seen(n, keys),
                "It may guess: how often is it right by luck, and in which share of the prompts must it guess?",
            ),
            Mistake(
                "luck counted twice",
                lambda n, keys, labels: seen(n, keys) + 1 / labels,
                "It only guesses where the key was not shown.",
            ),
            Mistake(
                "the probability that the key was never shown",
                lambda n, keys, labels: 1 - seen(n, keys),
                "One example misses the key with probability 1 − 1/keys, n examples with that to the power of n. And 1 "
                "minus this?",
            ),
            Mistake(
                "as if no key came twice",
                lambda n, keys, labels: min(n / keys, 1) + (1 - min(n / keys, 1)) / labels,
                "Keys are drawn anew each time: three examples may all show the same one.",
            ),
            Mistake(
                "the probability that every example showed this key",
                lambda n, keys, labels: (1 / keys) ** n + (1 - (1 / keys) ** n) / labels,
                "Once is enough. With which probability did all n examples show another key?",
            ),
        ],
        hint="Two cases: the key was among the n examples (the label is certain), or it wasn't (it is a guess).",
        praise="No reader is better than this: only luck in the prompts that were drawn can lie above the line.",
    )


def check_daring(guess: str | None, measure: Callable[[], Mapping[str, float]]) -> Verdict:
    """Check what is predicted of draws outside the likeliest words; `measure`: their share at temperature 1, then 2."""

    def decide(found: Mapping[str, float]) -> str:
        usual, daring = found.values()
        if abs(daring - usual) < 0.05:
            return "about as often"
        return "rarer" if daring < usual else "more often, up to half" if daring < 0.5 else "most of the time"

    return judge_guess(
        "The long tail",
        guess,
        ("rarer", "about as often", "more often, up to half", "most of the time"),
        measure,
        decide,
        why="The tail is thousands of words long. Each of them is nearly impossible; all together they are likely. So "
        "top-k cuts the tail off.",
        think="How many words lie outside, and how many inside? A high temperature makes all of them more alike.",
    )
