"""Does this machine do? What is here, what that means for the course, and what to do where something is amiss."""

import importlib
import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from html import escape
from pathlib import Path
from typing import Any, Literal

from course_utils.errors import CourseError
from course_utils.paths import notebooks_dir, project_root, resolve
from course_utils.running.environment import count_cores, free_memory, list_gpus
from course_utils.running.notebooks import discover
from course_utils.running.profiles import LAPTOP, suited_to_this_machine
from course_utils.running.speed import estimate_minutes, load_measured, measure_views_per_second

Level = Literal["green", "yellow", "red"]
GIGABYTE = 1e9
LITTLE_MEMORY, TOO_LITTLE_MEMORY = 2.5 * GIGABYTE, 1.0 * GIGABYTE
LITTLE_DISK, TOO_LITTLE_DISK = 2.0 * GIGABYTE, 0.2 * GIGABYTE
MANY_MINUTES = 60.0
OLDEST_PYTHON = (3, 11)
LIGHTS: dict[Level, str] = {"green": "#2da44e", "yellow": "#d4a72c", "red": "#cf222e"}
INSTALL = "`pip install -e .` in the course's folder"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    level: Level
    found: str
    advice: str = ""


@dataclass(repr=False)
class Diagnosis:
    """All that was looked at; a notebook shows it as a table."""

    checks: list[Check] = field(default_factory=list)
    views_per_second: float = 0.0
    minutes: dict[str, float] = field(default_factory=dict)  # of the laptop profile's notebooks, on this machine
    profile: str = LAPTOP  # that `make run` takes here
    minutes_of_main_job: float = 0.0  # of `make run`, once all is set up; 0: not known

    @property
    def is_well(self) -> bool:
        """Whether nothing is red."""
        return all(check.level != "red" for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "schema": 1,
            "ok": self.is_well,
            "checks": [asdict(check) for check in self.checks],
            "views_per_second": round(self.views_per_second, 1),
            "minutes": {name: round(minutes, 2) for name, minutes in self.minutes.items()},
            "make_run": {"profile": self.profile, "minutes": round(self.minutes_of_main_job, 2)},
        }

    def __repr__(self) -> str:
        """Return the checks as lines of text, for a terminal."""
        return "\n".join(
            f"{check.level:<6} {check.name}: {check.found}" + (f" ({check.advice})" if check.advice else "")
            for check in self.checks
        )

    def _repr_html_(self) -> str:
        rows = ((_light(check.level), *map(_as_html, (check.name, check.found, check.advice))) for check in self.checks)
        head = _row("th", ("state", "what", "found", "what to do"))
        return f"<table>{head}{''.join(_row('td', row) for row in rows)}</table>"


def _row(tag: str, cells: Iterable[str]) -> str:
    """Return a table's row of HTML; JupyterLab would set the words flush right."""
    opened = f'<{tag} style="text-align: left">'
    return f"<tr>{''.join(f'{opened}{cell}</{tag}>' for cell in cells)}</tr>"


def _light(level: Level) -> str:
    """Return a level's colored dot and its name; no emoji, as not every machine has a font for them."""
    style = f"display: inline-block; width: 0.7em; height: 0.7em; border-radius: 50%; background: {LIGHTS[level]}"
    return f'<span style="{style}"></span> {level}'


def _as_html(text: str) -> str:
    """Return text as HTML, with what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def examine(*, seconds: float = 10.0) -> Diagnosis:
    """Look at everything.

    Args:
        seconds: how long to train for the measurement of speed; 0: leave that out.
    """
    diagnosis = Diagnosis()
    for look in (_python, _kernel, _torch, _precision, _cores, _memory, _disk, _widgets, _sweeps):
        diagnosis.checks += [_guarded(look)]
    diagnosis.checks += [*_data(), _encoders()]
    if seconds > 0:
        diagnosis.checks += [_guarded(lambda: _speed(diagnosis, seconds))]
    return diagnosis


def _guarded(look: Callable[[], Check]) -> Check:
    """Return what a look found; one that breaks off is a finding too."""
    try:
        return look()
    except Exception as error:  # whatever is wrong with the machine, the other checks are to be made
        name = getattr(look, "__name__", "").strip("_").replace("<lambda>", "speed")
        words = " ".join(f"{type(error).__name__}: {error}".split())
        return Check(name, "red", words, f"install the course again: {INSTALL}")


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        return Check("python", "red", version, "install Python 3.11 or newer, delete .venv and use `make run` again")
    return Check("python", "green", f"{version} in {_near(Path(sys.prefix))}")


def _near(path: Path) -> str:
    """Return a path as seen from the course's folder, which need not be told."""
    root = project_root()
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def _kernel() -> Check:
    """See that JupyterLab's "Python 3" is this Python: `course run` sees to that by itself, JupyterLab doesn't."""
    from jupyter_client.kernelspec import KernelSpecManager

    program = KernelSpecManager().get_kernel_spec("python3").argv[0]
    if re.fullmatch(r"python[\d.]*", program):  # Jupyter then takes the Python that it runs on itself
        program = sys.executable
    found = Path(program)
    if found.parent.resolve() == Path(sys.executable).parent.resolve():  # the files are links to one another
        return Check("kernel", "green", "JupyterLab's Python 3 is this environment's")
    advice = f"register it: `{sys.executable} -m ipykernel install --sys-prefix`, or use `make lab`"
    return Check("kernel", "yellow", f"JupyterLab's Python 3 is {found}, not {sys.executable}", advice)


def _torch() -> Check:
    import torch

    from course_utils.devices import make_fabric

    device = make_fabric().device
    name = f" ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else ""
    found = f"torch {torch.__version__} on {device}{name}"
    if device.type == "cpu" and list_gpus() and os.environ.get("CUDA_VISIBLE_DEVICES") is None:
        advice = "install torch's GPU build, or a newer driver: pytorch.org tells which go together"
        return Check("torch", "yellow", f"{found}, though there is a GPU", advice)
    return Check("torch", "green", found)


def _precision() -> Check:
    from course_utils.devices import choose_precision, computes_in_bfloat16, make_fabric

    kind = make_fabric().device.type
    has = "computes" if computes_in_bfloat16(kind) else "doesn't compute"
    return Check("precision", "green", f"{choose_precision(kind)}, because this {kind} {has} in bfloat16 by itself")


def _cores() -> Check:
    cores = count_cores()
    advice = "the course's minutes are for two cores: expect about twice as many" if cores < 2 else ""
    return Check("cores", "green" if cores > 1 else "yellow", str(cores), advice)


def _memory() -> Check:
    free = free_memory()
    level: Level = "green" if free >= LITTLE_MEMORY else "yellow" if free >= TOO_LITTLE_MEMORY else "red"
    advice = "close other programs, and run one notebook at a time" if level != "green" else ""
    return Check("memory", level, f"{free / GIGABYTE:.1f} GB free", advice)


def _disk() -> Check:
    runs = resolve("runs")
    folder = next(path for path in (runs, *runs.parents) if path.exists())
    if not os.access(folder, os.W_OK | os.X_OK):
        return Check(
            "disk", "red", f"no permission to write to {folder}", f"chmod u+rwx {folder}, or use --name FOLDER"
        )
    free = shutil.disk_usage(folder).free
    level: Level = "green" if free >= LITTLE_DISK else "yellow" if free >= TOO_LITTLE_DISK else "red"
    advice = "delete old folders in runs/, or use --name FOLDER on another disk" if level != "green" else ""
    return Check("disk", level, f"{free / GIGABYTE:.1f} GB free", advice)


def _widgets() -> Check:
    missing = [name for name in ("ipywidgets", "anywidget", "jupyterlab_widgets") if not _is_installed(name)]
    if missing:
        return Check("widgets", "red", f"no {', '.join(missing)}", INSTALL)
    for name in ("ipywidgets", "anywidget"):
        importlib.import_module(name)
    return Check("widgets", "green", "ipywidgets and anywidget")


def _sweeps() -> Check:
    if _is_installed("distributed"):
        return Check("sweeps", "green", "dask.distributed")
    return Check("sweeps", "yellow", "no dask", "only for `course sweep`: `pip install -e '.[sweeps]'`")


def _data() -> Iterator[Check]:
    from course_utils.data import sources

    for source in sources.list_sources():
        if source.status == "not fetched":
            advice = f"only for the gpu profile: `course data fetch {source.name}`"
            yield Check(f"data: {source.name}", "green", "not fetched", advice)
        elif source.status == "damaged":
            yield Check(f"data: {source.name}", "red", "damaged or missing", _why_damaged(source.name))
        else:
            yield Check(f"data: {source.name}", "green", f"{source.status}, whole")


def _why_damaged(name: str) -> str:
    from course_utils.data import sources

    try:
        sources.verify(name)
    except CourseError as error:
        return str(error)
    return "it changed while we looked: look again"


def _encoders() -> Check:
    from course_utils.models.encoder_files import check_shipped  # torch takes seconds to import

    try:
        check_shipped()
    except CourseError as error:
        return Check("encoders", "yellow", "not all that were shipped", str(error))
    return Check("encoders", "green", "shipped")


def _speed(diagnosis: Diagnosis, seconds: float) -> Check:
    busy = hasattr(os, "getloadavg") and os.getloadavg()[0] > count_cores() / 2  # Windows doesn't say
    diagnosis.views_per_second = measure_views_per_second(seconds)
    diagnosis.minutes = estimate_minutes(diagnosis.views_per_second, load_measured())
    diagnosis.profile = suited_to_this_machine()
    shorter = estimate_minutes(diagnosis.views_per_second, load_measured(diagnosis.profile))
    core = [notebook.name for notebook in discover(notebooks_dir()) if notebook.is_core]
    diagnosis.minutes_of_main_job = sum(shorter.get(name, 0.0) for name in core)
    total = sum(diagnosis.minutes.values())
    known = f", so about {total:.0f} minutes for {len(diagnosis.minutes)} notebooks" if diagnosis.minutes else ""
    if diagnosis.minutes_of_main_job:
        known += f", {diagnosis.minutes_of_main_job:.0f} for `make run` (profile {diagnosis.profile})"
    found = f"{diagnosis.views_per_second:,.0f} views a second{known}"
    if busy:
        return Check("speed", "yellow", found, "other programs kept this machine busy: ask again when they are done")
    if total > MANY_MINUTES:
        return Check("speed", "yellow", found, "run the notebooks one by one, or with smaller NUM_EPOCHS")
    return Check("speed", "green", found)


def _is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None
