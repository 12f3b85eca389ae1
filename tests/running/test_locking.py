import os
import subprocess
import sys

import pytest

from course_utils.errors import CourseError
from course_utils.running.locking import locked

HOLD = """
import sys, pathlib
from course_utils.running.locking import locked
with locked(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_folder_is_held_by_one_process_and_free_when_it_is_killed(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(CourseError, match=rf"another `course run` \(process {other.pid}\) works in"):
            locked(tmp_path).__enter__()
        other.kill()
        other.wait()
    with locked(tmp_path):
        assert (tmp_path / ".lock").read_text() == str(os.getpid())


def test_a_folder_can_be_held_again_and_again(tmp_path):
    for _ in range(2):
        with locked(tmp_path / "new"):
            pass


def test_a_folder_that_cant_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CourseError, match=r"can't write to .*file.run: .*; choose another folder with --name"):
        locked(tmp_path / "file" / "run").__enter__()
