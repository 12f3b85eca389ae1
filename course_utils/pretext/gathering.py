"""Contrastive losses over several processes: every view's rivals are the views of all processes' images."""

from collections.abc import Sequence

import torch
import torch.distributed as dist
from torch import Tensor

from course_utils.teamwork import count_processes, gather, put_in_row


def gather_views(projections: Sequence[Tensor]) -> list[Tensor]:
    """Return the projections of all processes, through which gradients flow back to where they came from.

    The losses are used as ever: `multi_view(gather_views(projections), temperature)`. Without a process group, or with
    one process, the projections come back as they are.

    Why the gradients are right. Every process computes the loss L of the joined batch, the same value. On the way back,
    process r receives the sum over all W processes of ∂L/∂z_r, which is W times the gradient of one process. PyTorch's
    `DistributedDataParallel` (and fabric, which uses it) averages the parameters' gradients over the processes, that
    is, it divides by W, so what the optimizer sees is the gradient of one process with the joined batch. The same holds
    where each process takes the mean over its own anchors only (`own_images`), for the mean of these losses is L.
    Without an average over processes, gradients are W times too large.

    What is not equal: batch norm, which sees its own process's images only, unless it is synchronized
    (`models.synced_batch_norm`).

    A process that has more or fewer images than the others would make all wait forever, so the sizes are compared
    first, each time: three numbers a process.

    Args:
        projections: one tensor for each of the K views; row i of all comes from image i. All processes must call.

    Shape: K times (batch, dim) → K times (processes · batch, dim); process r's images are `own_images(batch)` there.

    Raises:
        ValueError: on every process, if the sizes differ somewhere.
    """
    if count_processes() == 1:
        return list(projections)
    _check_sizes(projections)
    stacked = torch.stack(list(projections), dim=1)  # (batch, K, dim): one message instead of K
    return list(put_in_row(stacked).flatten(0, 1).unbind(dim=1))


def own_images(num_images: int) -> range:
    """Return which images of the joined batch are this process's, if each has `num_images` of them."""
    first = num_images * (dist.get_rank() if count_processes() > 1 else 0)
    return range(first, first + num_images)


def _check_sizes(projections: Sequence[Tensor]) -> None:
    """Compare the sizes of all processes, so that all of them raise the same error or none does.

    On a GPU this waits for the device once a step.
    """
    shapes = {tuple(z.shape) for z in projections}
    whole = len(shapes) == 1 and projections[0].ndim == 2
    mine = [len(projections), *projections[0].shape] if whole else [0, 0, 0]
    device = projections[0].device if projections else None
    sizes = [size.tolist() for size in gather(torch.tensor(mine, device=device))]
    if any(size != sizes[0] or not size[0] for size in sizes):
        raise ValueError(
            f"all processes need projections of one size, but {_list_sizes(sizes)}: give each process as many images, "
            "and leave out a last batch that is not full"
        )


def _list_sizes(sizes: Sequence[Sequence[int]]) -> str:
    words = [
        f"process {rank} has {views} views of {images} images in {dim} numbers" if views else f"process {rank} has none"
        for rank, (views, images, dim) in enumerate(sizes)
    ]
    return ", ".join(words)
