"""`course pretrain` is the notebooks' pretraining: it ends with the very weights that the notebooks end with."""

import subprocess
import sys

import pytest
from safetensors.torch import load_file
from torch.testing import assert_close


@pytest.mark.notebook
@pytest.mark.parametrize("task", ["simclr", "rotation", "masked_words"])
def test_the_command_trains_what_the_notebook_trains(task, smoke_run, offline, tmp_path):
    command = [sys.executable, "-m", "course_utils", "pretrain", task, "--profile", "smoke", "--name", str(tmp_path)]
    done = subprocess.run(command, env=offline, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    trained, expected = (
        load_file(folder / "encoders" / f"{task}.safetensors") for folder in (tmp_path, smoke_run.folder)
    )
    assert trained.keys() == expected.keys()
    for name, tensor in expected.items():
        assert_close(trained[name], tensor)
