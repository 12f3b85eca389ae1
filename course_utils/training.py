"""The one training loop: pretext tasks and baselines differ only in the loss they hand to `fit`."""

import math
import pickle
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

from course_utils.errors import CourseError, SettingsError
from course_utils.models.synced_batch_norm import synchronize_batch_norm
from course_utils.paths import replacing
from course_utils.progress import progress
from course_utils.teamwork import Team, minding_the_others

T = TypeVar("T")
STEPS_BETWEEN_READINGS = 10  # reading a loss waits for the device, so it is done now and then
SECONDS_BETWEEN_CHECKPOINTS = 15.0


@dataclass(frozen=True)
class Step:
    """What a loss function is told: which examples, its source of chance, how far training is.

    Where several processes share a batch, each gets a part of its examples, and the generator is at the same place in
    all of them: draw for the whole batch, and use what `positions` picks. Then the draws are those of one process.
    """

    indices: Tensor  # (batch / processes,) int64, on the CPU: this process's examples
    generator: torch.Generator
    progress: float  # share of the steps done, in [0, 1)
    batch: Tensor | None = None  # (batch,) int64: all processes' examples; None: they are `indices`
    rank: int = 0  # this process's number
    examples: Tensor | None = None  # what `fit`'s `read` gave for `indices`; None: there was nothing to read

    @property
    def whole(self) -> Tensor:
        """The examples of the whole batch, (batch,) int64."""
        return self.indices if self.batch is None else self.batch

    @property
    def num_processes(self) -> int:
        """How many processes share the batch."""
        return len(self.whole) // len(self.indices)

    def positions(self, copies: int = 1) -> Tensor:
        """Return where this process's examples stand in the whole batch, which is repeated `copies` times.

        Shape: → (copies · batch / processes,) int64; copy 0 of all examples, then copy 1, and so on.
        """
        own = torch.arange(len(self.indices)) + self.rank * len(self.indices)
        return (own + len(self.whole) * torch.arange(copies)[:, None]).flatten()

    def stage(self, stages: Sequence[T]) -> T:
        """Return which of the stages training is in; each takes an equal share of the steps."""
        return stages[int(self.progress * len(stages))]


LossFunction = Callable[[nn.Module, Step], dict[str, Tensor]]
"""Called with the model to use and the step; returns scalars, of which "loss" is minimized and all are recorded."""

Callback = Callable[[int], dict[str, float]]
"""Called with the number of epochs (or steps) done; returns measurements to keep in the history."""


Reader = Callable[[Iterable[Tensor]], Generator[Tensor, None, None]]
"""Called once, with this process's indices of each step, (batch / processes,) int64; yields the examples of each.

It is closed when training ends, however it ends."""


class Stopped(Exception):  # noqa: N818 - nothing went wrong
    """Training was asked to stop: its state is saved, where there is a checkpoint.

    Args:
        step: how many steps were done.
    """

    def __init__(self, step: int) -> None:
        super().__init__(f"stopped after step {step}")
        self.step = step


@dataclass
class History:
    """What happened in training, as plain rows."""

    steps: list[dict[str, float]] = field(default_factory=list)
    epochs: list[dict[str, float]] = field(default_factory=list)
    seconds: float = 0.0  # spent in steps, callbacks not counted
    resumed_at: int = 0  # the step that a checkpoint brought us to; 0: from scratch

    def column(self, name: str) -> list[float]:
        """Return one measurement of every step (or, if steps don't have it, of every epoch)."""
        rows = self.steps if self.steps and name in self.steps[0] else self.epochs
        return [row[name] for row in rows]


def fit(
    model: nn.Module,
    compute_loss: LossFunction,
    *,
    num_examples: int,
    num_epochs: int = 0,
    num_steps: int = 0,
    batch_size: int,
    optimizers: Sequence[Optimizer],
    fabric: Fabric,
    seed: int,
    warmup: float = 0.1,
    callback: Callback | None = None,
    callback_steps: int = 0,
    checkpoint: Path | None = None,
    identity: str = "",
    title: str = "training",
    seconds_between_checkpoints: float | None = None,
    stop: Callable[[], bool] | None = None,
    compiled: bool = False,
    read: Reader | None = None,
) -> History:
    """Train `model` in place: shuffled batches, warm-up and cosine a step, checkpoints that resume exactly.

    A last batch that is not full is left out of its epoch, for batch norm and contrastive losses need full ones.

    A fabric of several processes (launched) makes each of them take its part of every batch; batch norm then sees the
    whole batch, gradients are averaged, and process 0 writes and shows progress. What a checkpoint holds does not
    depend on their number, so that a run goes on with another one. All processes call the callback, which must not
    write anywhere but in process 0.

    Args:
        model: everything that is trained (encoder and head); moved to fabric's device.
        compute_loss: see `LossFunction`; it must draw from the step's generator only.
        num_examples: how many examples `Step.indices` counts.
        num_epochs: how often each example is seen; or instead
        num_steps: how many batches are, where epochs are too long to count in.
        batch_size: examples a step.
        optimizers: their present learning rates are the peaks of the schedule.
        fabric: device and precision.
        seed: decides order and views; together with `identity` it names what a checkpoint belongs to.
        warmup: share of the steps over which learning rates rise.
        callback: see `Callback`; called after each epoch, or
        callback_steps: after each so many steps and after the last one (an epoch is then a share).
        checkpoint: where to keep the state every 15 seconds; a state found there is gone on from. The caller
            deletes it once the result is safe.
        identity: settings in one string; a checkpoint of other settings is not used.
        title: for the progress bar.
        seconds_between_checkpoints: other than 15.
        stop: asked after every step; once it is true in one process, all save and stop.
        compiled: whether `torch.compile` makes the model faster, after some time.
        read: where examples are not in memory, reads those of `Step.indices` ahead; see `Reader`.

    Raises:
        ValueError: a size that makes no sense.
        SettingsError: a batch larger than the data or that can't be shared equally, or processes were started with
            different things.
        CourseError: the loss is no longer finite.
        LostProcessError: another process ended, or does not answer.
        Stopped: `stop` said so; the state is saved.
    """
    plan = _Plan.make(num_examples, num_epochs, num_steps, batch_size, seed, warmup)
    check_shares(batch_size, fabric.world_size)
    with minding_the_others(fabric.world_size, "in training"):
        team = Team.of(fabric)
        team.agree("number of training examples", num_examples)
        team.agree("set of parameters", plan.identity(identity))
        run = _Run(model, list(optimizers), torch.Generator().manual_seed(seed), team)
        model.to(fabric.device)
        if team.size > 1:
            synchronize_batch_norm(model, fabric.device)
        if checkpoint is not None:
            run.load(checkpoint, plan.identity(identity))
        quick: Any = torch.compile(model) if compiled else model
        wrapped, *wrapped_optimizers = fabric.setup(quick, *optimizers)
        saving = _Saving(run, checkpoint, plan.identity(identity), seconds_between_checkpoints, stop)
        with ExitStack() as stack, progress(plan.num_steps, title, done=run.step, shown=team.leads) as shown:
            if read is not None:
                order = (team.share(plan.indices(step)) for step in range(run.step, plan.num_steps))
                run.examples = stack.enter_context(closing(read(order)))
            while run.step < plan.num_steps:
                row = run.take_step(plan, compute_loss, wrapped, wrapped_optimizers, fabric)
                shown.update(note=f"loss {row['loss']:.3f}" if row else "")
                if callback is not None and plan.is_pause(run.step, callback_steps):
                    run.history.epochs.append(_measure(callback, plan, run.step, callback_steps))
                saving.look()
        saving.save()
    return run.history


def check_shares(batch_size: int, num_processes: int) -> None:
    """Make sure that each process gets as large a part of a batch as the others.

    Raises:
        SettingsError: it can't.
    """
    if batch_size % num_processes or batch_size < num_processes:
        nearest = max(batch_size // num_processes, 1) * num_processes
        raise SettingsError(
            f"BATCH_SIZE is shared by all processes and must be a multiple of their number, {num_processes}, got "
            f"{batch_size}: {nearest} would do"
        )


def warmup_cosine(step: int, num_steps: int, warmup: float) -> float:
    """Return the share of the peak learning rate at `step`: a linear rise, then half a cosine down to zero."""
    num_warmup = warmup * num_steps
    if step < num_warmup:
        return (step + 1) / (num_warmup + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - num_warmup) / max(num_steps - num_warmup, 1)))


def _measure(callback: Callback, plan: "_Plan", step: int, callback_steps: int) -> dict[str, float]:
    epoch: float = step / plan.steps_per_epoch if callback_steps else step // plan.steps_per_epoch
    measured = callback(step if callback_steps else int(epoch))
    return {"epoch": epoch, "step": step, **measured}


@lru_cache(maxsize=2)  # whoever reads ahead is in the next epoch first
def _draw_order(num_examples: int, seed: int) -> Tensor:
    """Return an epoch's order, kept for all of its steps: a million examples take a fortieth of a second."""
    return torch.randperm(num_examples, generator=torch.Generator().manual_seed(seed))


@dataclass(frozen=True)
class _Plan:
    num_examples: int
    batch_size: int
    steps_per_epoch: int
    num_steps: int
    seed: int
    warmup: float

    @classmethod
    def make(
        cls, num_examples: int, num_epochs: int, num_steps: int, batch_size: int, seed: int, warmup: float
    ) -> "_Plan":
        if num_steps and num_epochs:
            raise ValueError(f"give num_epochs or num_steps, not both, got {num_epochs} and {num_steps}")
        length = ("num_steps", num_steps) if num_steps else ("num_epochs", num_epochs)
        for name, value in (length, ("batch_size", batch_size)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        if batch_size > num_examples:
            raise SettingsError(
                f"batch_size {batch_size} is larger than the {num_examples} training examples: make it smaller"
            )
        steps_per_epoch = num_examples // batch_size
        whole = num_steps or steps_per_epoch * num_epochs
        return cls(num_examples, batch_size, steps_per_epoch, whole, seed, warmup)

    def is_pause(self, step: int, callback_steps: int) -> bool:
        """Tell whether the callback is due after so many steps."""
        return step % (callback_steps or self.steps_per_epoch) == 0 or (step == self.num_steps and callback_steps > 0)

    def indices(self, step: int) -> Tensor:
        """Return the examples of a step, (batch,); each epoch has its own order, a function of the seed."""
        epoch, position = divmod(step, self.steps_per_epoch)
        order = _draw_order(self.num_examples, self.seed * 1_000_003 + epoch)
        return order[position * self.batch_size : (position + 1) * self.batch_size]

    def identity(self, settings: str) -> str:
        return f"{self} {settings}"


@dataclass
class _Run:
    """The moving parts of a training run: all that a checkpoint must hold."""

    model: nn.Module
    optimizers: list[Optimizer]
    generator: torch.Generator
    team: Team = field(default_factory=Team)
    step: int = 0
    history: History = field(default_factory=History)
    unread: list[dict[str, Tensor]] = field(default_factory=list)
    peaks: list[list[float]] = field(default_factory=list)
    examples: Iterator[Tensor] | None = None  # of the steps to come; in no checkpoint

    def __post_init__(self) -> None:
        self.peaks = [[group["lr"] for group in optimizer.param_groups] for optimizer in self.optimizers]

    def take_step(
        self, plan: _Plan, compute_loss: LossFunction, model: nn.Module, optimizers: list[Any], fabric: Fabric
    ) -> dict[str, float]:
        """Do one step; return the last measurements read, or an empty row before the first reading."""
        started = time.monotonic()
        self._set_learning_rates(warmup_cosine(self.step, plan.num_steps, plan.warmup))
        model.train()
        batch, team = plan.indices(self.step), self.team
        examples = next(self.examples) if self.examples is not None else None
        step = Step(team.share(batch), self.generator, self.step / plan.num_steps, batch, team.rank, examples)
        measured = compute_loss(model, step)
        for optimizer in optimizers:
            optimizer.zero_grad()
        fabric.backward(measured["loss"])
        for optimizer in optimizers:
            optimizer.step()
        self.unread.append({name: value.detach() for name, value in measured.items()})
        self.step += 1
        if self.step % STEPS_BETWEEN_READINGS == 0 or self.step == plan.num_steps:
            self.read()
        self.history.seconds += time.monotonic() - started
        return self.history.steps[-1] if self.history.steps else {}

    def _set_learning_rates(self, share: float) -> None:
        for optimizer, peaks in zip(self.optimizers, self.peaks, strict=True):
            for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                group["lr"] = peak * share

    def read(self) -> None:
        """Take what the last steps measured into the history; of several processes, their mean."""
        first = self.step - len(self.unread) + 1
        for offset, row in enumerate(self._mean_rows()):
            if not math.isfinite(row["loss"]):
                raise CourseError(
                    f"training stopped: the loss is {row['loss']} at step {first + offset}; "
                    "a smaller learning rate or more warm-up usually helps"
                )
            self.history.steps.append({"step": first + offset, **row})
        self.unread.clear()

    def _mean_rows(self) -> list[dict[str, float]]:
        if self.team.size == 1 or not self.unread:
            return [{name: value.item() for name, value in measured.items()} for measured in self.unread]
        names = list(self.unread[0])
        table = torch.stack([torch.stack([measured[name].double() for name in names]) for measured in self.unread])
        return [dict(zip(names, row, strict=True)) for row in self.team.mean(table).tolist()]

    def save(self, path: Path, identity: str) -> None:
        """Write the state, whole or not at all; nothing in it tells how many processes there were."""
        state = {
            "identity": identity,
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "generator": self.generator.get_state(),
            "global_generator": torch.get_rng_state(),
            "step": self.step,
            "history": {
                "steps": self.history.steps,
                "epochs": self.history.epochs,
                "seconds": self.history.seconds,
            },
        }
        with replacing(path) as temporary:
            torch.save(state, temporary)

    def load(self, path: Path, identity: str) -> None:
        """Go on from the state at `path` that process 0 sees, unless it is of other settings or can't be read."""
        state = self.team.tell(_read_state(path) if self.team.leads else None)
        if state is None or state.get("identity") != identity:
            return
        self.model.load_state_dict(state["model"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.generator.set_state(state["generator"])
        torch.set_rng_state(state["global_generator"])
        self.step = state["step"]
        self.history = History(**state["history"], resumed_at=self.step)


def _read_state(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError):
        return None  # written whole, so this is a stranger's file: start from scratch and replace it
    return state


@dataclass
class _Saving:
    """When the state is saved, and by whom."""

    run: _Run
    path: Path | None
    identity: str
    seconds: float | None
    stop: Callable[[], bool] | None
    saved_at: float = field(default_factory=time.monotonic)

    def look(self) -> None:
        """After a step: save if it is time, stop if one of the processes was asked to.

        Raises:
            Stopped: one was.
        """
        seconds = SECONDS_BETWEEN_CHECKPOINTS if self.seconds is None else self.seconds
        is_due = self.path is not None and self.run.team.leads and time.monotonic() - self.saved_at > seconds
        is_due, is_asked = self.run.team.any(is_due, self.stop is not None and self.stop())
        if is_due or is_asked:
            self.save()
        if is_asked:
            raise Stopped(self.run.step)

    def save(self) -> None:
        """Save; all processes take part, and go on when it is done."""
        if self.path is None:
            return
        self.run.read()
        if self.run.team.leads:
            self.run.save(self.path, self.identity)
        self.run.team.wait()
        self.saved_at = time.monotonic()
