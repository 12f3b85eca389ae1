"""Docstrings on their way to Sphinx: code stays code, and nothing else is taken for markup."""

import re
from collections.abc import Sequence
from typing import Any


def prepare_docstring(_app: Any, _what: str, _name: str, _thing: Any, _options: Any, lines: list[str]) -> None:
    """Change a docstring's lines in place, before they are read as reStructuredText."""
    lines[:] = prepared(lines)


def prepare_signature(
    _app: Any, _what: str, _name: str, _thing: Any, _options: Any, arguments: str | None, returned: str | None
) -> tuple[str | None, str | None]:
    """Return a signature whose types have their short names."""
    return _short(arguments), _short(returned)


def _short(signature: str | None) -> str | None:
    return signature and re.sub(r"~[\w.]*\.(\w+)", r"\1", signature)


def prepared(lines: Sequence[str]) -> list[str]:
    """Return a docstring's lines; what is indented after an empty line is a block of code."""
    changed: list[str] = []
    in_code = False
    for index, line in enumerate(lines):
        indented = line.startswith("    ")
        if indented and index and not lines[index - 1].strip() and not in_code:
            in_code = True
            changed += ["::", ""]
        elif line.strip() and not indented:
            in_code = False
        changed.append(line if in_code else escape_line(line))
    return changed


def escape_line(line: str) -> str:
    """Return a line in which code is code, and *, |, and names that end with _ are text."""
    parts = re.split(r"(``[^`]+``|`[^`]+`)", line)
    return "".join(_code(part) if index % 2 else _text(part) for index, part in enumerate(parts))


def _code(part: str) -> str:
    return f"``{part.strip('`')}``\\ "


def _text(part: str) -> str:
    return re.sub(r"(\*+|\||_(?=\W|$))", lambda found: "".join(f"\\{mark}" for mark in found.group()), part)
