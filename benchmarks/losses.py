"""The contrastive loss, forward and backward, against lightly's."""

import math

import torch
from lightly.loss import NTXentLoss

from benchmarks.timing import Comparison, DisagreementError, compare_seconds
from course_utils.devices import make_fabric
from course_utils.pretext.contrastive import nt_xent

NUM_IMAGES, DIM, TEMPERATURE = 256, 128, 0.1


def nt_xent_vs_lightly() -> Comparison:
    """Both in float32, on the projections of 256 images' two views."""
    generator = torch.Generator().manual_seed(0)
    device = make_fabric().device
    z_a, z_b = (torch.randn(NUM_IMAGES, DIM, generator=generator).to(device).requires_grad_() for _ in range(2))
    peer_loss = NTXentLoss(temperature=TEMPERATURE)
    values = (nt_xent(z_a, z_b, TEMPERATURE).item(), peer_loss(z_a, z_b).item())
    if not math.isclose(*values, rel_tol=1e-4):
        raise DisagreementError(f"NT-Xent is {values[0]} by our function and {values[1]} by lightly's")

    def ours() -> int:
        torch.autograd.grad(nt_xent(z_a, z_b, TEMPERATURE), (z_a, z_b))
        return 1

    def peer() -> int:
        torch.autograd.grad(peer_loss(z_a, z_b), (z_a, z_b))
        return 1

    return compare_seconds("nt_xent_vs_lightly", ours, peer, package="lightly")
