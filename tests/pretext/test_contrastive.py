"""Contrastive losses against slow loops written from the papers, closed forms and symmetries."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from course_utils.pretext.contrastive import (
    chance_loss,
    contrastive_accuracy,
    decoupled_contrastive,
    multi_view,
    nt_xent,
)


def slow_nt_xent(projections_a: Tensor, projections_b: Tensor, temperature: float) -> float:
    """Algorithm 1 of Chen et al. 2020, line by line, with plain numbers."""
    return _slow(projections_a, projections_b, temperature, partner_in_denominator=True)


def slow_decoupled(projections_a: Tensor, projections_b: Tensor, temperature: float) -> float:
    """Equation 6 of Yeh et al. 2022: the partner is left out of the denominator."""
    return _slow(projections_a, projections_b, temperature, partner_in_denominator=False)


def _slow(projections_a: Tensor, projections_b: Tensor, temperature: float, *, partner_in_denominator: bool) -> float:
    views = [z.tolist() for pair in zip(projections_a, projections_b, strict=True) for z in pair]  # z_2k-1, z_2k

    def similarity(i: int, j: int) -> float:
        dot = sum(p * q for p, q in zip(views[i], views[j], strict=True))
        return dot / (math.hypot(*views[i]) * math.hypot(*views[j]))

    total = 0.0
    for i in range(len(views)):
        j = i ^ 1  # 0 and 1, 2 and 3, … are partners
        others = [k for k in range(len(views)) if k != i and (partner_in_denominator or k != j)]
        denominator = sum(math.exp(similarity(i, k) / temperature) for k in others)
        total += -similarity(i, j) / temperature + math.log(denominator)
    return total / len(views)


LOSSES = [(nt_xent, slow_nt_xent), (decoupled_contrastive, slow_decoupled)]


def draw(num_images: int, dim: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(2, num_images, dim, dtype=torch.float64, generator=generator))


@pytest.mark.parametrize(("fast", "slow"), LOSSES)
@settings(deadline=None, max_examples=40)
@given(
    num_images=st.integers(2, 9),
    dim=st.integers(2, 8),
    temperature=st.floats(0.05, 3),
    seed=st.integers(0, 1000),
)
def test_equals_the_papers_loop(fast, slow, num_images, dim, temperature, seed):
    a, b = draw(num_images, dim, seed)
    assert fast(a, b, temperature).item() == pytest.approx(slow(a, b, temperature), rel=1e-9, abs=1e-9)


def test_one_image_alone_is_told_apart_for_sure():
    a, b = draw(1, 4)
    a.requires_grad_()
    loss = nt_xent(a, b, 0.5)
    loss.backward()
    assert loss.item() == pytest.approx(slow_nt_xent(a.detach(), b, 0.5), abs=1e-12) == 0
    assert torch.equal(a.grad, torch.zeros_like(a))


def test_decoupled_needs_two_images():
    with pytest.raises(ValueError, match="at least 2 images, got 1"):
        decoupled_contrastive(*draw(1, 4), 0.5)


@pytest.mark.parametrize("num_images", [2, 3, 8])
def test_closed_form_of_collapsed_and_of_orthogonal_views(num_images):
    same = torch.ones(num_images, 5)
    assert nt_xent(same, same, 0.1).item() == pytest.approx(math.log(2 * num_images - 1), rel=1e-5)
    assert nt_xent(same, same, 0.1).item() == pytest.approx(chance_loss("nt_xent", num_images), rel=1e-5)
    assert decoupled_contrastive(same, same, 0.1).item() == pytest.approx(chance_loss("dcl", num_images), rel=1e-5)
    apart = torch.eye(num_images, dtype=torch.float64)  # partners equal, all others at a right angle
    expected = -2.0 + math.log(math.exp(2.0) + 2 * num_images - 2)
    assert nt_xent(apart, apart, 0.5).item() == pytest.approx(expected)
    assert contrastive_accuracy(apart, apart).item() == 1


@pytest.mark.parametrize(("fast", "_"), LOSSES)
def test_order_of_images_of_views_and_lengths_of_vectors_do_not_matter(fast, _):
    a, b = draw(7, 5)
    loss = fast(a, b, 0.3)
    order = torch.randperm(7, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(fast(b, a, 0.3), loss)
    torch.testing.assert_close(fast(a[order], b[order], 0.3), loss)
    torch.testing.assert_close(fast(a * 7, b / 3, 0.3), loss)


@pytest.mark.parametrize(("fast", "_"), LOSSES)
def test_gradient_is_the_losses_own(fast, _):
    a, b = (z.requires_grad_() for z in draw(4, 3))
    assert torch.autograd.gradcheck(lambda a, b: fast(a, b, 0.5), (a, b))


def test_no_gradient_through_the_view_itself():
    """Only the pull towards the partner and the push from others: for two images the angle decides, not the norm."""
    a, b = (z.requires_grad_() for z in draw(2, 2))
    nt_xent(a, b, 0.2).backward()
    assert (a.grad * a).sum(dim=1).abs().max() < 1e-12  # gradients are tangent to the sphere


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize(("fast", "_"), LOSSES)
def test_half_precision_is_computed_in_float32(fast, _, dtype):
    a, b = (z.to(dtype) for z in draw(16, 8))
    loss = fast(a, b, 0.01)
    assert loss.dtype == torch.float32
    assert torch.isfinite(loss)
    torch.testing.assert_close(loss, fast(a.float(), b.float(), 0.01))


@pytest.mark.parametrize("loss", [nt_xent, decoupled_contrastive])
def test_wrong_input_is_named(loss):
    a, b = draw(4, 3)
    with pytest.raises(ValueError, match=r"temperature must be above 0, got -1"):
        loss(a, b, -1)
    with pytest.raises(ValueError, match=r"one shape .* got \(4, 3\) and \(3, 3\)"):
        loss(a, b[:3], 0.5)


def test_empty_batch_is_named():
    with pytest.raises(ValueError, match="empty batch"):
        nt_xent(torch.empty(0, 3), torch.empty(0, 3), 0.5)


def test_accuracy_counts_partners_found():
    a = torch.eye(4)
    wrong = a[[1, 0, 2, 3]]  # the first two images' second views are exchanged
    assert contrastive_accuracy(a, wrong).item() == 0.5


@pytest.mark.parametrize("fast", [nt_xent, decoupled_contrastive])
def test_without_normalizing_lengths_count(fast):
    a, b = draw(6, 4)
    on_sphere = [z / z.norm(dim=1, keepdim=True) for z in (a, b)]
    torch.testing.assert_close(fast(*on_sphere, 0.3, normalize=False), fast(a, b, 0.3))
    z = torch.cat([a, b])
    scores = z @ z.T / 2.0
    total = 0.0
    for i in range(12):
        partner = (i + 6) % 12
        others = [scores[i, k].exp() for k in range(12) if k != i and (fast is nt_xent or k != partner)]
        total += (torch.stack(others).sum().log() - scores[i, partner]).item()
    assert fast(a, b, 2.0, normalize=False).item() == pytest.approx(total / 12)


def test_accuracy_without_normalizing():
    a, b = torch.tensor([[1.0, 0.0], [10.0, 1.0]]), torch.tensor([[1.0, 0.1], [10.0, 0.0]])
    assert contrastive_accuracy(a, b, normalize=False).item() == 0.5  # to the short ones, long ones are most alike


def slow_multi_view(views: list[Tensor], temperature: float, loss: str) -> float:
    """Each view against each of its partners, with plain numbers."""
    flat = [(image, view.tolist()) for z in views for image, view in enumerate(z)]

    def similarity(p: list[float], q: list[float]) -> float:
        return sum(x * y for x, y in zip(p, q, strict=True)) / (math.hypot(*p) * math.hypot(*q)) / temperature

    terms = []
    for i, (image, anchor) in enumerate(flat):
        negatives = sum(math.exp(similarity(anchor, other)) for name, other in flat if name != image)
        for j, (name, partner) in enumerate(flat):
            if name == image and i != j:
                pull = similarity(anchor, partner)
                terms.append(math.log(negatives + (math.exp(pull) if loss == "nt_xent" else 0.0)) - pull)
    return sum(terms) / len(terms)


@pytest.mark.parametrize("loss", ["nt_xent", "dcl"])
@settings(deadline=None, max_examples=25)
@given(num_views=st.integers(2, 5), num_images=st.integers(2, 6), seed=st.integers(0, 1000))
def test_many_views_equal_the_slow_loop(loss, num_views, num_images, seed):
    views = list(
        torch.randn(num_views, num_images, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    )
    assert multi_view(views, 0.3, loss).item() == pytest.approx(slow_multi_view(views, 0.3, loss), rel=1e-9, abs=1e-9)
    shuffled = [views[index] for index in torch.randperm(num_views).tolist()]
    assert multi_view(shuffled, 0.3, loss).item() == pytest.approx(multi_view(views, 0.3, loss).item())


def test_two_views_are_the_papers_losses():
    a, b = draw(5, 7)
    torch.testing.assert_close(multi_view((a, b), 0.2, "nt_xent"), nt_xent(a, b, 0.2))
    torch.testing.assert_close(multi_view((a, b), 0.2, "dcl"), decoupled_contrastive(a, b, 0.2))


@pytest.mark.parametrize("loss", ["nt_xent", "dcl"])
def test_views_that_are_all_alike_stand_at_chance(loss):
    views = torch.ones(4, 6, 3)
    assert multi_view(list(views), 0.1, loss).item() == pytest.approx(chance_loss(loss, 6, num_views=4), rel=1e-5)


def test_what_many_views_can_not_be():
    a, b = draw(3, 4)
    with pytest.raises(ValueError, match="two or more tensors"):
        multi_view((a,), 0.1)
    with pytest.raises(ValueError, match="two or more tensors"):
        multi_view((a, b[:2]), 0.1)
    with pytest.raises(ValueError, match="must be 'nt_xent' or 'dcl'"):
        multi_view((a, b), 0.1, "vicreg")
    with pytest.raises(ValueError, match="at least 2 images, got 1"):
        multi_view((a[:1], b[:1]), 0.1)
