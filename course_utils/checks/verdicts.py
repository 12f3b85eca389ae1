"""What a check says about an exercise: passed, not tried yet, or what to think about; a hint, never the answer."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

import torch
from torch import Tensor

Status = Literal["passed", "not tried yet", "not yet"]
MARKS: dict[Status, str] = {"passed": "✔", "not tried yet": "✎", "not yet": "✘"}
COLORS: dict[Status, str] = {"passed": "#1a7f37", "not tried yet": "#475059", "not yet": "#9a3412"}


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that many give: its name, how it comes out, and a hint."""

    name: str
    answer: Callable[..., Any]
    hint: str


@dataclass(frozen=True)
class Verdict:
    """What is said about one exercise; a notebook shows it as a line of text."""

    exercise: str
    status: Status
    words: str

    @property
    def passed(self) -> bool:
        """Whether the exercise is done."""
        return self.status == "passed"

    def insist(self) -> "Verdict":
        """Return the verdict if the exercise is done, so that solutions can be held to it.

        Raises:
            AssertionError: it isn't.
        """
        if not self.passed:
            raise AssertionError(str(self))
        return self

    def __str__(self) -> str:
        return f"{MARKS[self.status]} {self.exercise}: {self.status}. {self.words}".strip()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        mark = f'<b style="color: {COLORS[self.status]}">{MARKS[self.status]} {self.status}</b>'
        return f"<p>{mark} · <i>{escape(self.exercise)}</i><br>{escape(self.words)}</p>"


def judge_function(
    exercise: str,
    function: Callable[..., Any],
    right: Callable[..., Any],
    cases: Sequence[tuple[Any, ...]],
    *,
    mistakes: Sequence[Mistake] = (),
    hint: str,
    praise: str,
) -> Verdict:
    """Call a learner's function on each case and compare it with the tested one; whatever it does, nothing is raised.

    Args:
        exercise: its name.
        function: the learner's; one that returns None was not tried yet.
        right: what it should compute.
        cases: arguments; the function gets copies.
        mistakes: wrong answers to know by name.
        hint: for any other wrong answer.
        praise: what to take along once it is right.
    """
    for case in cases:
        try:
            answer = function(*deepcopy(case))
        except Exception as error:  # whatever a learner writes
            return Verdict(exercise, "not yet", f"Your function broke off with {_describe(error)}. {hint}")
        if _is_missing(answer):
            return Verdict(exercise, "not tried yet", "Replace the dots, then run the cell again.")
        expected = right(*deepcopy(case))
        if agree(answer, expected):
            continue
        for mistake in mistakes:
            if agree(answer, mistake.answer(*deepcopy(case))):
                return Verdict(exercise, "not yet", f"This is {mistake.name}. {mistake.hint}")
        return Verdict(exercise, "not yet", f"{_difference(answer, expected)} {hint}".strip())
    return Verdict(exercise, "passed", praise)


def judge_guess(
    exercise: str,
    guess: str | None,
    options: Sequence[str],
    measure: Callable[[], Mapping[str, float]],
    decide: Callable[[Mapping[str, float]], str],
    *,
    why: str,
    think: str,
) -> Verdict:
    """Compare a prediction with a measurement, which is only made once there is a prediction.

    Args:
        exercise: its name.
        guess: one of the options; None: not tried yet.
        options: what can be predicted.
        measure: returns name → number.
        decide: which option the numbers bear out.
        why: the reason, told to whoever was right.
        think: what to ask oneself, told to whoever was not.
    """
    choices = ", ".join(f'"{option}"' for option in options)  # as code, to be copied
    if guess is None or guess is ...:
        return Verdict(exercise, "not tried yet", f"Predict first: write one of {choices}, then run the cell again.")
    guess = guess.strip().lower() if isinstance(guess, str) else guess
    if guess not in options:
        return Verdict(exercise, "not yet", f"A prediction is one of {choices}.")
    try:
        numbers = measure()
    except Exception as error:  # the learner may have changed what it stands on
        broke = _describe(error)
        return Verdict(exercise, "not yet", f"The measurement broke off with {broke}. Run the cells above first.")
    measured = ", ".join(f"{name} {value:.3g}" for name, value in numbers.items())
    if guess == decide(numbers):
        return Verdict(exercise, "passed", f"Measured: {measured}. {why}")
    return Verdict(exercise, "not yet", f'Measured: {measured}, so "{guess}" is not what happens. {think}')


def trend(before: float, after: float, tolerance: float) -> str:
    """Return "rises", "falls", or "stays" where the difference is smaller than `tolerance`."""
    return "stays" if abs(after - before) < tolerance else "rises" if after > before else "falls"


def agree(answer: Any, expected: Any) -> bool:
    """Say whether two answers are the same but for rounding; a tensor's and Python's number count as the same."""
    if isinstance(expected, tuple):
        same_kind = isinstance(answer, tuple | list) and len(answer) == len(expected)
        return same_kind and all(agree(*pair) for pair in zip(answer, expected, strict=True))
    try:
        ours, theirs = torch.as_tensor(answer), torch.as_tensor(expected)
    except (TypeError, ValueError, RuntimeError):
        return False
    if ours.shape != theirs.shape or (ours.dtype == torch.bool) != (theirs.dtype == torch.bool):
        return False
    return torch.allclose(ours.double(), theirs.double(), rtol=1e-4, atol=1e-6, equal_nan=True)


def _is_missing(answer: Any) -> bool:
    return answer is None or answer is ... or (isinstance(answer, tuple) and all(_is_missing(one) for one in answer))


def _describe(error: Exception) -> str:
    """Return an error in one line; what torch says of True and False helps nobody, so that is said in words."""
    said = " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(".")
    if "could not infer output dtype" in said:
        return f"{said}. True and False must become numbers first, with .float()"
    return said


def _difference(answer: Any, expected: Any) -> str:
    """Say how an answer is of another kind than the one that is expected; nothing if only its numbers differ."""
    if isinstance(answer, tuple) and any(_is_missing(one) for one in answer):
        return "There are dots left to replace."
    if isinstance(expected, tuple) and not (isinstance(answer, tuple | list) and len(answer) == len(expected)):
        return f"The function should return {len(expected)} things, separated by commas."
    if isinstance(expected, Tensor) and expected.ndim:
        if not isinstance(answer, Tensor):
            return f"The function should return a tensor, not {type(answer).__name__}."
        if answer.shape != expected.shape:
            return f"The shape is {tuple(answer.shape)}, but should be {tuple(expected.shape)}."
        if (answer.dtype == torch.bool) != (expected.dtype == torch.bool):
            return f"The tensor holds {answer.dtype}, but should hold {expected.dtype}."
    if isinstance(expected, float | int | Tensor) and isinstance(answer, Tensor) and answer.ndim:
        return f"The function should return one number, not a tensor of shape {tuple(answer.shape)}."
    return "The numbers are not right yet."
