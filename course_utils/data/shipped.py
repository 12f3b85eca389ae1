"""Files that come with the course: whole, or one sentence that says how to get them back."""

import hashlib
from pathlib import Path

from course_utils.errors import DataError
from course_utils.paths import project_root


def how_to_mend(folder: Path) -> str:
    """Return the words that end every complaint about a shipped file of `folder`."""
    if (project_root() / ".git").exists():
        return f"get it back with `git checkout -- data/{folder.name}`"
    return "unpack the course again"


def check_file(path: Path, digest: str) -> bytes:
    """Return a shipped file's content if it has this sha256.

    Raises:
        DataError: it is missing, cut or altered.
    """
    try:
        content = path.read_bytes()
    except OSError:
        raise DataError(f"{path} is missing: {how_to_mend(path.parent)}") from None
    if hashlib.sha256(content).hexdigest() != digest:
        raise DataError(f"{path} was cut or altered: {how_to_mend(path.parent)}")
    return content
