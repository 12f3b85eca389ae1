"""Learning from two views without any negatives: what collapses, and SimSiam, which does not (Chen & He 2021)."""

import torch
from torch import Tensor
from torch.nn import functional as F


def attraction(projections_a: Tensor, projections_b: Tensor) -> Tensor:
    """Return minus the mean cosine similarity of partners: a contrastive loss with its negatives taken away.

    Its least value, −1, is reached by a network that answers every image with the same vector.

    Shape: (batch, dim) twice → scalar in [−1, 1], in float32 or wider.

    Raises:
        ValueError: shapes that differ or are not (batch, dim), or an empty batch.
    """
    if projections_a.ndim != 2 or projections_a.shape != projections_b.shape or len(projections_a) == 0:
        shapes = f"{tuple(projections_a.shape)} and {tuple(projections_b.shape)}"
        raise ValueError(f"both must be of one shape (batch, dim) with at least one image, got {shapes}")
    wider = torch.promote_types(projections_a.dtype, torch.float32)
    return -F.cosine_similarity(projections_a.to(wider), projections_b.to(wider), dim=1).mean()


def simsiam(predictions_a: Tensor, predictions_b: Tensor, projections_a: Tensor, projections_b: Tensor) -> Tensor:
    """Return SimSiam's loss (Chen & He 2021, equation 2 and algorithm 1).

    Each view's prediction p must match the other view's projection z, and z stands still: no gradient passes
    through it. That alone keeps the projections from running into one point.

    Args:
        predictions_a, predictions_b: p = predictor(z) of the two views.
        projections_a, projections_b: z of the two views.

    Shape: (batch, dim) four times → scalar in [−1, 1].

    Raises:
        ValueError: as for `attraction`.
    """
    one_way = attraction(predictions_a, projections_b.detach())
    return (one_way + attraction(predictions_b, projections_a.detach())) / 2
