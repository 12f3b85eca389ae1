"""One run of a sweep as a dask worker does it: plain data in and out, the notebook in a process of its own."""

import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

from course_utils.errors import CourseError
from course_utils.running.execution import Progress
from course_utils.running.identity import package_identity
from course_utils.running.locking import BusyError
from course_utils.running.notebooks import Notebook
from course_utils.running.plan import Job, Plan
from course_utils.running.profiles import LAPTOP
from course_utils.running.runs import Result, Silence, run_plan
from course_utils.running.settings import SETTINGS, settings_like, validate
from course_utils.running.side_by_side import thread_variables
from course_utils.running.sweeps.files import is_sweep

SECONDS_BETWEEN_TRIES = 1.0
SECONDS_FOR_FILES = 30.0  # a shared file system may show a new file late


class Task(TypedDict):
    """What a worker is told."""

    folder: str  # the sweep's
    run_dir: str
    profile: str
    notebooks: list[tuple[str, dict[str, Any]]]  # paths and parameters, in order
    code: str  # hash of notebooks and package, that all runs of a sweep are made by the same
    stop: str  # a file; once it is there, the run is to end
    threads: int
    gpus: list[str]  # one for each worker, or none
    max_seconds: float  # for one notebook
    force: bool


class Done(TypedDict):
    """What a worker says."""

    status: str  # "ok", "failed" or "stopped"
    seconds: float
    error: str | None


class _Watch(Silence):
    """Ends the run once the sweep is stopped."""

    def __init__(self, task: Task) -> None:
        self.task = task

    def show(self, job: Job, progress: Progress) -> None:
        """Look whether the sweep was stopped; called several times a second."""
        _check_stop(self.task)


def hash_code(notebooks: Sequence[Notebook]) -> str:
    """Return a hash of the notebooks' code and the package's, as they are on the disk now."""
    package_identity.cache_clear()  # a worker may live for days
    parts = [[notebook.name, notebook.code] for notebook in notebooks]
    return hashlib.sha256(json.dumps([parts, package_identity()]).encode()).hexdigest()


def do_run(task: Task) -> Done:
    """Bring one run up to date, and say how it ended; nothing is raised that the user could mend."""
    try:
        _check_stop(task)
        _check_place(task)
        plan = _plan(task)
        if hash_code([job.notebook for job in plan.jobs]) != task["code"]:
            raise CourseError(
                "the notebook or the package is not what the sweep began with: start it again, with the same course "
                "on all machines"
            )
        result = _run_when_free(plan, task)
    except CourseError as error:
        return {"status": "failed", "seconds": 0.0, "error": " · ".join(str(error).splitlines())}
    except KeyboardInterrupt:
        return {"status": "stopped", "seconds": 0.0, "error": "stopped by Ctrl-C"}
    return summarize_result(result)


def summarize_result(result: Result) -> Done:
    """Return in short how a run ended."""
    entries = result.summary["notebooks"]
    errors = [f"{entry['name']}: {entry['error']}" for entry in entries if entry["status"] == "failed"]
    if result.interrupted:
        return {"status": "stopped", "seconds": result.summary["seconds"], "error": "stopped by Ctrl-C"}
    status = "ok" if result.summary["status"] == "ok" else "failed"
    return {"status": status, "seconds": result.summary["seconds"], "error": "; ".join(errors) or None}


def _check_stop(task: Task) -> None:
    if Path(task["stop"]).exists():
        raise KeyboardInterrupt


def _check_place(task: Task) -> None:
    """See that this machine has the sweep's folder."""
    end = time.monotonic() + SECONDS_FOR_FILES
    while not is_sweep(Path(task["folder"])):
        if time.monotonic() > end:
            raise CourseError(
                f"a worker doesn't see {task['folder']}: the sweep's folder must be on a disk that all machines share"
            )
        time.sleep(SECONDS_BETWEEN_TRIES)


def _plan(task: Task) -> Plan:
    jobs = []
    for path, parameters in task["notebooks"]:
        notebook = Notebook(Path(path))
        kind = SETTINGS.get(notebook.name) or settings_like(parameters)
        jobs.append(Job(notebook, validate(notebook.name, parameters, kind)))
    return Plan(task["profile"] or LAPTOP, Path(task["run_dir"]), tuple(jobs))


def _run_when_free(plan: Plan, task: Task) -> Result:
    """Run, or wait for another that does the same, such as one whose sweep was killed: its result is as good."""
    watch, end = _Watch(task), time.monotonic() + task["max_seconds"]
    while True:
        _check_stop(task)
        try:
            return run_plan(
                plan, watch, force=task["force"], max_seconds=task["max_seconds"], environment=_environment(task)
            )
        except BusyError:
            if time.monotonic() > end:
                raise
            time.sleep(SECONDS_BETWEEN_TRIES)


def _environment(task: Task) -> dict[str, str]:
    """Return variables by which runs beside each other share the machine."""
    variables = thread_variables(task["threads"])
    if task["gpus"]:
        from distributed import get_worker

        place = int(str(get_worker().name))  # a local cluster counts its workers
        variables["CUDA_VISIBLE_DEVICES"] = task["gpus"][place % len(task["gpus"])]
    return variables
