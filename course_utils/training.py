"""The one training loop: pretext tasks and baselines differ only in the loss they hand to `fit`."""

import math
import pickle
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

from course_utils.errors import CourseError
from course_utils.paths import replacing
from course_utils.progress import progress

T = TypeVar("T")
STEPS_BETWEEN_READINGS = 10  # reading a loss waits for the device, so it is done now and then
SECONDS_BETWEEN_CHECKPOINTS = 15.0


@dataclass(frozen=True)
class Step:
    """What a loss function is told: which examples, its source of chance, how far training is."""

    indices: Tensor  # (batch,) int64, on the CPU
    generator: torch.Generator
    progress: float  # share of the steps done, in [0, 1)

    def stage(self, stages: Sequence[T]) -> T:
        """Return which of the stages training is in; each takes an equal share of the steps."""
        return stages[int(self.progress * len(stages))]


LossFunction = Callable[[nn.Module, Step], dict[str, Tensor]]
"""Called with the model to use and the step; returns scalars, of which "loss" is minimized and all are recorded."""

Callback = Callable[[int], dict[str, float]]
"""Called with the number of epochs (or steps) done; returns measurements to keep in the history."""


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
) -> History:
    """Train `model` in place: shuffled batches, warm-up and cosine a step, checkpoints that resume exactly.

    A last batch that is not full is left out of its epoch, for batch norm and contrastive losses need full ones.

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

    Raises:
        ValueError: a size that makes no sense, or a batch larger than the data.
        CourseError: the loss is no longer finite.
    """
    plan = _Plan.make(num_examples, num_epochs, num_steps, batch_size, seed, warmup)
    run = _Run(model, list(optimizers), torch.Generator().manual_seed(seed))
    model.to(fabric.device)
    if checkpoint is not None and checkpoint.exists():
        run.load(checkpoint, plan.identity(identity))
    wrapped, *wrapped_optimizers = fabric.setup(model, *optimizers)
    saved_at = time.monotonic()
    with progress(plan.num_steps, title, done=run.step) as shown:
        while run.step < plan.num_steps:
            row = run.take_step(plan, compute_loss, wrapped, wrapped_optimizers, fabric)
            shown.update(note=f"loss {row['loss']:.3f}" if row else "")
            if callback is not None and plan.is_pause(run.step, callback_steps):
                epoch: float = run.step / plan.steps_per_epoch if callback_steps else run.step // plan.steps_per_epoch
                measured = callback(run.step if callback_steps else int(epoch))
                run.history.epochs.append({"epoch": epoch, "step": run.step, **measured})
            if checkpoint is not None and time.monotonic() - saved_at > SECONDS_BETWEEN_CHECKPOINTS:
                run.save(checkpoint, plan.identity(identity))
                saved_at = time.monotonic()
    if checkpoint is not None:
        run.save(checkpoint, plan.identity(identity))
    return run.history


def warmup_cosine(step: int, num_steps: int, warmup: float) -> float:
    """Return the share of the peak learning rate at `step`: a linear rise, then half a cosine down to zero."""
    num_warmup = warmup * num_steps
    if step < num_warmup:
        return (step + 1) / (num_warmup + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - num_warmup) / max(num_steps - num_warmup, 1)))


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
            raise ValueError(
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
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        order = torch.randperm(self.num_examples, generator=generator)
        return order[position * self.batch_size : (position + 1) * self.batch_size]

    def identity(self, settings: str) -> str:
        return f"{self} {settings}"


@dataclass
class _Run:
    """The moving parts of a training run: all that a checkpoint must hold."""

    model: nn.Module
    optimizers: list[Optimizer]
    generator: torch.Generator
    step: int = 0
    history: History = field(default_factory=History)
    unread: list[dict[str, Tensor]] = field(default_factory=list)
    peaks: list[list[float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.peaks = [[group["lr"] for group in optimizer.param_groups] for optimizer in self.optimizers]

    def take_step(
        self, plan: _Plan, compute_loss: LossFunction, model: nn.Module, optimizers: list[Any], fabric: Fabric
    ) -> dict[str, float]:
        """Do one step; return the last measurements read, or an empty row before the first reading."""
        started = time.monotonic()
        self._set_learning_rates(warmup_cosine(self.step, plan.num_steps, plan.warmup))
        model.train()
        measured = compute_loss(model, Step(plan.indices(self.step), self.generator, self.step / plan.num_steps))
        for optimizer in optimizers:
            optimizer.zero_grad()
        fabric.backward(measured["loss"])
        for optimizer in optimizers:
            optimizer.step()
        self.unread.append({name: value.detach() for name, value in measured.items()})
        self.step += 1
        if self.step % STEPS_BETWEEN_READINGS == 0 or self.step == plan.num_steps:
            self._read()
        self.history.seconds += time.monotonic() - started
        return self.history.steps[-1] if self.history.steps else {}

    def _set_learning_rates(self, share: float) -> None:
        for optimizer, peaks in zip(self.optimizers, self.peaks, strict=True):
            for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                group["lr"] = peak * share

    def _read(self) -> None:
        first = self.step - len(self.unread) + 1
        for offset, measured in enumerate(self.unread):
            row = {name: value.item() for name, value in measured.items()}
            if not math.isfinite(row["loss"]):
                raise CourseError(
                    f"training stopped: the loss is {row['loss']} at step {first + offset}; "
                    "a smaller learning rate or more warm-up usually helps"
                )
            self.history.steps.append({"step": first + offset, **row})
        self.unread.clear()

    def save(self, path: Path, identity: str) -> None:
        self._read()
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
        """Go on from the state at `path`, unless it belongs to other settings or can't be read."""
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError):
            return  # written whole, so this is a stranger's file: start from scratch and replace it
        if state.get("identity") != identity:
            return
        self.model.load_state_dict(state["model"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.generator.set_state(state["generator"])
        torch.set_rng_state(state["global_generator"])
        self.step = state["step"]
        self.history = History(**state["history"], resumed_at=self.step)
