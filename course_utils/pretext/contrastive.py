"""Contrastive losses: each view must find its partner among the views of all other images."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def nt_xent(projections_a: Tensor, projections_b: Tensor, temperature: float, *, normalize: bool = True) -> Tensor:
    """Return NT-Xent, the loss of SimCLR (Chen et al. 2020, algorithm 1), in nats.

    Each of the 2N views is an anchor: among the 2N−1 others it must pick the other view of its own image.
    Chance is ln(2N−1); one image alone (N = 1) gives exactly zero.

    Args:
        projections_a, projections_b: the two views' projections z; row i of both comes from image i.
        temperature: divides the similarities; above 0.
        normalize: compare by cosine; False: by the plain product, in which lengths count too (their table 5).

    Shape: (batch, dim) twice → scalar, in float32 or wider.

    Raises:
        ValueError: shapes that differ or are not (batch, dim), an empty batch, a temperature not above 0.
    """
    similarities, images = _similarities((projections_a, projections_b), temperature, normalize)
    return F.cross_entropy(similarities, _rows_away(images, len(projections_a))[:, 0])


def decoupled_contrastive(
    projections_a: Tensor, projections_b: Tensor, temperature: float, *, normalize: bool = True
) -> Tensor:
    """Return the decoupled contrastive loss (Yeh et al. 2022, equation 6), in nats.

    NT-Xent without the partner in the denominator: the pull of easy pairs does not fade, which helps small
    batches and short runs. It can be negative; when all views are alike it is ln(2N−2).

    Shape: (batch, dim) twice → scalar, in float32 or wider. Needs two images: one has nothing to be told from.

    Raises:
        ValueError: as for `nt_xent`, and for a batch of one image.
    """
    return multi_view((projections_a, projections_b), temperature, "dcl", normalize=normalize)


def multi_view(
    projections: Sequence[Tensor], temperature: float, loss: str = "dcl", *, normalize: bool = True
) -> Tensor:
    """Return the loss with two or more views of each image: the mean over all pairs of partners, in nats.

    Each view must tell each of its K−1 partners from the K(N−1) views of all other images; its other partners are no
    rivals. With two views it is `nt_xent` or `decoupled_contrastive`. More views of fewer images give more pairs for
    the same work of the encoder (Caron et al. 2020, multi-crop; Fort et al. 2021).

    With several processes, hand it `gathering.gather_views(projections)`. Where the table of all similarities has no
    room in memory, `chunks.chunked_multi_view` computes the same.

    Args:
        projections: one tensor of projections z for each of the K views; row i of all comes from image i.
        temperature: divides the similarities; above 0.
        loss: "nt_xent" (the partner stands in the denominator, too) or "dcl" (it doesn't).
        normalize: compare by cosine; False: by the plain product.

    Shape: K times (batch, dim) → scalar, in float32 or wider. Needs two images: one has nothing to be told from.

    Raises:
        ValueError: fewer than two views or images, shapes that differ, an unknown loss, a temperature not above 0.
    """
    check_loss(loss)
    joined = join_views(projections, temperature, normalize) / temperature**0.5
    num_images = len(projections[0])
    check_rivals(num_images)
    similarities = joined @ joined.T
    views = similarities.view(len(projections), num_images, len(projections), num_images)
    views.diagonal(dim1=1, dim2=3).fill_(-torch.inf)  # an image's own views are no rivals, itself included
    negatives = similarities.logsumexp(dim=1)
    offsets = range(num_images, len(joined), num_images)  # partners stand N, 2N, … rows apart
    attractions = torch.stack([(joined * joined.roll(-offset, dims=0)).sum(dim=1) for offset in offsets])
    rivals = negatives if loss == "dcl" else torch.logaddexp(negatives, attractions)
    return (rivals - attractions).mean()


def chance_loss(loss: str, num_images: int, num_views: int = 2) -> float:
    """Return the loss in nats of a model that can't tell views apart, for "nt_xent" or "dcl"."""
    rivals = num_views * (num_images - 1)
    return math.log(rivals + 1 if loss == "nt_xent" else rivals)


def contrastive_accuracy(projections_a: Tensor, projections_b: Tensor, *, normalize: bool = True) -> Tensor:
    """Return the share of views whose most similar other view is their partner, a scalar in [0, 1]."""
    similarities, images = _similarities((projections_a, projections_b), 1.0, normalize)
    return (images[similarities.argmax(dim=1)] == images).float().mean()


def check_loss(loss: str) -> None:
    """Raise ValueError unless the loss is known."""
    if loss not in ("nt_xent", "dcl"):
        raise ValueError(f"loss must be 'nt_xent' or 'dcl', got {loss!r}")


def check_rivals(num_images: int) -> None:
    """Raise ValueError where there is no other image to be told from."""
    if num_images < 2:
        raise ValueError(f"the loss needs at least 2 images, got {num_images}")


def join_views(projections: Sequence[Tensor], temperature: float, normalize: bool) -> Tensor:
    """Return all views as one table, checked, in float32 or wider and, if asked for, of length 1 each.

    Row k·N + i is view k of image i.

    Shape: K times (batch, dim) → (K · batch, dim).

    Raises:
        ValueError: fewer than two views, shapes that differ, an empty batch, a temperature not above 0.
    """
    shapes = {tuple(z.shape) for z in projections}
    if len(projections) < 2 or len(shapes) != 1 or projections[0].ndim != 2:
        listed = " and ".join(str(tuple(z.shape)) for z in projections)
        raise ValueError(f"projections must be two or more tensors of one shape (batch, dim), got {listed}")
    if len(projections[0]) == 0:
        raise ValueError("projections must hold at least one image, got an empty batch")
    if not temperature > 0:
        raise ValueError(f"temperature must be above 0, got {temperature}")
    joined = torch.cat(list(projections))  # (KN, dim)
    if joined.dtype in (torch.float16, torch.bfloat16):
        joined = joined.float()  # exponents of 1/temperature overflow in half precision
    return F.normalize(joined, dim=1) if normalize else joined


def _rows_away(images: Tensor, offset: int) -> Tensor:
    """Return for each row the number of the row `offset` further on, around the end, (rows, 1)."""
    return torch.arange(len(images), device=images.device).roll(-offset)[:, None]


def _similarities(projections: Sequence[Tensor], temperature: float, normalize: bool) -> tuple[Tensor, Tensor]:
    """Return (KN, KN) similarities over temperature, −∞ on the diagonal, and each row's image (KN,)."""
    joined = join_views(projections, temperature, normalize)
    similarities = joined @ joined.T / temperature
    # a view is not its own negative: mask its logit, so that no gradient passes through it
    similarities = similarities.masked_fill(torch.eye(len(joined), dtype=torch.bool, device=joined.device), -torch.inf)
    images = torch.arange(len(projections[0]), device=joined.device).repeat(len(projections))
    return similarities, images
