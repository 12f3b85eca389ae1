"""From the repository to HTML: lay out the sources, let Sphinx write the pages, follow their links."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

from course_utils.errors import CourseError
from course_utils.paths import docs_dir, project_root
from course_utils.site.links import broken_links
from course_utils.site.source import write_source

LINES_OF_TROUBLE = 30


def build_site(into: Path) -> list[str]:
    """Write the website into a folder, anew, and return what is wrong with its links.

    Args:
        into: the pages' folder; beside it, NAME-source holds what they are made from.

    Raises:
        CourseError: Sphinx isn't installed, a page's source is wrong, or Sphinx complains of something.
    """
    if not all(map(importlib.util.find_spec, ("sphinx", "myst_nb", "sphinx_book_theme"))):
        raise CourseError("the site needs Sphinx: pip install -e '.[site]', or `make site`, which does it")
    source = into.with_name(f"{into.name}-source")
    for folder in (source, into):
        shutil.rmtree(folder, ignore_errors=True)
    write_source(source)
    command = [
        *(sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q"),
        *("-c", str(docs_dir() / "site"), "-d", str(into.with_name(f"{into.name}-state")), str(source), str(into)),
    ]
    done = subprocess.run(command, cwd=project_root(), capture_output=True, text=True)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise CourseError("Sphinx can't write the site:\n" + "\n".join(lines[-LINES_OF_TROUBLE:]))
    return broken_links(into)
