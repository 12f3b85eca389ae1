"""Docstrings on their way to Sphinx: code in single backticks, and nothing that it would take for markup."""

import re
from typing import Any


def prepare_docstring(_app: Any, _what: str, _name: str, _thing: Any, _options: Any, lines: list[str]) -> None:
    """Change a docstring's lines in place, before they are read as reStructuredText."""
    lines[:] = [escape_line(line) for line in lines]


def escape_line(line: str) -> str:
    """Return a line in which code is code, and *, |, and names that end with _ are text."""
    parts = re.split(r"(``[^`]+``|`[^`]+`)", line)
    return "".join(_code(part) if index % 2 else _text(part) for index, part in enumerate(parts))


def _code(part: str) -> str:
    return f"``{part.strip('`')}``\\ "


def _text(part: str) -> str:
    return re.sub(r"(\*+|\||_(?=\W|$))", lambda found: "".join(f"\\{mark}" for mark in found.group()), part)
