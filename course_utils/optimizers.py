"""Optimizers by name: AdamW and SGD from torch, and Muon for matrices and convolution kernels."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer

OPTIMIZER_NAMES = ("muon", "adamw", "sgd")
# the quintic of Jordan et al.'s Muon: pushes all singular values towards 1 in a few steps
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)


class KernelMuon(Optimizer):
    """Muon for convolution kernels: orthogonalized momentum on each kernel flattened to (out, in · k · k).

    Every direction of the update gets about the same size, so that rare directions are learned as fast as
    common ones (Jordan et al. 2024). A kernel is followed by batch norm, which ignores its scale, so it is kept
    at Frobenius norm √out; that makes the learning rate a fraction of the kernel's size. torch.optim.Muon
    takes matrices only and works in bfloat16, which many CPUs lack.

    Args:
        params: parameters of two or more dimensions, the first one the output's.
        lr: step size, about 0.1 here.
        momentum: of the Nesterov kind, in [0, 1).
        steps: Newton–Schulz steps.
    """

    def __init__(self, params: Iterable[nn.Parameter], lr: float = 0.1, momentum: float = 0.9, steps: int = 4) -> None:
        if not lr > 0:
            raise ValueError(f"lr must be above 0, got {lr}")
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum must be in [0, 1), got {momentum}")
        super().__init__(params, {"lr": lr, "momentum": momentum, "steps": steps})
        for parameter in (p for group in self.param_groups for p in group["params"]):
            if parameter.ndim < 2:
                raise ValueError(f"Muon takes matrices and kernels, got a parameter of shape {tuple(parameter.shape)}")

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Move every kernel that has a gradient."""
        for group in self.param_groups:
            moved = [kernel for kernel in group["params"] if kernel.grad is not None]
            if moved:
                updates = self._updates(moved, group["momentum"])
                self._move(moved, orthogonalize_all(updates, group["steps"]), group["lr"])

    def _updates(self, kernels: list[Tensor], momentum: float) -> list[Tensor]:
        """Return Nesterov's momentum of each kernel as a matrix (out, in · k · k)."""
        for kernel in kernels:
            if "velocity" not in self.state[kernel]:
                self.state[kernel]["velocity"] = torch.zeros_like(kernel)
        velocities = [self.state[kernel]["velocity"] for kernel in kernels]
        gradients = [kernel.grad for kernel in kernels if kernel.grad is not None]
        torch._foreach_mul_(velocities, momentum)
        torch._foreach_add_(velocities, gradients)
        updates = torch._foreach_add(gradients, velocities, alpha=momentum)
        return [update.flatten(start_dim=1) for update in updates]

    def _move(self, kernels: list[Tensor], directions: list[Tensor], lr: float) -> None:
        """Step along orthogonal directions, (out, in · k · k) each."""
        norms = torch._foreach_norm(kernels)
        torch._foreach_add_(norms, 1e-7)
        torch._foreach_div_(kernels, norms)
        torch._foreach_mul_(kernels, [len(kernel) ** 0.5 for kernel in kernels])
        steps = [direction.view(kernel.shape) for direction, kernel in zip(directions, kernels, strict=True)]
        torch._foreach_add_(kernels, steps, alpha=-lr)


class MatrixMuon(KernelMuon):
    """Muon for a transformer's matrices (Jordan et al. 2024), as torch.optim.Muon but in the parameters' own precision.

    A matrix is free to grow, so that one that starts at zero can: the step for (out, in) is lr · √max(1, out / in)
    times an orthogonal matrix.

    Args:
        params: matrices.
        lr: step size, about 0.02 here.
        momentum: of the Nesterov kind, in [0, 1).
        steps: Newton–Schulz steps.
    """

    def __init__(
        self, params: Iterable[nn.Parameter], lr: float = 0.02, momentum: float = 0.95, steps: int = 5
    ) -> None:
        super().__init__(params, lr, momentum, steps)

    def _move(self, kernels: list[Tensor], directions: list[Tensor], lr: float) -> None:
        for weight, direction in zip(kernels, directions, strict=True):
            rows, columns = direction.shape
            weight.add_(direction.view(weight.shape), alpha=-lr * max(1.0, rows / columns) ** 0.5)


def orthogonalize_all(matrices: Sequence[Tensor], steps: int = 4) -> list[Tensor]:
    """Return for each roughly the nearest orthogonal matrix: the same singular vectors, singular values near 1.

    Newton–Schulz multiplies X by polynomials in S = XXᵀ, and these commute, so they are gathered on the short
    side and X is multiplied once. Small matrices cost calls rather than sums: those with short sides of one length
    are taken together.

    Shape: (rows, columns) each → the same.
    """
    wide = [matrix.T if matrix.shape[0] > matrix.shape[1] else matrix for matrix in matrices]
    results: dict[int, Tensor] = {}
    for rows in dict.fromkeys(len(matrix) for matrix in wide):
        members = [number for number, matrix in enumerate(wide) if len(matrix) == rows]
        grams = torch.stack([wide[number] @ wide[number].T for number in members])  # (members, rows, rows)
        norms = grams.diagonal(dim1=1, dim2=2).sum(dim=1).sqrt_().add_(1e-7)[:, None, None]  # Frobenius: tr XXᵀ
        factors = _newton_schulz_factors(grams.div_(norms.square()), steps) / norms
        for number, factor in zip(members, factors, strict=True):
            results[number] = factor @ wide[number]
    return [
        results[number].T if matrix.shape[0] > matrix.shape[1] else results[number]
        for number, matrix in enumerate(matrices)
    ]


def _newton_schulz_factors(grams: Tensor, steps: int) -> Tensor:
    """Return what Newton–Schulz multiplies X by, given S = XXᵀ.

    Shape: (members, rows, rows) → the same.
    """
    a, b, c = NEWTON_SCHULZ
    gathered: Tensor | None = None
    for step in range(steps):
        factors = torch.baddbmm(grams, grams, grams, beta=b, alpha=c)  # bS + cS²
        factors.diagonal(dim1=1, dim2=2).add_(a)
        gathered = factors if gathered is None else factors @ gathered
        if step < steps - 1:
            grams = factors @ grams @ factors
    return torch.eye(grams.shape[1]).to(grams).expand_as(grams) if gathered is None else gathered


def make_optimizers(
    model: nn.Module, name: str, learning_rate: float, *, weight_decay: float = 1e-4, adamw_lr: float = 5e-3
) -> list[Optimizer]:
    """Return the optimizers that together move all of the model's parameters.

    Norms' and biases' parameters are not decayed.

    Args:
        model: what to train.
        name: "muon" (kernels by Muon, the rest by AdamW at `adamw_lr`), "adamw" or "sgd" (Nesterov, 0.9).
        learning_rate: of the named optimizer.
        weight_decay: of the matrices that AdamW or SGD moves.

    Raises:
        ValueError: an unknown name.
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    if name == "muon":
        kernels = [p for p in parameters if p.ndim == 4]
        others = [p for p in parameters if p.ndim != 4]
        muon = [KernelMuon(kernels, learning_rate)] if kernels else []
        return [*muon, AdamW(_decay_groups(others, weight_decay), adamw_lr, fused=True)]
    if name == "adamw":
        return [AdamW(_decay_groups(parameters, weight_decay), learning_rate, fused=True)]
    if name == "sgd":
        return [SGD(_decay_groups(parameters, weight_decay), learning_rate, momentum=0.9, nesterov=True)]
    raise ValueError(f"unknown optimizer {name!r}: choose one of {', '.join(OPTIMIZER_NAMES)}")


def make_matrix_optimizers(
    model: nn.Module,
    matrices: Iterable[nn.Parameter],
    learning_rate: float,
    *,
    adamw_lr: float = 3e-3,
    embeddings: Iterable[nn.Parameter] = (),
    embedding_lr: float = 3e-2,
) -> list[Optimizer]:
    """Return Muon for a transformer's matrices and AdamW, without decay, for all its other parameters.

    Args:
        model: what to train.
        matrices: moved by Muon.
        learning_rate: of Muon.
        adamw_lr: of the rest.
        embeddings: of the rest, those that learn at `embedding_lr`: a word's vector gets a gradient only where the word
            stands, and one that moves as slowly as the rest hardly leaves its random start.
        embedding_lr: of these.
    """
    by_muon, fast = list(matrices), list(embeddings)
    known = {id(parameter) for parameter in [*by_muon, *fast]}
    others = [parameter for parameter in model.parameters() if id(parameter) not in known]
    groups = [{"params": others, "lr": adamw_lr}, *([{"params": fast, "lr": embedding_lr}] if fast else [])]
    return [MatrixMuon(by_muon, learning_rate), AdamW(groups, adamw_lr, betas=(0.9, 0.95), weight_decay=0.0)]


def _decay_groups(parameters: list[nn.Parameter], weight_decay: float) -> list[dict[str, Any]]:
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]
