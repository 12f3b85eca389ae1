"""Contrastive losses: each view must find its partner among the views of all other images."""

import math

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
    similarities, partner = _similarities(projections_a, projections_b, temperature, normalize)
    return F.cross_entropy(similarities, partner)


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
    if len(projections_a) < 2:
        raise ValueError(f"the decoupled loss needs at least 2 images, got {len(projections_a)}")
    similarities, partner = _similarities(projections_a, projections_b, temperature, normalize)
    attraction = similarities.gather(1, partner[:, None])[:, 0]  # (2 batch,)
    negatives = similarities.scatter(1, partner[:, None], -torch.inf)
    return (negatives.logsumexp(dim=1) - attraction).mean()


def chance_loss(loss: str, num_images: int) -> float:
    """Return the loss in nats of a model that can't tell views apart, for "nt_xent" or "dcl"."""
    return math.log(2 * num_images - 1 if loss == "nt_xent" else 2 * num_images - 2)


def contrastive_accuracy(projections_a: Tensor, projections_b: Tensor, *, normalize: bool = True) -> Tensor:
    """Return the share of views whose most similar other view is their partner, a scalar in [0, 1]."""
    similarities, partner = _similarities(projections_a, projections_b, 1.0, normalize)
    return (similarities.argmax(dim=1) == partner).float().mean()


def _similarities(
    projections_a: Tensor, projections_b: Tensor, temperature: float, normalize: bool
) -> tuple[Tensor, Tensor]:
    """Return (2N, 2N) similarities over temperature, −∞ on the diagonal, and each row's partner (2N,)."""
    if projections_a.ndim != 2 or projections_a.shape != projections_b.shape:
        shapes = f"{tuple(projections_a.shape)} and {tuple(projections_b.shape)}"
        raise ValueError(f"projections must be two tensors of one shape (batch, dim), got {shapes}")
    if len(projections_a) == 0:
        raise ValueError("projections must hold at least one image, got an empty batch")
    if not temperature > 0:
        raise ValueError(f"temperature must be above 0, got {temperature}")
    projections = torch.cat([projections_a, projections_b])  # (2N, dim)
    if projections.dtype in (torch.float16, torch.bfloat16):
        projections = projections.float()  # exponents of 1/temperature overflow in half precision
    if normalize:
        projections = F.normalize(projections, dim=1)
    similarities = projections @ projections.T / temperature
    # a view is not its own negative: mask its logit, so that no gradient passes through it
    similarities = similarities.masked_fill(
        torch.eye(len(projections), dtype=torch.bool, device=projections.device), -torch.inf
    )
    num_images = len(projections_a)
    partner = torch.arange(2 * num_images, device=projections.device).roll(num_images)
    return similarities, partner
