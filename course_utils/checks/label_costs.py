"""Exercises of notebook 02."""

from collections.abc import Callable, Mapping

from course_utils.checks.verdicts import Mistake, Verdict, judge_function, judge_guess, trend
from course_utils.labeling import labeling_bill


def check_bill(function: Callable[[int, float, int, float], float]) -> Verdict:
    """Check (labels, seconds a label, annotators, dollars an hour) → dollars."""

    def right(num_labels: int, seconds: float, annotators: int, wage: float) -> float:
        terms = {"annotators_per_label": annotators, "seconds_per_label": seconds, "hourly_wage": wage}
        return labeling_bill(num_labels, "class", **terms).dollars  # type: ignore[arg-type]

    return judge_function(
        "The bill",
        function,
        right,
        [(50_000, 1.6, 3, 15.0), (1000, 42.4, 5, 3.0)],
        mistakes=[
            Mistake(
                "the bill for one annotator",
                lambda n, seconds, annotators, wage: n * seconds / 3600 * wage,
                "Every image is labeled by all of them, and all of them want to be paid.",
            ),
            Mistake(
                "seconds turned into minutes",
                lambda n, seconds, annotators, wage: n * seconds * annotators / 60 * wage,
                "The wage is for an hour.",
            ),
            Mistake(
                "seconds paid as if they were hours",
                lambda n, seconds, annotators, wage: n * seconds * annotators * wage,
                "How many hours is that?",
            ),
            Mistake(
                "the hours, not the dollars",
                lambda n, seconds, annotators, wage: n * seconds * annotators / 3600,
                "What does an hour cost?",
            ),
        ],
        hint="How many labels are given in all, by everybody? How many hours does that take?",
        praise="Everything in it is a factor: half the seconds halve the bill, and so does half the wage.",
    )


def check_labels_for(function: Callable[[float, float, float], float]) -> Verdict:
    """Check (error, a, b) → the number of labels n with error = a · n^(−b)."""
    return judge_function(
        "The law, turned around",
        function,
        lambda error, a, b: (a / error) ** (1 / b),
        [(0.2, 1.5, 0.25), (0.1, 0.9, 0.3)],
        mistakes=[
            Mistake(
                "the law upside down",
                lambda error, a, b: (error / a) ** (1 / b),
                "That gets smaller when we ask for a smaller error. Should it?",
            ),
            Mistake(
                "the law itself, with the error in the place of n",
                lambda error, a, b: a * error ** (-b),
                "Solve error = a · n^(−b) for n.",
            ),
            Mistake(
                "the exponent used as it is",
                lambda error, a, b: (a / error) ** b,
                "n^b = a / error. What has to be done to both sides to have n alone?",
            ),
        ],
        hint="Bring n to one side of error = a · n^(−b), step by step.",
        praise="With b = 0.25, half the error takes 2⁴ = 16 times the labels.",
    )


def check_two_votes(guess: str | None, measure: Callable[[], Mapping[str, float]]) -> Verdict:
    """Check what is predicted of wrong labels when a second annotator votes; `measure` returns two shares."""

    def decide(wrong: Mapping[str, float]) -> str:
        one, two = wrong.values()
        return trend(one, two, 0.02)

    return judge_guess(
        "Two annotators",
        guess,
        ("falls", "stays", "rises"),
        measure,
        decide,
        why="Where two agree, they settle nothing that one had not; where they differ, a coin decides. The second one "
        "is paid for nothing until a third comes.",
        think="What happens where the two say different things? How often is the outcome then right?",
    )
