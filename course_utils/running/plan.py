"""What `course run` is about to do, and every check that can be made before it does anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_utils.errors import SettingsError
from course_utils.paths import project_root
from course_utils.running.complaints import suggest, unknown_parameter
from course_utils.running.folder import find_run_dir, folder_problems
from course_utils.running.notebooks import Notebook
from course_utils.running.preflight import data_problems
from course_utils.running.profiles import Profile
from course_utils.running.results import executed_path
from course_utils.running.settings import SETTINGS, NotebookSettings, settings_like, validate


@dataclass(frozen=True)
class Job:
    """One notebook with the parameters that it will get."""

    notebook: Notebook
    settings: NotebookSettings

    @property
    def name(self) -> str:
        """The notebook's name."""
        return self.notebook.name

    @property
    def parameters(self) -> dict[str, Any]:
        """All parameters by their UPPER_CASE names."""
        return self.settings.parameters()


@dataclass(frozen=True)
class Plan:
    """Which notebooks run with which parameters, and where the results go."""

    profile: str
    run_dir: Path
    jobs: tuple[Job, ...]


def make_plan(
    notebooks: Sequence[Notebook],
    profile: Profile,
    overrides: Mapping[str, Any],
    run_name: str | None = None,
) -> Plan:
    """Return a plan in which every parameter, data set and folder has been checked.

    Args:
        notebooks: in the order in which they run.
        profile: values that replace the notebooks' own.
        overrides: values that replace the profile's, in each notebook that has the parameter.
        run_name: a name for a folder in runs/, or a folder's path; the profile's name if None.

    Raises:
        CourseError: anything is wrong; one line, a sentence, for each thing. Nothing has been written.
    """
    run_dir = find_run_dir(run_name or profile.name)
    jobs, problems = make_jobs(notebooks, profile, overrides, run_dir)
    folder = folder_problems(run_dir) or _source_problems(run_dir, notebooks)
    problems = [*folder, *problems, *data_problems([(job.name, job.settings) for job in jobs])]
    if problems:
        raise SettingsError("\n".join(dict.fromkeys(problems)))
    return Plan(profile.name, run_dir, tuple(jobs))


def make_jobs(
    notebooks: Sequence[Notebook], profile: Profile, overrides: Mapping[str, Any], run_dir: Path
) -> tuple[list[Job], list[str]]:
    """Return the notebooks with their checked parameters, and one sentence for each thing that is wrong with these.

    Neither the folder nor the data are looked at; the arguments are those of `make_plan`.
    """
    values = {notebook.name: notebook.defaults() for notebook in notebooks}
    kinds = {name: SETTINGS.get(name) or settings_like(own) for name, own in values.items()}
    problems = [*_profile_problems(profile, notebooks), *_override_problems(overrides, kinds)]
    jobs = []
    for notebook in notebooks:
        own, kind = values[notebook.name], kinds[notebook.name]
        known = set(kind.parameter_names())
        wanted = {name: value for name, value in overrides.items() if name in known}
        merged = {**own, **profile.values.get(notebook.name, {}), **wanted, "RUN_DIR": _as_parameter(run_dir)}
        try:
            jobs.append(Job(notebook, validate(notebook.name, merged, kind)))
        except SettingsError as error:
            problems += str(error).splitlines()
    return jobs, problems


def move(plan: Plan, run_dir: Path) -> Plan:
    """Return the plan with its results in another folder."""
    update = {"run_dir": _as_parameter(run_dir)}
    jobs = [Job(job.notebook, job.settings.model_copy(update=update)) for job in plan.jobs]
    return Plan(plan.profile, run_dir, tuple(jobs))


def _as_parameter(run_dir: Path) -> str:
    """Return RUN_DIR as a notebook gets it: from the project's root where it lies inside."""
    root = project_root()
    return run_dir.relative_to(root).as_posix() if run_dir.is_relative_to(root) else str(run_dir)


def _profile_problems(profile: Profile, notebooks: Sequence[Notebook]) -> list[str]:
    known = [*SETTINGS, *(notebook.name for notebook in notebooks)]
    return [
        f"the profile {profile.name} names {name}, which is no notebook{suggest(name, known)}"
        for name in profile.values
        if name not in known
    ]


def _override_problems(overrides: Mapping[str, Any], kinds: Mapping[str, type[NotebookSettings]]) -> list[str]:
    problems = []
    names = list(dict.fromkeys(name for kind in kinds.values() for name in kind.parameter_names()))
    for wanted in overrides:
        if wanted == "RUN_DIR":
            problems.append("RUN_DIR is set by --name, not by -p")
        elif wanted not in names and len(kinds) == 1:
            problems.append(unknown_parameter(next(iter(kinds)), wanted, names))
        elif wanted not in names:
            problems.append(f"no notebook of this run has a parameter {wanted}{suggest(wanted, names)}")
    return problems


def _source_problems(run_dir: Path, notebooks: Sequence[Notebook]) -> list[str]:
    """Say which notebooks lie where their executed copies would go."""
    return [
        f"{notebook.path} lies where its executed copy would go: choose another folder with --name"
        for notebook in notebooks
        if executed_path(run_dir, notebook.name).resolve() == notebook.path.resolve()
    ]
