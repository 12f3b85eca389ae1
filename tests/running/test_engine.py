"""How often a notebook is saved while it is executed; what a kernel does has its tests in test_execution.py."""

import json
from types import SimpleNamespace

import nbformat
import pytest

from course_utils.running import engine
from course_utils.running.engine import SparingManager


@pytest.fixture
def clock(monkeypatch):
    """Take the place of time; a test turns it on."""
    hands = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(engine, "time", SimpleNamespace(monotonic=lambda: hands.now))
    return hands


@pytest.fixture
def notebook(make_notebook):
    content = nbformat.read(make_notebook("05_x", *["x = 1"] * 10), 4)
    content.metadata["papermill"] = {}
    return content


def statuses(path):
    return [cell["metadata"]["papermill"]["status"] for cell in json.loads(path.read_text())["cells"]]


def test_quick_cells_are_saved_once_a_second_and_all_at_the_end(clock, notebook, tmp_path):
    path = tmp_path / "out.ipynb"
    manager = SparingManager(notebook, output_path=str(path), progress_bar=False)
    manager.notebook_start()
    assert set(statuses(path)) == {"pending"}
    seen = set()
    for index, cell in enumerate(notebook.cells):
        manager.cell_start(cell, index)
        clock.now += 0.3
        manager.cell_complete(cell, index)
        seen.add(statuses(path).count("completed"))
    assert seen == {0, 4, 8, 12}, "every fourth cell ends more than a second after the last save"
    manager.notebook_complete()
    assert set(statuses(path)) == {"completed"}


def test_a_longer_cell_finds_what_came_before_it_saved(clock, notebook, tmp_path):
    path = tmp_path / "out.ipynb"
    manager = SparingManager(notebook, output_path=str(path), progress_bar=False)
    manager.notebook_start()
    manager.cell_start(notebook.cells[0], 0)
    manager.cell_complete(notebook.cells[0], 0)
    manager.cell_start(notebook.cells[1], 1)
    assert set(statuses(path)) == {"pending"}
    clock.now += 1.0
    saving = manager.save_soon()
    saving.send(None)  # it sleeps no longer than now
    with pytest.raises(StopIteration):
        saving.send(None)
    assert statuses(path)[:3] == ["completed", "running", "pending"]


def test_a_disk_that_is_full_in_between_is_told_by_the_last_save(clock, notebook, tmp_path):
    manager = SparingManager(notebook, output_path=str(tmp_path / "out.ipynb"), progress_bar=False)
    manager.notebook_start()
    manager.output_path = str(tmp_path / "gone" / "out.ipynb")
    clock.now += 1.0
    saving = manager.save_soon()
    saving.send(None)
    with pytest.raises(StopIteration):
        saving.send(None)
    with pytest.raises(OSError, match="gone"):
        manager.notebook_complete()
