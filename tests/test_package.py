"""The package is a house of rooms: few things lie in its entrance, and nobody goes round in a circle."""

import ast
from graphlib import CycleError, TopologicalSorter

import pytest

from course_utils.paths import project_root

PACKAGE = project_root() / "course_utils"
MOST_IN_THE_ROOT = 14  # modules that everything uses; the rest belongs into a room


def imported_modules(path):
    """Return what a module of the package imports of the package, also late."""
    statements = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    froms = [node for node in statements if isinstance(node, ast.ImportFrom) and node.module]
    names = [f"{node.module}.{alias.name}" for node in froms for alias in node.names]
    return [name.split(".")[1:] for name in names if name.startswith("course_utils.")]


def room_imports():
    """Return which parts of the package (rooms, and modules of its root) each part imports."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        found.setdefault(room, set()).update(parts[0] for parts in imported_modules(path) if parts[0] != room)
    return found


def test_the_root_holds_only_what_everything_uses():
    modules = [path.stem for path in PACKAGE.glob("*.py") if not path.stem.startswith("__")]
    assert len(modules) <= MOST_IN_THE_ROOT, "a new module goes into a room"


def test_no_room_imports_one_that_imports_it():
    imports = room_imports()
    assert {"evaluation", "models"} <= imports["detection"], "imports are seen"
    list(TopologicalSorter(imports).static_order())


def test_a_circle_is_noticed():
    with pytest.raises(CycleError):
        list(TopologicalSorter({"a": {"b"}, "b": {"a"}}).static_order())
