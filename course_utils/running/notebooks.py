"""The notebooks as files: which there are, what they are called, what their parameters are."""

import ast
import io
import itertools
import json
import re
import tokenize
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from course_utils.errors import CourseError
from course_utils.paths import locate
from course_utils.running.complaints import suggest

LAST_OF_CORE = 6
PARAMETERS_TAG = "parameters"

DEPENDS_ON: dict[str, tuple[str, ...]] = {
    "03_predicting_rotations": ("01_supervised_baselines",),
    "06_linear_evaluation": ("01_supervised_baselines", "03_predicting_rotations", "05_simclr"),
    "07_next_word": ("04_masked_words",),
    "09_what_and_where": ("01_supervised_baselines", "03_predicting_rotations", "05_simclr"),
}
"""Which notebooks' encoders a notebook uses: a failed one takes these with it, a changed one makes them run again."""


@dataclass(frozen=True)
class Parameter:
    """One line of the cell tagged `parameters`."""

    name: str
    value: Any
    comment: str


@dataclass(frozen=True)
class Notebook:
    """A notebook's file, read when asked."""

    path: Path

    @property
    def name(self) -> str:
        """The file's name without its ending, such as "05_simclr"."""
        return self.path.stem

    @property
    def number(self) -> int | None:
        """The number that the name starts with."""
        match = re.match(r"\d+", self.name)
        return int(match.group()) if match else None

    @property
    def is_core(self) -> bool:
        """Whether `course run` runs it without being asked by name."""
        return self.number is not None and self.number <= LAST_OF_CORE

    @cached_property
    def cells(self) -> list[dict[str, Any]]:
        """All cells, their source as one text.

        Raises:
            CourseError: the file is not a notebook.
        """
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            return [_read_cell(cell) for cell in content["cells"]]
        except OSError as error:
            raise CourseError(f"can't read {self.path}: {error.strerror}") from None
        except (ValueError, KeyError, TypeError, RecursionError):
            raise CourseError(f"{self.path} is not a notebook: it should be a JSON file with cells") from None

    @property
    def code(self) -> list[str]:
        """The source of the code cells."""
        return [cell["source"] for cell in self.cells if cell["cell_type"] == "code"]

    @property
    def title(self) -> str:
        """The first heading, without the number."""
        for cell in self.cells:
            if cell["cell_type"] == "markdown" and (
                found := re.search(r"^# +(?:\d+[ ·.:–-]+)?(.+)$", cell["source"], re.M)
            ):
                return found.group(1).strip()
        return self.name

    @cached_property
    def parameters(self) -> list[Parameter]:
        """The parameters with their values and comments, in order.

        Raises:
            CourseError: there isn't exactly one such cell, or it holds more than plain assignments.
        """
        tagged = [cell["source"] for cell in self.cells if PARAMETERS_TAG in cell["tags"]]
        if len(tagged) != 1:
            raise CourseError(f"{self.name} needs one cell tagged `{PARAMETERS_TAG}`, it has {len(tagged)}")
        try:
            return read_parameters(tagged[0])
        except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):  # the last two: brackets without end
            raise CourseError(
                f"{self.name}: the cell tagged `{PARAMETERS_TAG}` may hold only lines such as `NUM_EPOCHS = 12  # why`"
            ) from None

    def defaults(self) -> dict[str, Any]:
        """Return the values of the parameters cell: the laptop profile."""
        return {parameter.name: parameter.value for parameter in self.parameters}


def _read_cell(cell: dict[str, Any]) -> dict[str, Any]:
    """Return a cell with its source as one text and its tags at hand.

    Raises:
        KeyError, TypeError: it is none.
    """
    metadata = cell.get("metadata", {}) if isinstance(cell, dict) else None
    tags = metadata.get("tags", []) if isinstance(metadata, dict) else None
    if not isinstance(tags, list):
        raise TypeError("not a cell")
    return {**cell, "cell_type": cell["cell_type"], "source": "".join(cell["source"]), "tags": tags}


def read_parameters(source: str) -> list[Parameter]:
    """Return the assignments in a cell's source.

    Raises:
        ValueError: something is not an assignment of a plain value to one name (or SyntaxError).
    """
    statements = ast.parse(source).body
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    found = []
    for statement in statements:
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            raise ValueError(f"not a plain assignment: {ast.unparse(statement)}")
        value = ast.literal_eval(statement.value)
        comment = comments.get(statement.end_lineno or statement.lineno, "")
        found.append(Parameter(statement.targets[0].id, value, comment))
    return found


def discover(folder: Path) -> list[Notebook]:
    """Return the course's notebooks in `folder`, in teaching order."""
    return [Notebook(path) for path in sorted(folder.glob("[0-9][0-9]_*.ipynb"))]


def select(words: Sequence[str], folder: Path, *, everything: bool = False) -> list[Notebook]:
    """Return the notebooks that are meant, in teaching order, each once.

    Args:
        words: numbers, names or paths; none: the core course.
        folder: where the course's notebooks are.
        everything: all of them, not only the core.

    Raises:
        CourseError: a word means no notebook; one line for each.
    """
    known = discover(folder)
    if not words:
        chosen = [notebook for notebook in known if everything or notebook.is_core]
        if not chosen:
            raise CourseError(f"there are no notebooks in {folder}")
        return chosen
    if everything:
        raise CourseError("--all runs every notebook: leave it out or name none")
    found = [_find(word, known) for word in words]
    problems = [item for item in found if isinstance(item, str)]
    if problems:
        raise CourseError("\n".join(problems))
    unique = {item.path: item for item in found if isinstance(item, Notebook)}
    chosen = sorted(unique.values(), key=lambda notebook: notebook.name)
    for first, second in itertools.pairwise(chosen):
        if first.name == second.name:
            raise CourseError(f"{first.path} and {second.path} have the same name: rename one")
    return chosen


def _find(word: str, known: Sequence[Notebook]) -> Notebook | str:
    """Return the notebook that `word` means, or what is wrong with it."""
    if word.endswith(".ipynb"):
        path = locate(word)
        return Notebook(path) if path.is_file() else f"there is no file {word}"
    if word.isdecimal():
        matches = [notebook for notebook in known if notebook.number == int(word)]
    else:
        matches = [notebook for notebook in known if word in (notebook.name, notebook.name.partition("_")[2])]
    if matches:
        return matches[0]
    names = [notebook.name for notebook in known]
    return f"there is no notebook {word}" + (suggest(word, names) or f": there are {', '.join(names) or 'none'}")
