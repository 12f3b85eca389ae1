"""Missing frames: predict the middle of a clip from both sides, or the next frame from those before."""

from typing import Literal

import torch
from torch import Tensor

Task = Literal["middle", "next"]
TASKS: tuple[Task, ...] = ("middle", "next")


def split_clip(frames: Tensor, task: Task) -> tuple[Tensor, Tensor]:
    """Return what is shown and what is to be predicted.

    Shape: (N, T, C, H, W) → shown (N, T − 1, C, H, W), in their order, and the missing frame (N, C, H, W).

    Raises:
        ValueError: an unknown task, or there are fewer than 3 frames or, for the middle, an even number.
    """
    missing = missing_place(frames.shape[1], task)
    shown = torch.cat([frames[:, :missing], frames[:, missing + 1 :]], dim=1)
    return shown, frames[:, missing]


def missing_place(num_frames: int, task: Task) -> int:
    """Return which frame is missing, counted from 0.

    Raises:
        ValueError: as for `split_clip`.
    """
    if task not in TASKS:
        raise ValueError(f"task must be one of {', '.join(TASKS)}, got {task!r}")
    if num_frames < 3 or (task == "middle" and num_frames % 2 == 0):
        kind = "an odd number of at least 3 frames" if task == "middle" else "at least 3 frames"
        raise ValueError(f"predicting the {task} frame needs {kind}, got {num_frames}")
    return num_frames // 2 if task == "middle" else num_frames - 1


def frame_loss(predicted: Tensor, missing: Tensor) -> Tensor:
    """Return the mean squared error over all pixels; shapes (N, C, H, W) twice → scalar.

    Raises:
        ValueError: the shapes differ.
    """
    if predicted.shape != missing.shape:
        raise ValueError(f"a prediction of shape {tuple(predicted.shape)} for a frame of {tuple(missing.shape)}")
    return (predicted.float() - missing.float()).square().mean()


def copy_last(shown: Tensor, task: Task) -> Tensor:
    """Return the frame right before the missing one, (N, T − 1, C, H, W) → (N, C, H, W)."""
    return shown[:, missing_place(shown.shape[1] + 1, task) - 1]


def average_neighbors(shown: Tensor, task: Task) -> Tensor:
    """Return the average of the two frames nearest to the missing one: around the middle, or the last two.

    Shape: (N, T − 1, C, H, W) → (N, C, H, W).
    """
    after = missing_place(shown.shape[1] + 1, task)
    nearest = shown[:, after - 1 : after + 1] if task == "middle" else shown[:, -2:]
    return nearest.mean(dim=1)


def go_on(shown: Tensor, task: Task) -> Tensor:
    """Return what each pixel would be if it went on as it did: the middle of its way, or a step further; in [0, 1].

    For the middle frame this is `average_neighbors`. Shape: (N, T − 1, C, H, W) → (N, C, H, W).
    """
    if task == "middle":
        return average_neighbors(shown, task)
    return (2 * shown[:, -1] - shown[:, -2]).clamp(0, 1)
