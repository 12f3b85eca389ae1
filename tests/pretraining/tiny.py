"""A pretraining of seconds, for tests that start it, end it and start it again."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import torch

from course_utils.paths import project_root

PARAMETERS: dict[str, Any] = {
    "NUM_TRAIN_IMAGES": 100,
    "VIEW_SIZES": [8],
    "NUM_EPOCHS": 6,
    "BATCH_SIZE": 8,
    "NUM_VIEWS": 2,
    "NUM_READINGS": 1,
    "HIDDEN_DIM": 16,
    "PROJECTION_DIM": 8,
    # batch norm on a few tiny views is chaotic: with larger steps, float32's roundings grow to percents in 30 steps
    "TEMPERATURE": 1.0,
    "OPTIMIZER": "sgd",
    "LEARNING_RATE": 1e-4,
    "DEVICE": "cpu",
    "PRECISION": "32-true",
}
NUM_STEPS = 6 * (100 // 8)


def words(run_dir: Path, *more: str, **changes: Any) -> list[str]:
    """Return a command line that trains the tiny network into a folder, with a checkpoint after every step."""
    values = [part for name, value in {**PARAMETERS, **changes}.items() for part in ("-p", name, str(value))]
    return ["pretrain", "simclr", "--name", str(run_dir), "--minutes-between-checkpoints", "0", *values, *more]


def start(command: list[str], **environment: str) -> "subprocess.Popen[str]":
    """Start the command as a user would."""
    around = {**os.environ, "PYTHONPATH": str(project_root()), "COURSE_PROGRESS": "none", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "course_utils", *command],
        env={**around, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def checkpoint(run_dir: Path) -> Path:
    """Return where the training's state is."""
    return run_dir / "checkpoints" / "05_simclr" / "simclr.ckpt"


def wait_for(path: Path, process: "subprocess.Popen[str]", seconds: float = 180.0) -> None:
    """Wait until a file is there."""
    end = time.monotonic() + seconds
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, f"{path} did not come"
        time.sleep(0.02)


def workers(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    """Return the processes that the command started, process 0 first."""
    return sorted(psutil.Process(process.pid).children(), key=lambda child: int(child.environ()["RANK"]))


def are_gone(processes: list[psutil.Process], seconds: float = 10.0) -> bool:
    """Tell whether processes end within some seconds."""
    return not psutil.wait_procs(processes, timeout=seconds)[1]


def saved_step(run_dir: Path) -> int:
    """Return the step of a training's state."""
    return int(torch.load(checkpoint(run_dir), weights_only=True)["step"])
