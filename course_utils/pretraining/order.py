"""What `course pretrain` was asked for, checked before anything is started."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_utils.errors import SettingsError
from course_utils.paths import notebooks_dir
from course_utils.processes import PATIENCE
from course_utils.running.notebooks import select
from course_utils.running.plan import Job, make_plan
from course_utils.running.profiles import read_profile, read_value

NOTEBOOKS = {
    "simclr": "05_simclr",
    "rotation": "03_predicting_rotations",
    "masked_words": "04_masked_words",
    "next_word": "07_next_word",
}
"""Where each task's parameters and their values are from."""

OF_IMAGES = ("simclr", "rotation")


@dataclass(frozen=True)
class Order:
    """A pretraining that was asked for.

    Args:
        task: see `NOTEBOOKS`.
        parameters: values that replace the profile's.
        profile: its name, or a YAML file.
        name: of the run, or its folder; None: pretrain-PROFILE.
        num_devices: processes on each machine; None: one, or as many as torchrun or Slurm started.
        num_nodes: machines; None likewise.
        minutes_between_checkpoints: how much work a broken run may lose.
        compiled: whether torch.compile is used.
        patience: seconds to wait for another process.
        stream: a folder tree of images to learn from, which are read while it trains; None: the data set in memory.
        num_workers: processes that read them, beside each training process; None: as many as there are cores for.
    """

    task: str
    parameters: Mapping[str, Any]
    profile: str = "laptop"
    name: str | None = None
    num_devices: int | None = None
    num_nodes: int | None = None
    minutes_between_checkpoints: float = 5.0
    compiled: bool = False
    patience: float = PATIENCE
    stream: str | None = None
    num_workers: int | None = None

    def words(self) -> list[str]:
        """Return the command line that asks for the same in a process that was started as one of several."""
        words = ["pretrain", self.task, "--profile", self.profile]
        words += ["--minutes-between-checkpoints", str(self.minutes_between_checkpoints)]
        words += ["--patience", str(self.patience), *(["--compile"] if self.compiled else [])]
        options = {"--name": self.name, "--stream": self.stream, "--workers": self.num_workers}
        words += [word for name, value in options.items() if value is not None for word in (name, str(value))]
        for name, value in self.parameters.items():
            words += ["-p", f"{name}={_as_text(value)}"]
        return words


def _as_text(value: Any) -> str:
    """Return what is read as this value again."""
    return value if isinstance(value, str) and read_value(value) == value else json.dumps(value)


def check(order: Order) -> tuple[Job, Path]:
    """Return the notebook's checked parameters, and the run's folder.

    Raises:
        CourseError: anything is wrong; one line, a sentence, for each thing. Nothing has been written.
    """
    if order.stream is not None and order.task not in OF_IMAGES:
        raise SettingsError(
            f"--stream is for images, and {order.task} reads texts: name its texts with -p CORPUS FOLDER"
        )
    if order.stream == "":
        raise SettingsError("--stream names no folder: name one with images in it or below")
    if order.stream is None and order.num_workers is not None:
        raise SettingsError(
            "--workers read what --stream names: name a folder of images with it, or leave --workers out"
        )
    folder = notebooks_dir()
    profile = read_profile(order.profile, folder / "profiles")
    notebooks = select([NOTEBOOKS[order.task]], folder)
    plan = make_plan(notebooks, profile, order.parameters, order.name or f"pretrain-{profile.name}")
    return plan.jobs[0], plan.run_dir
