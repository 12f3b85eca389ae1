"""Exercises of notebook 08."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from course_utils.checks.verdicts import Mistake, Verdict, judge_function, judge_guess, trend
from course_utils.pretext import frames


def check_pairs(function: Callable[[int, float], float]) -> Verdict:
    """Check (patches of an image, share that is hidden) → how many pairs the encoder's attention compares."""

    def kept(patches: int, share: float) -> int:
        return patches - round(share * patches)

    return judge_function(
        "What attention costs",
        function,
        lambda patches, share: kept(patches, share) ** 2,
        [(64, 0.75), (100, 0.9), (64, 0.0)],
        mistakes=[
            Mistake(
                "the number of visible patches",
                kept,
                "That is how many rows attention has. How many others does each of them look at (itself included)?",
            ),
            Mistake(
                "the pairs of all patches",
                lambda patches, share: patches**2,
                "The encoder never gets to see the hidden ones.",
            ),
            Mistake(
                "the pairs of hidden patches",
                lambda patches, share: (patches - kept(patches, share)) ** 2,
                "Which ones does the encoder see?",
            ),
            Mistake(
                "visible patches that look at all of them",
                lambda patches, share: kept(patches, share) * patches,
                "There is nothing to look at in a hidden patch: the encoder has no vector for it.",
            ),
            Mistake(
                "each pair counted once",
                lambda patches, share: kept(patches, share) * (kept(patches, share) - 1) // 2,
                "Attention asks both ways, and each patch looks at itself, too.",
            ),
        ],
        hint="How many patches are left? Each of them looks at each of them.",
        praise="A quarter of the patches is a sixteenth of the pairs: hiding more makes training cheaper.",
    )


def check_go_on(function: Callable[[Tensor], Tensor]) -> Verdict:
    """Check clips (N, T, C, H, W), floats in [0, 1] → the next frame (N, C, H, W) if each pixel goes on as it did."""
    shown = torch.rand(3, 4, 1, 5, 5, generator=torch.Generator().manual_seed(0))
    return judge_function(
        "Going on",
        function,
        lambda shown: frames.go_on(shown, "next"),
        [(shown,), (shown[:, :2],)],
        mistakes=[
            Mistake(
                "going on beyond black and white",
                lambda shown: 2 * shown[:, -1] - shown[:, -2],
                "A pixel that rose from 0.4 to 0.9 can't rise to 1.4. Which method keeps values within limits?",
            ),
            Mistake(
                "copying the last frame",
                lambda shown: shown[:, -1],
                "What has changed from the frame before to this one? Let it change as much again.",
            ),
            Mistake(
                "the average of the last two frames",
                lambda shown: shown[:, -2:].mean(dim=1),
                "That lies between them, half a step back. It is to be a step further.",
            ),
            Mistake(
                "a step back instead of a step further",
                lambda shown: (2 * shown[:, -2] - shown[:, -1]).clamp(0, 1),
                "The last frame is shown[:, -1], the one before it shown[:, -2].",
            ),
            Mistake(
                "the change alone",
                lambda shown: (shown[:, -1] - shown[:, -2]).clamp(0, 1),
                "This has to be added to something.",
            ),
        ],
        hint="The last frame, plus what has changed since the one before it, kept between 0 and 1.",
        praise="For a pixel's brightness it is a good rule. For a thing that moves it is not: it goes on in space.",
    )


def check_backwards(guess: str | None, measure: Callable[[], Mapping[str, float]]) -> Verdict:
    """Check what is predicted of the next frame's error in clips that run backwards; `measure`: forwards, backwards."""

    def decide(found: Mapping[str, float]) -> str:
        forwards, backwards = found.values()
        return trend(forwards, backwards, 0.1 * forwards)

    return judge_guess(
        "Backwards",
        guess,
        ("rises", "stays", "falls"),
        measure,
        decide,
        why="A thing that bounces looks the same backwards: such films have no arrow of time. Where milk is poured, "
        "one could ask which way the film runs, and that, too, would be a label that costs nothing.",
        think="If somebody showed you one of these clips backwards, could you tell?",
    )
