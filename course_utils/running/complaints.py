"""What is wrong with a notebook's parameters, in plain words."""

import difflib
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

# pydantic's kind of error: what the value must be
_EXPECTED = {
    "dict_type": "lines such as `NAME: value`",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "text in quotes",
    "list_type": "a list",
    "finite_number": "a finite number",
    "greater_than": "greater than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "literal_error": "{expected}",
    "multiple_of": "a multiple of {multiple_of}",
    "too_short": "a list that is not empty",
    "string_too_short": "text that is not empty",
    "string_pattern_mismatch": "a name of letters, digits, - and _",
    "expected": "{words}",
}


def describe_problems(notebook: str, error: ValidationError, names: Iterable[str]) -> list[str]:
    """Return one sentence for each thing that is wrong.

    Args:
        notebook: whose parameters these are.
        error: pydantic's account of it.
        names: the parameters that the notebook has.
    """
    known = list(names)
    return [_sentence(notebook, problem, known) for problem in error.errors()]


def suggest(word: str, known: Iterable[str], closeness: float = 0.6) -> str:
    """Return ": did you mean …?" for the nearest known word, or nothing."""
    names = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), names, n=1, cutoff=closeness)
    return f": did you mean {names[near[0]]}?" if near else ""


def unknown_parameter(notebook: str, name: str, known: Iterable[str]) -> str:
    """Return the sentence for a parameter that the notebook doesn't have."""
    known = list(known)
    return f"{notebook} has no parameter {name}" + (suggest(name, known) or f": it has {', '.join(known)}")


def _sentence(notebook: str, problem: ErrorDetails, known: list[str]) -> str:
    name, inside = str(problem["loc"][0]), len(problem["loc"]) > 1
    if problem["type"] == "extra_forbidden":
        return unknown_parameter(notebook, name, known)
    if problem["type"] == "missing":
        return f"{notebook} needs a value for {name}: set it in the cell tagged `parameters`"
    return f"{notebook}: {f'each of {name}' if inside else name} {describe_expectation(problem)}"


def describe_expectation(problem: ErrorDetails) -> str:
    """Return what a value must be, and what it is."""
    expected = _EXPECTED.get(problem["type"], problem["msg"]).format(**_readable(problem.get("ctx", {})))
    return f"must be {expected}, got {_shown(problem['input'])}"


def _readable(limits: dict[str, Any]) -> dict[str, Any]:
    """Return pydantic's limits with 1.0 as 1."""
    return {name: f"{limit:g}" if isinstance(limit, float) else limit for name, limit in limits.items()}


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # Python writes no number of more than some thousand digits
        return "something that is too long to be shown"
    return text if len(text) <= 60 else f"{text[:57]}..."
