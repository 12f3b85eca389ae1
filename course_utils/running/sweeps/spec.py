"""What a sweep is to run, as its author writes it: a small YAML file, or the same as a dictionary."""

import itertools
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from course_utils.errors import SettingsError
from course_utils.running import parameter_types as types
from course_utils.running.complaints import describe_expectation, suggest
from course_utils.running.profiles import LAPTOP
from course_utils.running.strict_yaml import read_yaml

MOST_RUNS = 10_000
LIKE_THIS = "see docs/sweeps.md for an example"

Values = dict[str, Any]
"""Parameters' values by their UPPER_CASE names."""


def _as_words(value: Any) -> Any:
    """Return one notebook or several as a list of words; YAML reads `05` as a number."""
    words = value if isinstance(value, list) else [value]
    if not words or not all(isinstance(word, int | str) and not isinstance(word, bool) for word in words):
        raise types.expected("a notebook's number, name or path, or a list of such")
    return [str(word) for word in words]


def _printable(text: str) -> str:
    """Return text that can stand in a sentence."""
    if not text.isprintable() or not text.strip():
        raise types.expected("text in one line, without control characters")
    return text


def _as_plain(value: Any) -> Any:
    """Return a value that JSON can hold, and so a notebook can get."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise types.expected("a finite number, text, true or false, or a list") from None
    return value


_Value = Annotated[Any, BeforeValidator(_as_plain)]
_Text = Annotated[str, AfterValidator(_printable)]


class SweepSpec(BaseModel):
    """A sweep: notebooks, what is the same in all runs, and what differs."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    notebook: Annotated[list[_Text], BeforeValidator(_as_words)]
    name: _Text | None = None
    profile: _Text = LAPTOP
    parameters: dict[_Text, _Value] = {}
    grid: dict[_Text, Annotated[list[_Value], Field(min_length=1)]] = {}
    points: Annotated[list[dict[_Text, _Value]], Field(alias="list")] = []
    seeds: types.Seeds | None = None

    @property
    def count(self) -> int:
        """How many runs it makes."""
        points = math.prod(len(values) for values in self.grid.values()) if self.grid else max(len(self.points), 1)
        return points * len(self.seeds or [0])

    def expand(self) -> list[Values]:
        """Return what is particular to each run: a point of the grid or list, and a seed."""
        points: list[Values] = [
            dict(zip(self.grid, values, strict=True)) for values in itertools.product(*self.grid.values())
        ]
        points = points if self.grid else self.points or [{}]
        seeds: list[Values] = [{"SEED": seed} for seed in self.seeds] if self.seeds else [{}]
        return [{**point, **seed} for point in points for seed in seeds]


def read_spec(source: Path | Mapping[str, Any]) -> SweepSpec:
    """Return the sweep that a YAML file or a mapping describes.

    Raises:
        SettingsError: it can't be read, or an entry is wrong; one line, a sentence, for each thing.
    """
    content = read_yaml(source) if isinstance(source, Path) else source
    where = source.name if isinstance(source, Path) else "the sweep"
    if not isinstance(content, Mapping):
        raise SettingsError(f"{where} should hold lines such as `notebook: 05` and `grid: ...`: {LIKE_THIS}")
    try:
        spec = SweepSpec.model_validate(dict(content))
    except ValidationError as error:
        raise SettingsError("\n".join(dict.fromkeys(_sentence(where, item) for item in error.errors()))) from None
    if problems := [f"{where}: {problem}" for problem in _contradictions(spec)]:
        raise SettingsError("\n".join(problems))
    return spec


def _contradictions(spec: SweepSpec) -> list[str]:
    """Say what each entry may be, but not beside the others."""
    problems = []
    swept = dict.fromkeys([*spec.grid, *(name for point in spec.points for name in point)])
    if spec.grid and spec.points:
        problems.append("give `grid` (all combinations) or `list` (each by itself), not both")
    elif not swept and spec.seeds is None:
        problems.append(f"there is nothing to sweep: give `grid`, `list` or `seeds`; {LIKE_THIS}")
    if any(set(point) != set(spec.points[0]) for point in spec.points):
        problems.append("each item of `list` should set the same parameters, so that nothing is a default unseen")
    for name in swept:
        if name in spec.parameters:
            problems.append(f"{name} stands in `parameters` and in what is swept: leave one out")
    if spec.seeds is not None and ("SEED" in swept or "SEED" in spec.parameters):
        problems.append("SEED is set by `seeds`: leave the other out")
    if "RUN_DIR" in swept or "RUN_DIR" in spec.parameters:
        problems.append("RUN_DIR is each run's own: leave it out, and use --name for the sweep's folder")
    if spec.count > MOST_RUNS:
        problems.append(f"these are {spec.count:,} runs: {MOST_RUNS:,} is the most for one sweep")
    return problems


def _sentence(where: str, problem: ErrorDetails) -> str:
    first, *inside = (str(part) for part in problem["loc"])
    known = [field.alias or name for name, field in SweepSpec.model_fields.items()]
    if problem["type"] == "extra_forbidden":
        return f"{where} has an entry {first if first.isprintable() else repr(first)} that no sweep has" + (
            suggest(first, known) or f": it may have {', '.join(known)}"
        )
    if problem["type"] == "missing":
        return f"{where} needs a line `{first}: ...`: {LIKE_THIS}"
    inside = [part if part.isprintable() else repr(part) for part in inside]
    if inside and inside[-1] == "[key]":
        return f"{where}: a parameter's name in `{first}` {describe_expectation(problem)}"
    place = "".join(f"[{part}]" if part.isdecimal() else f": {part}" for part in inside)
    return f"{where}: {first}{place} {describe_expectation(problem)}"
