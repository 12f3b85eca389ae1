"""Exercises of notebook 09."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from course_utils.checks.verdicts import Mistake, Verdict, judge_function, judge_guess


def check_iou(function: Callable[[Tensor, Tensor], float]) -> Verdict:
    """Check (box, box), each x1, y1, x2, y2 → intersection over union."""

    def area(box: Tensor) -> Tensor:
        return (box[2:] - box[:2]).prod()

    def sides(first: Tensor, second: Tensor) -> Tensor:
        return torch.minimum(first[2:], second[2:]) - torch.maximum(first[:2], second[:2])

    def shared(first: Tensor, second: Tensor) -> Tensor:
        return sides(first, second).clamp_min(0).prod()

    def right(first: Tensor, second: Tensor) -> float:
        both = shared(first, second)
        return (both / (area(first) + area(second) - both)).item()

    def unclamped(first: Tensor, second: Tensor) -> Tensor:
        both = sides(first, second).prod()
        return both / (area(first) + area(second) - both)

    cases = [
        ([0.0, 0, 20, 10], [10.0, 0, 40, 10]),
        ([0.0, 0, 20, 20], [5.0, 10, 45, 40]),
        ([2.0, 3, 12, 9], [2.0, 3, 12, 9]),
        ([0.0, 0, 10, 10], [20.0, 30, 40, 50]),
    ]
    return judge_function(
        "Intersection over union",
        function,
        right,
        [(torch.tensor(first), torch.tensor(second)) for first, second in cases],
        mistakes=[
            Mistake(
                "the shared area itself",
                shared,
                "Two boxes that cover much share much. Divide by what both cover together.",
            ),
            Mistake(
                "dividing by the sum of both areas",
                lambda first, second: shared(first, second) / (area(first) + area(second)),
                "What both share is counted twice in this sum.",
            ),
            Mistake(
                "dividing by the smaller box",
                lambda first, second: shared(first, second) / torch.minimum(area(first), area(second)),
                "A large box around everything would be perfect then.",
            ),
            Mistake(
                "dividing by the second box",
                lambda first, second: shared(first, second) / area(second),
                "A box and its rival should count alike. What do both cover together?",
            ),
            Mistake(
                "two negative sides that make a positive area",
                unclamped,
                "Boxes that lie apart share nothing; clamp the sides at zero before you multiply them.",
            ),
        ],
        hint="The shared box starts at the larger of both starts and ends at the smaller of both ends, in x and in y.",
        praise="1 for the same box, 0 for boxes apart, and no way to cheat with boxes that are too large.",
    )


def check_suppress(function: Callable[[list[float], list[list[float]], float], list[int]]) -> Verdict:
    """Check (scores, overlaps of each two boxes, most overlap) → the places of the boxes that stay, surest first."""
    scores = [0.5, 0.9, 0.8, 0.7, 0.3]
    overlaps = [
        [1.0, 0.0, 0.2, 0.6, 0.0],
        [0.0, 1.0, 0.7, 0.3, 0.1],
        [0.2, 0.7, 1.0, 0.6, 0.0],
        [0.6, 0.3, 0.6, 1.0, 0.0],
        [0.0, 0.1, 0.0, 0.0, 1.0],
    ]

    def by_score(scores: list[float]) -> list[int]:
        return sorted(range(len(scores)), key=lambda box: -scores[box])

    def keep(order: list[int], overlaps: list[list[float]], most: float) -> list[int]:
        kept: list[int] = []
        for box in order:
            if all(overlaps[box][other] <= most for other in kept):
                kept.append(box)
        return kept

    def against_all(scores: list[float], overlaps: list[list[float]], most: float) -> list[int]:
        order = by_score(scores)
        return [box for n, box in enumerate(order) if all(overlaps[box][other] <= most for other in order[:n])]

    return judge_function(
        "One box for each object",
        function,
        lambda scores, overlaps, most: keep(by_score(scores), overlaps, most),
        [(scores, overlaps, 0.5), (scores, overlaps, 0.65), ([0.3], [[1.0]], 0.5)],
        mistakes=[
            Mistake(
                "comparing with boxes that are already out",
                against_all,
                "A box that was suppressed can't suppress another one: compare with those that stay.",
            ),
            Mistake(
                "going through the boxes as they come",
                lambda scores, overlaps, most: keep(list(range(len(scores))), overlaps, most),
                "Whoever comes first suppresses the others. Who should that be?",
            ),
            Mistake(
                "the least sure first",
                lambda scores, overlaps, most: keep(by_score(scores)[::-1], overlaps, most),
                "Sort the other way round: the surest box stays whatever the others say.",
            ),
            Mistake(
                "all boxes",
                lambda scores, overlaps, most: by_score(scores),
                "Sorted they are. Now leave out those that overlap with a box that stays.",
            ),
            Mistake(
                "the surest only",
                lambda scores, overlaps, most: by_score(scores)[:1],
                "A scene can hold several objects. Which other boxes are no doubles of it?",
            ),
        ],
        hint="Go from the surest to the least sure; a box stays if it overlaps by at most `most` with each that stays.",
        praise="Greedy and short, and in most detectors to this day.",
    )


def check_halved_scores(guess: str | None, measure: Callable[[], Mapping[str, float]]) -> Verdict:
    """Check what is predicted for average precision when every score is halved; `measure` returns before and after."""

    def decide(found: Mapping[str, float]) -> str:
        before, after = found.values()
        if abs(after - before) < 0.005:
            return "stays"
        return "rises" if after > before else "falls"

    return judge_guess(
        "Half as sure",
        guess,
        ("rises", "falls", "stays"),
        measure,
        decide,
        why="Average precision asks for the order of the boxes only. A detector can score well and be far too sure of "
        "itself, or not sure enough.",
        think="In which order do the boxes come now, and what else is average precision made of?",
    )
