"""Contrastive losses of large batches in little memory: the table of similarities is made a few rows at a time."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from course_utils.pretext.contrastive import check_loss, check_rivals, join_views


def chunked_multi_view(
    projections: Sequence[Tensor],
    temperature: float,
    loss: str = "dcl",
    *,
    normalize: bool = True,
    chunk_size: int = 1024,
    anchors: range | None = None,
) -> Tensor:
    """Return what `contrastive.multi_view` does, values and gradients, without ever holding all similarities.

    With KN views, the plain way keeps several tables of KN × KN numbers: 17 GB each for 65,536 views in float32. Here
    each view's row of similarities is made, used for the loss and for its gradient, and dropped, `chunk_size` rows at a
    time. Memory is chunk_size · KN numbers and a few times the projections; the work is the same, as the gradient is
    made in the same pass (nothing is computed twice, but there is no second derivative).

    Args:
        projections: as for `multi_view`; in a process group, what `gathering.gather_views` returns.
        temperature: divides the similarities; above 0.
        loss: "nt_xent" or "dcl".
        normalize: compare by cosine; False: by the plain product.
        chunk_size: rows at a time; decides about memory and, if it is small, speed, not about the result.
        anchors: the images whose views are to tell their partners; None for all. The loss is the mean over these; the
            views of all images are rivals. Processes that take their own share each (`gathering.own_images`) compute no
            row twice.

    Shape: K times (batch, dim) → scalar, in float32 or wider.

    Raises:
        ValueError: as for `multi_view`; a chunk of no rows; anchors that are none or not among the images.
    """
    check_loss(loss)
    joined = join_views(projections, temperature, normalize)
    num_images = len(projections[0])
    check_rivals(num_images)
    chosen = range(num_images) if anchors is None else anchors
    if chunk_size < 1:
        raise ValueError(f"chunk_size must be at least 1 row, got {chunk_size}")
    if len(chosen) == 0 or not (min(chosen) >= 0 and max(chosen) < num_images):
        raise ValueError(f"anchors must be some of the {num_images} images, counted from 0, got {chosen}")
    images = torch.arange(chosen.start, chosen.stop, chosen.step, device=joined.device)
    rows = torch.cat([images + first for first in range(0, len(joined), num_images)])  # (K · anchors,)
    value: Tensor = _RowByRow.apply(joined, rows, num_images, temperature, loss, chunk_size)
    return value


class _RowByRow(torch.autograd.Function):
    """The mean over some rows, and its gradient by hand.

    For an anchor i with partners j, similarities s, and rivals R = logsumexp over other images' views,
    NT-Xent is the mean over j of log(e^R + e^s_ij) − s_ij. Its derivative by s_ij is −w_j / (K − 1) with
    w_j = e^R / (e^R + e^s_ij), and by a rival's s_ik it is e^(s_ik − R) · mean w. For DCL, w is 1.
    """

    @staticmethod
    def forward(
        ctx: Any, joined: Tensor, rows: Tensor, num_images: int, temperature: float, loss: str, chunk_size: int
    ) -> Tensor:
        table = joined.detach()
        wanted = ctx.needs_input_grad[0]
        gradient = torch.zeros_like(table) if wanted else None
        total = table.new_zeros(())
        offsets = torch.arange(0, len(table), num_images, device=table.device)  # (K,): 0 is the view itself
        with torch.autocast(table.device.type, enabled=False):  # half precision can't hold exponents of 1/temperature
            for chunk in rows.split(chunk_size):
                siblings = (chunk[:, None] + offsets) % len(table)  # (chunk, K): itself, then its partners
                total += _add_rows(table, chunk, siblings, temperature, loss, gradient)
        num_terms = len(rows)
        if gradient is not None:
            ctx.save_for_backward(gradient.div_(num_terms * temperature))
        return total / num_terms

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return slope * gradient, None, None, None, None, None


def _add_rows(
    table: Tensor, chunk: Tensor, siblings: Tensor, temperature: float, loss: str, gradient: Tensor | None
) -> Tensor:
    """Return the summed loss of some rows of the table, and add their part to the gradient.

    The chunk's similarities (chunk, KN) are gone before the next chunk's are made.
    """
    similarities = (table[chunk] @ table.T).div_(temperature)
    value, slopes = _rows_loss(similarities, siblings, loss, gradient is not None)
    if gradient is not None:
        gradient.addmm_(slopes.T, table[chunk])
        gradient.index_add_(0, chunk, slopes @ table)
    return value


def _rows_loss(similarities: Tensor, siblings: Tensor, loss: str, wanted: bool) -> tuple[Tensor, Tensor]:
    """Return the rows' summed loss and, in place of the similarities, its derivative by each if that is wanted.

    Shape: similarities (rows, KN), siblings (rows, K) with the view itself first → scalar, (rows, KN).
    """
    partners = siblings[:, 1:]
    attractions = similarities.gather(1, partners)  # (rows, K−1)
    # a view is not its own negative, nor are its partners: no logit, no gradient
    similarities.scatter_(1, siblings, -torch.inf)
    highest = similarities.amax(dim=1, keepdim=True)
    shares = similarities.sub_(highest).exp_()
    sums = shares.sum(dim=1, keepdim=True)
    negatives = highest + sums.log()  # (rows, 1)
    rivals = torch.logaddexp(negatives, attractions) if loss == "nt_xent" else negatives
    value = (rivals - attractions).mean(dim=1).sum()
    if wanted:
        pulls = (negatives - rivals).exp().expand_as(attractions)  # w, (rows, K−1)
        shares.mul_(pulls.mean(dim=1, keepdim=True) / sums)
        shares.scatter_(1, partners, -pulls / partners.shape[1])
    return value, shares
