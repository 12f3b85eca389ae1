"""`python -m course_utils.site`: write the website into build/site."""

import sys

from course_utils.errors import FAILED, WRONG_USE, CourseError
from course_utils.paths import project_root
from course_utils.site import build_site


def main() -> None:
    """Build; exit with 0 all well, 1 something on the pages is wrong, 2 it can't be built at all."""
    into = project_root() / "build" / "site"
    try:
        problems = build_site(into)
    except CourseError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(WRONG_USE)
    for problem in problems:
        sys.stderr.write(f"error: {problem}\n")
    sys.stdout.write(f"{into / 'index.html'}: open it in a browser\n")
    sys.exit(FAILED if problems else 0)


if __name__ == "__main__":
    main()
