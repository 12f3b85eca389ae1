"""Running notebooks: settings, records, execution, sweeps, reports, recorded findings.

`from course_utils.running import run_notebook, sweep` is the way in from Python.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from course_utils.running.api import run_notebook
    from course_utils.running.findings import load_finding
    from course_utils.running.sweeps import SweepOptions, sweep

__all__ = ["SweepOptions", "load_finding", "run_notebook", "sweep"]


def __getattr__(name: str) -> Any:
    """Import what is asked for only then: notebooks import this package too, and have no use for the runner."""
    if name == "run_notebook":
        from course_utils.running.api import run_notebook

        return run_notebook
    if name == "load_finding":
        from course_utils.running.findings import load_finding

        return load_finding
    if name in ("sweep", "SweepOptions"):
        from course_utils.running import sweeps

        return getattr(sweeps, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
