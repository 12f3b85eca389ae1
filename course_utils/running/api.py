"""One notebook from Python: what `course run` does, as a function."""

from collections.abc import Mapping
from typing import Any

from course_utils.paths import notebooks_dir
from course_utils.running.notebooks import select
from course_utils.running.plan import make_plan
from course_utils.running.profiles import LAPTOP, read_profile
from course_utils.running.runs import Silence, run_plan
from course_utils.running.summary import Summary


def run_notebook(
    notebook: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    name: str | None = None,
    profile: str = LAPTOP,
    force: bool = False,
    max_seconds: float = 3600.0,
    environment: Mapping[str, str] | None = None,
) -> Summary:
    """Run a notebook in a process of its own and return what it measured; if that is up to date, without running it.

        from course_utils.running import run_notebook

        summary = run_notebook("05", {"NUM_EPOCHS": 40, "TEMPERATURE": 0.2}, name="longer")
        entry = summary["notebooks"][0]
        print(entry["status"], entry["error"], entry["metrics"])

    A notebook that fails raises nothing: `summary["status"]` is then "failed", and the entry's `error` says why. The
    executed copy, `summary.json`, `report.html` and encoders lie in runs/NAME/.

    Args:
        notebook: its number, name or path.
        parameters: values in place of the profile's, by UPPER_CASE names; `course list 05` shows what there is.
        name: of the folder in runs/, or a folder's path; None: the profile's name.
        profile: "laptop" (the notebook's own values), "smoke", "gpu" or a YAML file.
        force: run it although it is up to date, and train from the beginning.
        max_seconds: after so long it is ended, and has failed.
        environment: variables that its process gets beside ours, such as {"OMP_NUM_THREADS": "1"}.

    Returns:
        The content of `summary.json`: status, environment and, in `notebooks`, the entries of this notebook and of
        others whose results in the folder are still true.

    Raises:
        CourseError: a name or value is wrong, data are missing, or the folder can't be used; one line, a sentence, for
            each thing. Nothing was run.
    """
    folder = notebooks_dir()
    plan = make_plan(select([notebook], folder), read_profile(profile, folder / "profiles"), parameters or {}, name)
    result = run_plan(plan, Silence(), force=force, max_seconds=max_seconds, environment=environment)
    if result.interrupted:
        raise KeyboardInterrupt
    return result.summary
