"""Small notebooks that run in a second: they import no torch."""

from collections.abc import Callable, Sequence
from pathlib import Path

import nbformat
import pytest
from samples import MEASURE, NAME, SampleSettings

from course_utils.running.settings import SETTINGS

PARAMETERS = """\
NUM_EPOCHS = 2  # passes over the data
LEARNING_RATE = 0.1  # at its peak
SEED = 0  # of everything that is drawn
RUN_DIR = "runs/interactive"  # where results go
"""
START = """\
from course_utils.running.records import Record
parameters = dict(NUM_EPOCHS=NUM_EPOCHS, LEARNING_RATE=LEARNING_RATE, SEED=SEED, RUN_DIR=RUN_DIR)
environment = {"device": "cpu", "precision": "32-true"}
record = Record("{name}", RUN_DIR, parameters, environment)
"""
FINISH = "record.finish()\n"

MakeNotebook = Callable[..., Path]


@pytest.fixture
def make_notebook(tmp_path: Path) -> MakeNotebook:
    """Return a function that writes a notebook with parameters, a record and the given cells."""

    def make(
        name: str, *cells: str, parameters: str = PARAMETERS, title: str = "# A title", finish: str = FINISH
    ) -> Path:
        content = nbformat.v4.new_notebook()
        sources: Sequence[str] = (START.replace("{name}", name), *(cells or (MEASURE,)), finish)
        content.cells = [
            nbformat.v4.new_markdown_cell(title),
            nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}),
            *(nbformat.v4.new_code_cell(source) for source in sources),
        ]
        content.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "Python 3"}
        path = tmp_path / "notebooks" / f"{name}.ipynb"
        path.parent.mkdir(exist_ok=True)
        nbformat.write(content, path)
        return path

    return make


@pytest.fixture
def sample_settings(monkeypatch: pytest.MonkeyPatch) -> type[SampleSettings]:
    """Let the sample's settings take the place of a notebook's."""
    monkeypatch.setitem(SETTINGS, NAME, SampleSettings)
    return SampleSettings
