"""What a sweep is about to do, every run of it checked before the first begins."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from course_utils.errors import SettingsError
from course_utils.paths import notebooks_dir
from course_utils.running.folder import SWEEP_MARK, find_run_dir, folder_problems
from course_utils.running.notebooks import Notebook, select
from course_utils.running.plan import Job, Plan, make_jobs, move
from course_utils.running.preflight import data_problems
from course_utils.running.profiles import read_profile
from course_utils.running.sweeps.spec import SweepSpec, Values

LONGEST_NAME = 80
MOST_PROBLEMS = 20


@dataclass(frozen=True)
class SweepRun:
    """One run of a sweep: what is particular to it, and the plan that executes it."""

    values: Values
    plan: Plan

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.plan.run_dir.name


@dataclass(frozen=True)
class SweepPlan:
    """A sweep whose every parameter, data set and folder has been checked."""

    name: str
    folder: Path
    spec: SweepSpec
    runs: tuple[SweepRun, ...]

    @property
    def notebooks(self) -> list[Notebook]:
        """What each run executes, in order."""
        return [job.notebook for job in self.runs[0].plan.jobs]


def make_sweep_plan(spec: SweepSpec, name: str) -> SweepPlan:
    """Return the sweep's runs, each in a folder of its own.

    Args:
        spec: what is to run.
        name: of a folder in runs/, or a folder's path.

    Raises:
        CourseError: anything is wrong; one line, a sentence, for each thing. Nothing has been written.
    """
    folder = find_run_dir(name)
    notebooks = select(spec.notebook, notebooks_dir())
    profile = read_profile(spec.profile, notebooks_dir() / "profiles")
    problems = _folder_problems(folder)
    jobs_of_runs: list[list[Job]] = []
    for values in spec.expand():
        jobs, wrong = make_jobs(notebooks, profile, {**spec.parameters, **values}, folder)
        problems += wrong
        jobs_of_runs.append(jobs)
    problems += data_problems([(job.name, job.settings) for jobs in jobs_of_runs for job in jobs])
    problems = list(dict.fromkeys(problems)) or _repetitions(jobs_of_runs)
    if problems:
        more = [f"and {len(problems) - MOST_PROBLEMS} more of that kind"] if len(problems) > MOST_PROBLEMS else []
        raise SettingsError("\n".join([*problems[:MOST_PROBLEMS], *more]))
    runs = [
        SweepRun(values, move(Plan(profile.name, folder, tuple(jobs)), folder / name_run(values, jobs)))
        for values, jobs in zip(spec.expand(), jobs_of_runs, strict=True)
    ]
    return SweepPlan(folder.name, folder, spec, tuple(runs))


def name_run(values: Values, jobs: Sequence[Job]) -> str:
    """Return a folder's name that people can read and that no other parameters have.

    It ends with a hash of all parameters, so a change of what is the same in all runs overwrites nothing.
    """
    words = "_".join(f"{name.lower()}-{value}" for name, value in values.items())
    readable = re.sub(r"[^\w.+-]+", "-", words, flags=re.ASCII)[:LONGEST_NAME].strip("-.")
    return f"{readable or 'run'}_{hash_parameters(jobs)[:10]}"


def hash_parameters(jobs: Sequence[Job]) -> str:
    """Return a hash of what is to be executed with which parameters; where results go makes no difference."""
    parts = [[job.name, {**job.parameters, "RUN_DIR": ""}] for job in jobs]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _folder_problems(folder: Path) -> list[str]:
    if (folder / SWEEP_MARK).is_file():
        return folder_problems(folder, sweep=True)
    if (folder / "summary.json").exists() or (folder / "records").exists():
        return [f"{folder} holds the results of a run: choose another name for the sweep with --name"]
    return folder_problems(folder)


def _repetitions(jobs_of_runs: Sequence[Sequence[Job]]) -> list[str]:
    hashes = [hash_parameters(jobs) for jobs in jobs_of_runs]
    first = next((index for index, value in enumerate(hashes) if value in hashes[:index]), None)
    if first is None:
        return []
    return [f"runs {hashes.index(hashes[first]) + 1} and {first + 1} of the sweep would be the same: leave one out"]
