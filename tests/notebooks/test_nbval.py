"""Every notebook, cell by cell, with the smoke parameters; cells tagged nbval-check-output also give what they show."""

import shutil
import subprocess
import sys

import nbformat
import papermill
import pytest

from course_utils.paths import notebooks_dir
from course_utils.running.notebooks import DEPENDS_ON, discover
from course_utils.running.profiles import read_profile

PROFILES = notebooks_dir() / "profiles"
NOTEBOOKS = discover(notebooks_dir())


def prepare(notebook, folder):
    """Write a copy with the smoke parameters, whose results stay in `folder`."""
    copy = folder / notebook.path.name
    parameters = read_profile("smoke", PROFILES).values.get(notebook.name, {})
    papermill.execute_notebook(
        notebook.path, copy, {**parameters, "RUN_DIR": str(folder / "run")}, prepare_only=True, progress_bar=False
    )
    content = nbformat.read(copy, as_version=4)
    for number, cell in enumerate(content.cells):
        if cell.get("outputs"):
            cell.execution_count = number  # nbval wants one where an output is kept, nbstripout takes it away
    nbformat.write(content, copy)
    return copy


@pytest.mark.notebook
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.name)
def test_every_cell_runs(notebook, tmp_path, offline, request):
    if notebook.name in DEPENDS_ON:  # it wants encoders: those of the smoke run
        shutil.copytree(request.getfixturevalue("smoke_run").folder / "encoders", tmp_path / "run" / "encoders")
    copy = prepare(notebook, tmp_path)
    options = ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=300", "-p", "no:cacheprovider", "-q"]
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, copy.name],
        cwd=tmp_path,
        env=offline,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    num_code_cells = sum(cell["cell_type"] == "code" for cell in nbformat.read(copy, as_version=4).cells)
    assert f"{num_code_cells} passed" in done.stdout
    assert (tmp_path / "run" / "records" / f"{notebook.name}.json").exists()


@pytest.mark.notebook
def test_offline_means_offline(tmp_path, offline):
    code = "import socket; socket.create_connection(('93.184.216.34', 80), 1)"
    done = subprocess.run([sys.executable, "-c", code], env=offline, capture_output=True, text=True)
    assert "the tests run offline, but something wanted 93.184.216.34" in done.stderr
