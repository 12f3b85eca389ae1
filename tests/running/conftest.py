"""Small notebooks that run in a second: they import no torch."""

import functools
from collections.abc import Callable
from pathlib import Path

import pytest
from samples import NAME, SampleSettings, write_notebook

from course_utils.running.settings import SETTINGS

MakeNotebook = Callable[..., Path]


@pytest.fixture
def make_notebook(tmp_path: Path) -> MakeNotebook:
    """Return a function that writes a notebook with parameters, a record and the given cells."""

    return functools.partial(write_notebook, tmp_path / "notebooks")


@pytest.fixture
def sample_settings(monkeypatch: pytest.MonkeyPatch) -> type[SampleSettings]:
    """Let the sample's settings take the place of a notebook's."""
    monkeypatch.setitem(SETTINGS, NAME, SampleSettings)
    return SampleSettings
