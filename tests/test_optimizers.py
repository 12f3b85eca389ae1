"""Optimizers: Muon against a singular value decomposition, groups, errors."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from course_utils.models.vision import build_encoder
from course_utils.optimizers import (
    NEWTON_SCHULZ,
    KernelMuon,
    MatrixMuon,
    make_matrix_optimizers,
    make_optimizers,
    orthogonalize_all,
)


def slow_newton_schulz(matrix: torch.Tensor, steps: int) -> torch.Tensor:
    """Jordan et al. 2024: X ← aX + b(XXᵀ)X + c(XXᵀ)²X, from X of Frobenius norm 1."""
    a, b, c = NEWTON_SCHULZ
    x = matrix / matrix.norm()
    for _ in range(steps):
        x = a * x + b * x @ x.T @ x + c * x @ x.T @ x @ x.T @ x
    return x


@settings(deadline=None, max_examples=30)
@given(rows=st.integers(1, 12), columns=st.integers(1, 12), steps=st.integers(1, 5), seed=st.integers(0, 1000))
def test_orthogonalize_equals_the_slow_iteration(rows, columns, steps, seed):
    matrix = torch.randn(rows, columns, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    [found] = orthogonalize_all([matrix], steps)
    torch.testing.assert_close(found, slow_newton_schulz(matrix, steps), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [(16, 27), (32, 288), (128, 64)])
def test_orthogonalize_keeps_singular_vectors_and_evens_the_values(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    rotated = u.T @ orthogonalize_all([matrix], 5)[0] @ v.T
    values = rotated.diagonal()
    assert values.min() > 0.5
    assert values.max() < 1.3
    assert (rotated - values.diag()).abs().max() < 1e-3


def test_first_step_of_muon():
    kernel = nn.Parameter(torch.randn(8, 4, 3, 3, generator=torch.Generator().manual_seed(0)))
    before = kernel.detach().clone()
    optimizer = KernelMuon([kernel], lr=0.1, momentum=0.9)
    gradient = torch.randn(8, 4, 3, 3, generator=torch.Generator().manual_seed(1))
    kernel.grad = gradient.clone()
    optimizer.step()
    expected = before * 8**0.5 / before.norm() - 0.1 * slow_newton_schulz(gradient.flatten(1), 4).view(8, 4, 3, 3)
    torch.testing.assert_close(kernel.detach(), expected, rtol=1e-4, atol=1e-4)


def test_muon_learns_a_linear_map():
    generator = torch.Generator().manual_seed(0)
    target = torch.randn(6, 6, generator=generator)
    target *= 6**0.5 / target.norm()  # Muon keeps this norm
    weight = nn.Parameter(torch.randn(6, 6, generator=generator))
    optimizer = KernelMuon([weight], lr=0.1)
    for step in range(200):
        optimizer.param_groups[0]["lr"] = 0.1 * (1 - step / 200) + 1e-4
        optimizer.zero_grad()
        (weight - target).square().sum().backward()
        optimizer.step()
    assert (weight - target).norm() < 0.05 * target.norm()


@pytest.mark.parametrize("name", ["muon", "adamw", "sgd"])
def test_every_parameter_is_moved_once_and_norms_are_not_decayed(name):
    model = nn.Sequential(build_encoder("compact", [0.5] * 3, [0.2] * 3), nn.Linear(128, 10))
    groups = [group for optimizer in make_optimizers(model, name, 0.1) for group in optimizer.param_groups]
    moved = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(moved) == sorted(id(parameter) for parameter in model.parameters())
    for group in groups:
        if any(parameter.ndim <= 1 for parameter in group["params"]):
            assert group["weight_decay"] == 0
            assert all(parameter.ndim <= 1 for parameter in group["params"])


def test_muon_takes_the_kernels():
    model = build_encoder("compact", [0.5] * 3, [0.2] * 3)
    muon, _ = make_optimizers(model, "muon", 0.1)
    assert isinstance(muon, KernelMuon)
    assert all(parameter.ndim == 4 for parameter in muon.param_groups[0]["params"])


def test_wrong_input_is_named():
    weight = nn.Parameter(torch.zeros(3, 3))
    with pytest.raises(ValueError, match="unknown optimizer 'muom': choose one of muon"):
        make_optimizers(nn.Linear(2, 2), "muom", 0.1)
    with pytest.raises(ValueError, match="lr must be above 0, got 0"):
        KernelMuon([weight], lr=0)
    with pytest.raises(ValueError, match=r"momentum must be in \[0, 1\), got 1"):
        KernelMuon([weight], momentum=1)
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        KernelMuon([nn.Parameter(torch.zeros(3))])


@pytest.mark.parametrize("shape", [(8, 8), (24, 8), (8, 24)])
def test_muon_for_matrices_goes_where_torchs_goes(shape):
    """torch's works in bfloat16, whose three digits are the tolerance; it starts at zero, as residual branches do."""
    generator = torch.Generator().manual_seed(0)
    ours, theirs = (nn.Parameter(torch.zeros(shape)) for _ in range(2))
    optimizers = MatrixMuon([ours], lr=0.02), torch.optim.Muon([theirs], lr=0.02, weight_decay=0.0, momentum=0.95)
    for _ in range(5):
        gradient = torch.randn(shape, generator=generator)
        for weight, optimizer in zip((ours, theirs), optimizers, strict=True):
            weight.grad = gradient.clone()
            optimizer.step()
    assert ours.detach().norm() > 0.02
    torch.testing.assert_close(ours.detach(), theirs.detach(), rtol=0.1, atol=2e-3)


def test_every_parameter_has_one_optimizer():
    model = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 3), nn.Linear(3, 2))
    muon, adamw = make_matrix_optimizers(model, [model[1].weight], 0.02, adamw_lr=0.003)
    assert [p for group in muon.param_groups for p in group["params"]] == [model[1].weight]
    moved = [id(p) for group in adamw.param_groups for p in group["params"]]
    assert sorted(moved) == sorted(id(p) for p in model.parameters() if p is not model[1].weight)
    assert (muon.param_groups[0]["lr"], adamw.param_groups[0]["lr"]) == (0.02, 0.003)
    options = {"adamw_lr": 0.003, "embeddings": [model[0].weight], "embedding_lr": 0.03}
    _, adamw = make_matrix_optimizers(model, [model[1].weight], 0.02, **options)
    assert [group["lr"] for group in adamw.param_groups] == [0.003, 0.03]
    assert [id(p) for p in adamw.param_groups[1]["params"]] == [id(model[0].weight)]
    assert sum(len(group["params"]) for group in adamw.param_groups) == 4
