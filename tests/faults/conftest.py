"""The small notebooks of tests/running, in a command of their own."""

import functools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "running"))

from samples import write_notebook


@pytest.fixture
def make_notebook(tmp_path: Path) -> Callable[..., Path]:
    return functools.partial(write_notebook, tmp_path / "notebooks")


@pytest.fixture
def course() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs a command line of `course` to its end; none may show a traceback."""

    def call(*words: object, **options: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "course_utils", *map(str, words)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=300, env={**os.environ}, **options)
        assert "Traceback" not in ended.stdout + ended.stderr
        return ended

    return call
