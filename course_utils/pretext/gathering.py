"""Projections of all processes: a contrastive loss takes its negatives from the whole batch, not from one part."""

from collections.abc import Sequence

from torch import Tensor

from course_utils.teamwork import put_in_row


def gather_views(projections: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Return each view's projections of all processes, joined in rank order; gradients flow back to each process.

    Every process computes the loss of the whole batch. The gradients that come back to a process are summed over all
    of these equal losses, and DistributedDataParallel divides by their number: what remains is the gradient of one
    loss on the whole batch, so no factor is needed. Without a process group the projections come back as they are.

    Args:
        projections: one tensor for each view, of the same shape in all processes.

    Shape: K times (batch, dim) → K times (processes · batch, dim).
    """
    return tuple(put_in_row(view).flatten(0, 1) for view in projections)
