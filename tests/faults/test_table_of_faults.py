"""The table in README.md is true as far as a program can tell: each test that it names is there."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
NAMED = re.findall(r"`([\w/]+\.py)::(\w+)`", (TESTS / "faults" / "README.md").read_text(encoding="utf-8"))


def test_each_test_that_is_named_is_there():
    assert len(NAMED) > 20
    missing = [f"{file}::{name}" for file, name in NAMED if f"def {name}(" not in (TESTS / file).read_text()]
    assert missing == []


def test_each_test_of_faults_is_named():
    here = re.findall(r"^def (test_\w+)\(", (TESTS / "faults" / "test_faults.py").read_text(encoding="utf-8"), re.M)
    assert set(here) <= {name for _, name in NAMED}
