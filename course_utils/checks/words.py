"""Exercises of notebook 04."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from course_utils.checks.verdicts import Mistake, Verdict, judge_function, judge_guess, trend
from course_utils.pretext.masking import masked_cross_entropy


def check_choose(function: Callable[[Tensor, Tensor, float, int], Tensor]) -> Verdict:
    """Check (tokens, draws, both (batch, tokens), rate, number of special tokens) → which are chosen, bool."""
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(0, 12, (4, 20), generator=generator)
    draws = torch.rand(4, 20, generator=generator)
    return judge_function(
        "Choosing what to hide",
        function,
        lambda tokens, draws, rate, num_special: (draws < rate) & (tokens >= num_special),
        [(tokens, draws, 0.3, 5), (tokens, draws, 0.15, 3)],
        mistakes=[
            Mistake(
                "choosing special tokens, too",
                lambda tokens, draws, rate, num_special: draws < rate,
                "[CLS], [SEP] and padding stand everywhere: nothing is learned from guessing those.",
            ),
            Mistake(
                "choosing the rest: 1 − rate of the tokens",
                lambda tokens, draws, rate, num_special: (draws > rate) & (tokens >= num_special),
                "A uniform draw lies below 0.15 in 15 of 100 cases.",
            ),
            Mistake(
                "choosing only special tokens",
                lambda tokens, draws, rate, num_special: (draws < rate) & (tokens < num_special),
                "The special tokens are those with the smallest numbers.",
            ),
            Mistake(
                "off by one: the first word is taken for a special token",
                lambda tokens, draws, rate, num_special: (draws < rate) & (tokens > num_special),
                "Tokens 0 … num_special − 1 are special.",
            ),
        ],
        hint="Two conditions, each True or False for every token, joined by &.",
        praise="One draw for each token decides, and special tokens are never asked for.",
    )


def check_masked_loss(function: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Verdict:
    """Check (logits (batch, tokens, vocabulary), tokens, chosen, both (batch, tokens)) → loss in nats."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 7, 11, generator=generator)
    tokens = torch.randint(0, 11, (2, 7), generator=generator)
    chosen = torch.tensor([[0, 1, 0, 0, 1, 0, 0], [1, 0, 0, 0, 0, 0, 1]]).bool()

    def surprise(logits: Tensor, tokens: Tensor) -> Tensor:
        return F.cross_entropy(logits.transpose(1, 2), tokens, reduction="none")  # (batch, tokens)

    return judge_function(
        "The loss where words are hidden",
        function,
        lambda logits, tokens, chosen: masked_cross_entropy(logits[chosen], tokens, chosen),
        [(logits, tokens, chosen), (logits, tokens, ~chosen)],
        mistakes=[
            Mistake(
                "the loss over all tokens",
                lambda logits, tokens, chosen: surprise(logits, tokens).mean(),
                "Where nothing is hidden the network need only copy. Which places count?",
            ),
            Mistake(
                "the hidden words' loss divided by the number of all tokens",
                lambda logits, tokens, chosen: (surprise(logits, tokens) * chosen).mean(),
                "It would shrink if fewer words were hidden. Divide by how many were asked for.",
            ),
            Mistake(
                "a sum",
                lambda logits, tokens, chosen: (surprise(logits, tokens) * chosen).sum(),
                "It grows with the batch. What is it for one hidden word on average?",
            ),
            Mistake(
                "the loss where nothing is hidden",
                lambda logits, tokens, chosen: surprise(logits, tokens)[~chosen].mean(),
                "chosen is True where the network has to answer.",
            ),
        ],
        hint="logits[chosen] has a row for each hidden word, tokens[chosen] the token; F.cross_entropy wants both.",
        praise="Only what was asked for counts; this is the mistake of many a published BERT.",
    )


def check_hiding_more(guess: str | None, measure: Callable[[], Mapping[str, float]]) -> Verdict:
    """Check what is predicted of the loss when far more words are hidden; `measure` returns two losses in nats."""

    def decide(found: Mapping[str, float]) -> str:
        few, many = found.values()
        return trend(few, many, 0.02 * few)

    return judge_guess(
        "Hiding most of the words",
        guess,
        ("rises", "stays", "falls"),
        measure,
        decide,
        why="Each blank is guessed from what is left around it, and little is left. So two losses can only be compared "
        "at the same mask rate.",
        think="Try it yourself on a sentence: hide every seventh word, then four of five.",
    )
