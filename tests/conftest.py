"""What holds for all tests: how long one may take, and which stay together when several workers share them (-n)."""

import os
import re

import pytest
from hypothesis import settings

from course_utils.running.notebooks import DEPENDS_ON

# how long an example takes says how busy the machine is, not whether the code is right
settings.register_profile("course", deadline=None)
settings.load_profile("course")

if "PYTEST_XDIST_WORKER_COUNT" in os.environ:  # workers share the cores; torch reads this when it is imported
    share = (os.cpu_count() or 1) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, share)))

TOGETHER = {  # tests that share what takes minutes to make, and so a worker: a smoke run, a JupyterLab, a site
    "smoke run": rf"test_(runner|pretraining|executed_copies)\.py|test_nbval\.py.*\[({'|'.join(DEPENDS_ON)})\]",
    "browser": r"tests/browser/",
}
LONG = r"test_nbval\.py|tests/faults/|tests/running/test_(sweeps|runs|execution)\.py|tests/pretraining/"


def group_of(nodeid):
    """Return the name of the group that a test is in: one of those above, itself, or its file."""
    for name, pattern in TOGETHER.items():
        if re.search(pattern, nodeid):
            return name
    return nodeid if "test_nbval.py" in nodeid else nodeid.split("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give each group to one worker."""
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return group_of(nodeid)

    return ByGroup(config, log)


def pytest_collection_modifyitems(items):
    """Put what takes minutes first, so that no worker is left with it at the end."""
    names = [*TOGETHER]
    items.sort(key=lambda item: [group_of(item.nodeid) != name for name in names] + [not re.search(LONG, item.nodeid)])
