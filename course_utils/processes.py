"""Several processes that train one network: which of them this one is, and how it hears of the others."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning_fabric.plugins.environments.slurm import SLURMEnvironment

from course_utils.errors import SettingsError

PATIENCE = 40.0  # seconds
ALONE = "127.0.0.1"


@dataclass(frozen=True)
class Place:
    """One process's place among those that train together.

    Args:
        rank: its number among all, from 0; number 0 writes, logs and shows progress.
        num_processes: how many there are on all machines.
        local_rank: its number on its machine.
        num_local: how many there are on each machine.
        address, port: where number 0 waits for the others.
        patience: seconds that it waits for another process before it gives up.

    Raises:
        SettingsError: numbers that do not fit together.
    """

    rank: int = 0
    num_processes: int = 1
    local_rank: int = 0
    num_local: int = 1
    address: str = ALONE
    port: int = 0
    patience: float = PATIENCE

    def __post_init__(self) -> None:
        if not (0 <= self.rank < self.num_processes and 0 <= self.local_rank < self.num_local):
            raise SettingsError(
                f"process {self.rank} of {self.num_processes} (number {self.local_rank} of {self.num_local} on its "
                "machine) can't be: processes are counted from 0, so check RANK, WORLD_SIZE and LOCAL_RANK"
            )
        if self.num_processes % self.num_local:
            raise SettingsError(
                f"{self.num_processes} processes do not make machines with {self.num_local} each: start as many on "
                "every machine"
            )

    @property
    def num_nodes(self) -> int:
        """How many machines there are."""
        return self.num_processes // self.num_local


class Surroundings(ClusterEnvironment):
    """A `Place` in the words of lightning-fabric, which then starts no processes of its own."""

    def __init__(self, place: Place) -> None:
        self.place = place

    @property
    def creates_processes_externally(self) -> bool:
        """They are there already."""
        return True

    @property
    def main_address(self) -> str:
        """Where process 0 waits."""
        return self.place.address

    @property
    def main_port(self) -> int:
        """At which port."""
        return self.place.port

    @staticmethod
    def detect() -> bool:
        """It is given, never guessed."""
        return False

    def world_size(self) -> int:
        """Return the number of processes."""
        return self.place.num_processes

    def set_world_size(self, size: int) -> None:
        """Take in what is known."""

    def global_rank(self) -> int:
        """Return this process's number."""
        return self.place.rank

    def set_global_rank(self, rank: int) -> None:
        """Take in what is known."""

    def local_rank(self) -> int:
        """Return this process's number on its machine."""
        return self.place.local_rank

    def node_rank(self) -> int:
        """Return the machine's number."""
        return self.place.rank // self.place.num_local


def find_place(
    environment: Mapping[str, str], num_devices: int | None, num_nodes: int | None, patience: float = PATIENCE
) -> Place | None:
    """Return this process's place if torchrun, Slurm's srun or we started it as one of several, else None.

    Args:
        environment: its variables.
        num_devices: processes on each machine that the user asked for, None: as many as there are.
        num_nodes: machines that the user asked for, None: as many as there are.
        patience: see `Place`.

    Raises:
        SettingsError: a variable makes no sense, or the user asked for another number.
    """
    place = _from_torchrun(environment) or _from_slurm(environment)
    if place is None:
        return None
    for wanted, there, what in (
        (num_devices, place.num_local, "--devices"),
        (num_nodes, place.num_nodes, "--nodes"),
    ):
        if wanted is not None and wanted != there:
            raise SettingsError(
                f"{what} is {wanted}, but this process was started as one of {place.num_processes}, {place.num_local} "
                f"on each of {place.num_nodes} machines: leave {what} out, or start as many"
            )
    return replace(place, patience=patience)


def _from_torchrun(environment: Mapping[str, str]) -> Place | None:
    if "RANK" not in environment or "WORLD_SIZE" not in environment:
        return None
    missing = [name for name in ("MASTER_ADDR", "MASTER_PORT") if name not in environment]
    if missing:
        raise SettingsError(f"RANK and WORLD_SIZE are set, but {' and '.join(missing)} not: use torchrun, or set both")
    rank, num_processes = _number(environment, "RANK"), _number(environment, "WORLD_SIZE")
    num_local = _number(environment, "LOCAL_WORLD_SIZE", num_processes)
    return Place(
        rank=rank,
        num_processes=num_processes,
        local_rank=_number(environment, "LOCAL_RANK", rank % max(num_local, 1)),
        num_local=num_local,
        address=environment["MASTER_ADDR"],
        port=_number(environment, "MASTER_PORT"),
    )


def _from_slurm(environment: Mapping[str, str]) -> Place | None:
    """Return the place of a task that srun started; a batch script itself is none."""
    if _number(environment, "SLURM_STEP_NUM_TASKS", 1) < 2:
        return None
    slurm = SLURMEnvironment(auto_requeue=False)
    num_processes = _number(environment, "SLURM_STEP_NUM_TASKS")
    return Place(
        rank=_number(environment, "SLURM_PROCID"),
        num_processes=num_processes,
        local_rank=_number(environment, "SLURM_LOCALID"),
        num_local=num_processes // max(_number(environment, "SLURM_STEP_NUM_NODES", 1), 1),
        address=environment.get("MASTER_ADDR") or slurm.main_address,
        port=_number(environment, "MASTER_PORT", slurm.main_port),
    )


def _number(environment: Mapping[str, str], name: str, otherwise: int | None = None) -> int:
    text = environment.get(name)
    if text is None and otherwise is not None:
        return otherwise
    try:
        return int(text or "")
    except ValueError:
        raise SettingsError(f"the variable {name} must be a whole number, got {text!r}") from None
