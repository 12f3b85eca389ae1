"""Where a process stands among those that train together, as torchrun, Slurm or we say it."""

import pytest

from course_utils.errors import SettingsError
from course_utils.processes import Place, Surroundings, find_place

TORCHRUN = {
    "RANK": "5",
    "WORLD_SIZE": "8",
    "LOCAL_RANK": "1",
    "LOCAL_WORLD_SIZE": "4",
    "MASTER_ADDR": "node-a",
    "MASTER_PORT": "29500",
}
SLURM = {
    "SLURM_STEP_NUM_TASKS": "8",
    "SLURM_STEP_NUM_NODES": "2",
    "SLURM_PROCID": "6",
    "SLURM_LOCALID": "2",
    "SLURM_NODELIST": "gpu[07-08]",
    "SLURM_JOB_ID": "123456",
}


def test_alone_unless_somebody_started_several():
    assert find_place({}, None, None) is None
    assert find_place({"SLURM_NTASKS": "8", "SLURM_PROCID": "0"}, None, None) is None, "a batch script is no task"
    assert find_place({"SLURM_STEP_NUM_TASKS": "1"}, 2, None) is None


def test_torchrun_says_where():
    place = find_place(TORCHRUN, None, None, patience=7)
    assert place == Place(5, 8, 1, 4, "node-a", 29500, 7)
    assert place.num_nodes == 2
    assert find_place(TORCHRUN, 4, 2) == Place(5, 8, 1, 4, "node-a", 29500)


def test_slurm_says_where(monkeypatch):
    for name, value in SLURM.items():
        monkeypatch.setenv(name, value)
    place = find_place(SLURM, None, None)
    assert (place.rank, place.num_processes, place.local_rank, place.num_local) == (6, 8, 2, 4)
    assert place.address == "gpu07"
    assert 10_000 < place.port < 65_536


def test_fabric_hears_the_same():
    around = Surroundings(find_place(TORCHRUN, None, None))
    assert around.creates_processes_externally
    assert (around.global_rank(), around.local_rank(), around.node_rank(), around.world_size()) == (5, 1, 1, 8)
    assert (around.main_address, around.main_port) == ("node-a", 29500)


@pytest.mark.parametrize(
    ("changes", "devices", "nodes", "sentence"),
    [
        ({}, 2, None, "--devices is 2, but this process was started as one of 8, 4 on each of 2 machines"),
        ({}, None, 3, "--nodes is 3, but this process was started as one of 8"),
        ({"RANK": "8"}, None, None, "process 8 of 8 .* can't be: processes are counted from 0"),
        ({"RANK": "x"}, None, None, "the variable RANK must be a whole number, got 'x'"),
        ({"LOCAL_WORLD_SIZE": "3"}, None, None, "8 processes do not make machines with 3 each"),
    ],
)
def test_what_does_not_fit_is_told(changes, devices, nodes, sentence):
    with pytest.raises(SettingsError, match=sentence):
        find_place({**TORCHRUN, **changes}, devices, nodes)


def test_a_meeting_point_is_needed():
    with pytest.raises(SettingsError, match="MASTER_ADDR and MASTER_PORT not"):
        find_place({"RANK": "0", "WORLD_SIZE": "2"}, None, None)
