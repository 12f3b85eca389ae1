"""One archive to hand out: all that somebody needs to run the course, and nothing of what was run here."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

from course_utils.errors import CourseError
from course_utils.paths import cache_dir, project_root, replacing
from course_utils.running.executed import load_notebook

TOP = "self-supervised-course"  # the folder that unpacking makes
FOLDERS = ("course_utils", "notebooks", "data", "docs", "tests", "benchmarks")  # so that every `make` works
FILES = (
    *("README.md", "LICENSE", "CITATION.cff", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"),
    *("pyproject.toml", "environment.yml", "Makefile"),
)
NEEDED = ("README.md", "LICENSE", "pyproject.toml", "Makefile", "notebooks", "data/encoders")
LEFT_OUT = ("__pycache__", ".ipynb_checkpoints")
EPOCH = (1980, 1, 1, 0, 0, 0)  # no dates: the same course gives the same archive


def write_bundle(path: Path) -> Path:
    """Write the archive, whole or not at all, and return its path.

    Raises:
        CourseError: something that belongs into it is missing, or it can't be written.
    """
    root = project_root()
    missing = [name for name in NEEDED if not (root / name).exists()]
    if missing:
        raise CourseError(f"{root} has no {' and no '.join(missing)}: hand out a whole course, such as a fresh clone")
    path = path.resolve()
    if path.suffix != ".zip":
        raise CourseError(f"the archive's name should end with .zip, got {path.name}")
    with replacing(path) as temporary:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in bundled_files(root):
                name = f"{TOP}/{file.relative_to(root).as_posix()}"
                archive.writestr(_info(name), _content(file, root), compresslevel=6)
        with zipfile.ZipFile(temporary) as archive:
            if broken := archive.testzip():
                raise CourseError(f"{broken} was not written as it should be: free the disk and try again")
    return path


def bundled_files(root: Path) -> Iterator[Path]:
    """Yield what goes into the archive, in order."""
    yield from (root / name for name in FILES if (root / name).is_file())
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            parts = path.relative_to(root).parts
            hidden = any(part.startswith(".") or part in LEFT_OUT or part.endswith(".egg-info") for part in parts)
            if path.is_file() and not hidden and not path.is_relative_to(cache_dir()):
                yield path


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, EPOCH)
    info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    return info


def _content(path: Path, root: Path) -> bytes:
    """Return a file's content; a notebook of the course without what it gave here."""
    if path.suffix != ".ipynb" or not path.is_relative_to(root / "notebooks"):
        return path.read_bytes()
    notebook = load_notebook(path)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and "keep_output" not in cell["metadata"].get("tags", []):
            cell |= {"outputs": [], "execution_count": None}
    notebook["metadata"].pop("widgets", None)
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()
