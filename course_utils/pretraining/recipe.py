"""What a pretraining is made of: everything that `fit` needs, and what is kept of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from course_utils.training import History, LossFunction, Step
from course_utils.views import ViewSettings, apply_draws, draw_views


@dataclass(frozen=True)
class Pretraining:
    """A notebook's pretraining, ready to begin.

    Args:
        name: of its checkpoint and of the encoder's file, as in the notebook.
        model: what is trained.
        compute_loss: see `fit`; right for any number of processes.
        options: `fit`'s other arguments, but for those that the command decides.
        keep: measures what the notebook measures of it, and writes the encoder; called in process 0 when all is done.
    """

    name: str
    model: nn.Module
    compute_loss: LossFunction
    options: Mapping[str, Any]
    keep: Callable[[History], None]


def share_of_views(images: Tensor, settings: ViewSettings, step: Step, copies: int = 1) -> Tensor:
    """Return views of this process's images, drawn as one process would draw those of the whole batch.

    Alone it is `simclr_views(images.repeat(copies, 1, 1, 1), settings, step.generator)`.

    Args:
        images: of the step's `indices`, uint8.
        settings: see `ViewSettings`.
        step: whose generator draws.
        copies: views of each image.

    Shape: (N, 3, H, W) → (copies · N, 3, size, size), copy by copy.
    """
    height, width = images.shape[2:]
    draws = draw_views(copies * len(step.whole), height, width, settings, step.generator)
    return apply_draws(images.repeat(copies, 1, 1, 1), draws.take(step.positions(copies)), settings.size)


def weigh(mean: Tensor, own: Tensor, whole: Tensor, step: Step) -> Tensor:
    """Return this process's mean over its places, weighted so that the processes' mean is the mean over all places.

    Processes are asked for different numbers of words, so the plain mean of their means would be another loss.

    Args:
        mean: over the places that this process was asked for, a scalar.
        own: which these are, bool.
        whole: the same of the whole batch, bool.
        step: knows how many processes there are.
    """
    if step.num_processes == 1:
        return mean
    return mean * (own.sum() * step.num_processes).to(mean.dtype) / torch.clamp(whole.sum(), min=1)
