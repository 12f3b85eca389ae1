"""Where things are, found from the project's root and never from the working directory."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from course_utils.errors import CourseError


def project_root() -> Path:
    """Return the folder that holds `notebooks/`, `data/` and `course_utils/`.

    Raises:
        CourseError: the package is installed away from the course's folder.
    """
    root = Path(__file__).resolve().parents[1]
    if not (root / "notebooks").is_dir():
        raise CourseError(
            f"no notebooks/ beside the package in {root}: install the course from its own folder with "
            "`pip install -e .`"
        )
    return root


def data_dir() -> Path:
    """Return the folder of shipped data."""
    return project_root() / "data"


def cache_dir() -> Path:
    """Return the git-ignored folder of fetched data."""
    return data_dir() / "cache"


def shipped_encoders_dir() -> Path:
    """Return the folder of encoders that come with the course."""
    return data_dir() / "encoders"


def notebooks_dir() -> Path:
    """Return the folder of the course's notebooks."""
    return project_root() / "notebooks"


def docs_dir() -> Path:
    """Return the folder of what is there to read."""
    return project_root() / "docs"


def expand(path: str | os.PathLike[str]) -> Path:
    """Return `path` with `~` written out.

    Raises:
        CourseError: there is no such home.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise CourseError(f"{path}: {Path(path).parts[0]} is nobody's home here; write the whole path") from None


def locate(path: str | os.PathLike[str]) -> Path:
    """Return the absolute path that the user means by `path`, as a shell would: there may be nothing yet.

    Raises:
        CourseError: there can't be anything, or nothing that we may look at.
    """
    place = expand(path)
    try:
        place = Path(os.path.realpath(place))
        with suppress(FileNotFoundError, NotADirectoryError):
            place.stat()
    except (OSError, ValueError) as error:  # such as a name that is too long, or one with a null character
        raise CourseError(f"can't use {place}: {getattr(error, 'strerror', None) or error}; choose another") from None
    return place


def resolve(path: str | os.PathLike[str]) -> Path:
    """Return `path` as an absolute path; a relative one counts from the project's root."""
    return project_root() / expand(path)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path that becomes `path` when the block ends well: whole or not at all.

    Raises:
        CourseError: the folder can't be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise CourseError(f"can't write {path}: {error.strerror}; free the disk or choose another folder") from None
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise CourseError(f"can't write {path}: {error.strerror or error}; nothing was changed") from error
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
