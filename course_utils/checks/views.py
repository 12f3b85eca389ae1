"""Exercises of notebook 05."""

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from course_utils.checks.verdicts import Mistake, Verdict, judge_function, judge_guess
from course_utils.pretext.contrastive import nt_xent


def check_one_sided(function: Callable[[Tensor, Tensor, float], Tensor]) -> Verdict:
    """Check (z_a, z_b, both (N, dim), temperature) → loss when each first view looks among the second views only."""

    def loss(scores: Tensor) -> Tensor:
        return F.cross_entropy(scores, torch.arange(len(scores)))

    def cosines(z_a: Tensor, z_b: Tensor) -> Tensor:
        return F.normalize(z_a, dim=1) @ F.normalize(z_b, dim=1).T  # (N, N)

    def without_partner(z_a: Tensor, z_b: Tensor, temperature: float) -> Tensor:
        scores = cosines(z_a, z_b) / temperature
        return (scores.masked_fill(torch.eye(len(z_a)).bool(), -torch.inf).logsumexp(dim=1) - scores.diagonal()).mean()

    z_a, z_b = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(0))
    return judge_function(
        "One side only",
        function,
        lambda z_a, z_b, temperature: loss(cosines(z_a, z_b) / temperature),
        [(z_a, z_b, 0.5), (z_a, 3 * z_b, 0.1)],
        mistakes=[
            Mistake(
                "NT-Xent: a view's own side is among its candidates",
                nt_xent,
                "Here each row of z_a has only the rows of z_b to choose from: N candidates.",
            ),
            Mistake(
                "a loss without cosines",
                lambda z_a, z_b, temperature: loss(z_a @ z_b.T / temperature),
                "A network could win by making its vectors longer. Which function gives them length 1?",
            ),
            Mistake(
                "multiplying by the temperature",
                lambda z_a, z_b, temperature: loss(cosines(z_a, z_b) * temperature),
                "A small temperature is to make differences larger.",
            ),
            Mistake(
                "leaving the temperature out", lambda z_a, z_b, temperature: loss(cosines(z_a, z_b)),
                "Where does it belong?",
            ),
            Mistake(
                "a partner that is not among the candidates",
                without_partner,
                "The partner of row i is column i, and it stays in: here no view is compared with itself.",
            ),
            Mistake(
                "looking from the second views to the first",
                lambda z_a, z_b, temperature: loss(cosines(z_a, z_b).T / temperature),
                "Rows are the ones that choose. Whose rows are yours?",
            ),
        ],
        hint="Make all rows length 1, multiply z_a by z_b transposed, divide; the right answer for row i is column i.",
        praise="With images on one side and their captions on the other, this is how CLIP was trained.",
    )  # fmt: skip


def check_chance(function: Callable[[int], float]) -> Verdict:
    """Check number of images N → the one-sided loss in nats of a network to which all views are alike."""
    return judge_function(
        "Chance",
        function,
        math.log,
        [(256,), (10,)],
        mistakes=[
            Mistake(
                "NT-Xent's chance",
                lambda n: math.log(2 * n - 1),
                "There a view has 2N − 1 candidates. How many are there here?",
            ),
            Mistake(
                "chance without the partner",
                lambda n: math.log(n - 1),
                "The partner is a candidate, too: nothing has to be left out here.",
            ),
            Mistake("bits, not nats", lambda n: math.log2(n), "Cross-entropy in PyTorch uses the natural logarithm."),
            Mistake("a logarithm to base 10", lambda n: math.log10(n), "Cross-entropy uses the natural logarithm."),
            Mistake("a probability", lambda n: 1 / n, "And the loss is minus the logarithm of that."),
        ],
        hint="If all candidates are alike, each gets the same probability. The loss is minus its logarithm.",
        praise="This is the line to draw beside the curve; without it nobody knows what a loss of 5.5 is worth.",
    )


def check_color_shortcut(guess: str | None, measure: Callable[[], Mapping[str, float]]) -> Verdict:
    """Check what is predicted of partners found by mean color alone; `measure`: crops only, then colors changed."""

    def decide(found: Mapping[str, float]) -> str:
        crops, both = found.values()
        return (
            "about as often" if abs(both - crops) < 0.1 * crops else "far less often" if both < crops else "more often"
        )

    return judge_guess(
        "Three numbers",
        guess,
        ("about as often", "far less often", "more often"),
        measure,
        decide,
        why="Crops of one image share their colors, so a network could win the game with three numbers and learn "
        "nothing else. Changed colors take that shortcut away; it is why SimCLR needs both.",
        think="Look at the rows of section 2. Which of them could you match without seeing any shape?",
    )
