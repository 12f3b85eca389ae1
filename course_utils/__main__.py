"""The command `course`, also as `python -m course_utils`: quiet when Ctrl-C comes before it has begun."""

import signal
import sys

from course_utils.errors import INTERRUPTED


def main() -> None:
    """Run the command; Ctrl-C while it is being loaded, or after it is done, ends it without a traceback."""
    try:
        from course_utils.cli import main

        main()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # what is left is Python's own end, with which nothing is lost


if __name__ == "__main__":
    main()
