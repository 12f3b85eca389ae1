"""Losses without negatives against loops written from SimSiam's paper, and what gradients do."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.pretext.siamese import attraction, simsiam


def draw(count, dim, num=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(num, count, dim, dtype=torch.float64, generator=generator).unbind()


def slow_distance(p, z):
    """D(p, z) of Chen & He 2021, equation 1, averaged over the batch."""
    terms = [
        -sum(a * b for a, b in zip(x, y, strict=True)) / (math.hypot(*x) * math.hypot(*y))
        for x, y in zip(p.tolist(), z.tolist(), strict=True)
    ]
    return sum(terms) / len(terms)


@settings(deadline=None, max_examples=25)
@given(count=st.integers(1, 6), dim=st.integers(1, 6), seed=st.integers(0, 1000))
def test_equals_the_papers_loop(count, dim, seed):
    p_a, p_b, z_a, z_b = draw(count, dim, seed=seed)
    assert attraction(z_a, z_b).item() == pytest.approx(slow_distance(z_a, z_b))
    expected = slow_distance(p_a, z_b) / 2 + slow_distance(p_b, z_a) / 2  # equation 2
    assert simsiam(p_a, p_b, z_a, z_b).item() == pytest.approx(expected)


def test_closed_forms():
    same = torch.ones(3, 4)
    assert attraction(same, same).item() == pytest.approx(-1)
    assert attraction(same, -same).item() == pytest.approx(1)
    assert attraction(torch.eye(4), torch.eye(4).roll(1, 0)).item() == 0
    assert simsiam(same, same, same, same).item() == pytest.approx(-1)


def test_no_gradient_passes_through_the_side_that_stands_still():
    p_a, p_b, z_a, z_b = (z.requires_grad_() for z in draw(3, 4))
    simsiam(p_a, p_b, z_a, z_b).backward()
    assert z_a.grad is None
    assert z_b.grad is None
    assert p_a.grad.abs().sum() > 0
    assert p_b.grad.abs().sum() > 0


def test_attraction_moves_both_sides():
    z_a, z_b = (z.requires_grad_() for z in draw(3, 4, num=2))
    attraction(z_a, z_b).backward()
    torch.testing.assert_close((z_a.grad * z_a).sum(dim=1), torch.zeros(3, dtype=torch.float64), atol=1e-12, rtol=0)
    assert z_b.grad.abs().sum() > 0


def test_half_precision_is_computed_in_float32():
    z_a, z_b = (z.to(torch.bfloat16) for z in draw(5, 8, num=2))
    assert attraction(z_a, z_b).dtype == torch.float32
    torch.testing.assert_close(attraction(z_a, z_b), attraction(z_a.float(), z_b.float()))


@pytest.mark.parametrize(
    "shapes", [((3, 2), (4, 2)), ((3,), (3,)), ((0, 2), (0, 2))], ids=["differ", "not batches", "empty"]
)
def test_wrong_input_is_named(shapes):
    a, b = (torch.zeros(shape) for shape in shapes)
    with pytest.raises(ValueError, match=r"one shape .* at least one image"):
        attraction(a, b)
