"""Words between the processes that train one network, and what it means when one falls silent."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from lightning_fabric import Fabric
from torch import Tensor
from torch.autograd.function import once_differentiable

from course_utils.errors import LostProcessError, SettingsError

# how gloo, NCCL and their store say that somebody does not answer
NOTICED = "another of the"  # begins the sentence of a process that only noticed a loss
_SILENCE = re.compile(r"gloo|nccl|connection (closed|reset|refused)|timed? ?out|TCPStore|broken pipe", re.I)


@dataclass(frozen=True)
class Team:
    """The processes that share each batch; alone, every question is answered at once.

    Args:
        rank: this process's number, from 0.
        size: how many there are.
        group: torch's name for them where they speak on the CPU.
    """

    rank: int = 0
    size: int = 1
    group: Any = None

    @classmethod
    def of(cls, fabric: Fabric) -> "Team":
        """Return the team of a fabric that was launched; all its processes call this at the same time."""
        if fabric.world_size == 1:
            return cls()
        group = None  # all, on the CPU already
        if dist.get_backend() != "gloo":
            timeout = getattr(fabric.strategy, "_timeout", None) or timedelta(minutes=30)
            group = dist.new_group(backend="gloo", timeout=timeout)
        return cls(fabric.global_rank, fabric.world_size, group)

    @property
    def leads(self) -> bool:
        """Whether this process is the one that writes, logs and shows progress."""
        return self.rank == 0

    def any(self, *facts: bool) -> list[bool]:
        """Return for each fact whether it is true in one of the processes."""
        if self.size == 1:
            return list(facts)
        told = torch.tensor(facts, dtype=torch.int32)
        dist.all_reduce(told, dist.ReduceOp.MAX, group=self.group)
        return [bool(fact) for fact in told.tolist()]

    def mean(self, values: Tensor) -> Tensor:
        """Return the processes' mean of each value; shape as it was, on the CPU, in float64."""
        values = values.detach().to("cpu", torch.float64)
        if self.size > 1:
            dist.all_reduce(values, group=self.group)
        return values / self.size

    def share(self, batch: Tensor) -> Tensor:
        """Return this process's part of a batch that divides by the team's size: no two parts overlap."""
        length = len(batch) // self.size
        return batch[self.rank * length : (self.rank + 1) * length]

    def tell(self, news: Any) -> Any:
        """Return what process 0 has to say."""
        if self.size == 1:
            return news
        told = [news]
        dist.broadcast_object_list(told, src=0, group=self.group)
        return told[0]

    def agree(self, what: str, value: Any) -> None:
        """Make sure that a value is the same in all processes.

        Raises:
            SettingsError: it isn't; the same sentence in every process.
        """
        values = [value]
        if self.size > 1:
            values = [None] * self.size
            dist.all_gather_object(values, value, group=self.group)
        for rank, other in enumerate(values):
            if other != values[0]:
                raise SettingsError(
                    f"process {rank} has another {what} than process 0 ({other} and {values[0]}): give all processes "
                    "the same data, parameters and version of the course"
                )

    def wait(self) -> None:
        """Wait until all are here."""
        self.any(True)


@contextmanager
def minding_the_others(team_size: int, when: str) -> Iterator[None]:
    """Say in one sentence that another process is gone, where torch would say it in many.

    Args:
        team_size: how many processes there are; with one, nothing is changed.
        when: what was being done, such as "in training".

    Raises:
        LostProcessError: another process ended, hangs or can't be reached.
    """
    try:
        yield
    except RuntimeError as error:
        if team_size == 1 or not is_silence(error):
            raise
        raise LostProcessError(
            f"{NOTICED} {team_size} processes was lost {when}: see what it said; the same command goes on from "
            "the last checkpoint, with any number of processes"
        ) from error


def is_silence(error: BaseException) -> bool:
    """Tell whether an error of torch means that another process does not answer."""
    return isinstance(error, dist.DistError) or (
        isinstance(error, RuntimeError) and _SILENCE.search(str(error)) is not None
    )


class _Gather(torch.autograd.Function):
    """(…) → (processes, …); back, each process gets the sum of all processes' gradients for its own row."""

    @staticmethod
    def forward(ctx: Any, mine: Tensor) -> Tensor:
        return torch.stack(gather(mine))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, everyones: Tensor) -> Tensor:
        summed = everyones.contiguous().clone()
        dist.all_reduce(summed)  # a reduce-scatter sends half as much, but not every backend has it
        return summed[dist.get_rank()]


def count_processes() -> int:
    """Return how many processes work together; 1 without a process group."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def gather(mine: Tensor) -> list[Tensor]:
    """Return all processes' tensors, in rank order, without gradients; shapes must agree."""
    everyones = [torch.empty_like(mine, memory_format=torch.contiguous_format) for _ in range(count_processes())]
    dist.all_gather(everyones, mine.contiguous())
    return everyones


def put_in_row(values: Tensor) -> Tensor:
    """Return all processes' tensors, in rank order, through which gradients flow back to where they came from.

    A process receives the sum of what all processes' losses ask of its tensor, which is what the averaging of
    DistributedDataParallel wants. (torch.distributed.nn.functional does the same and is deprecated.)

    Shape: any, the same in all processes → (processes, …).
    """
    if count_processes() == 1:
        return values[None]
    row: Tensor = _Gather.apply(values)
    return row
