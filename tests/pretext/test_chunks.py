"""The chunked losses against the plain ones, and that no table of all similarities is ever made."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from course_utils.pretext.chunks import chunked_multi_view
from course_utils.pretext.contrastive import chance_loss, multi_view, nt_xent

LOSSES = ("nt_xent", "dcl")


def draw(num_views: int, num_images: int, dim: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(num_views, num_images, dim, dtype=torch.float64, generator=generator).to(dtype)
    return [z.clone().requires_grad_() for z in values]


def slow_anchors_loss(views: list[Tensor], temperature: float, loss: str, anchors: range) -> float:
    """The mean over the anchors' views and their partners, with plain numbers."""
    flat = [(image, view.tolist()) for z in views for image, view in enumerate(z)]

    def similarity(p: list[float], q: list[float]) -> float:
        return sum(x * y for x, y in zip(p, q, strict=True)) / (math.hypot(*p) * math.hypot(*q)) / temperature

    terms = []
    for i, (image, anchor) in enumerate(flat):
        if image not in anchors:
            continue
        rivals = sum(math.exp(similarity(anchor, other)) for name, other in flat if name != image)
        for j, (name, partner) in enumerate(flat):
            if name == image and i != j:
                pull = similarity(anchor, partner)
                terms.append(math.log(rivals + (math.exp(pull) if loss == "nt_xent" else 0.0)) - pull)
    return sum(terms) / len(terms)


@pytest.mark.parametrize("loss", LOSSES)
@settings(max_examples=40)
@given(
    num_views=st.integers(2, 4),
    num_images=st.integers(2, 8),
    dim=st.integers(2, 6),
    chunk_size=st.integers(1, 40),
    temperature=st.floats(0.05, 3),
    normalize=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_equals_the_plain_way(loss, num_views, num_images, dim, chunk_size, temperature, normalize, seed):
    views = draw(num_views, num_images, dim, seed)
    plain = multi_view(views, temperature, loss, normalize=normalize)
    chunked = chunked_multi_view(views, temperature, loss, normalize=normalize, chunk_size=chunk_size)
    torch.testing.assert_close(chunked, plain, rtol=1e-9, atol=1e-9)
    expected, got = (torch.autograd.grad(value, views) for value in (plain, chunked))
    torch.testing.assert_close(got, expected, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("loss", LOSSES)
@settings(max_examples=15)
@given(num_views=st.integers(2, 3), num_images=st.integers(2, 6), cut=st.data(), seed=st.integers(0, 1000))
def test_some_anchors_equal_the_slow_loop(loss, num_views, num_images, cut, seed):
    views = draw(num_views, num_images, 3, seed)
    first = cut.draw(st.integers(0, num_images - 1))
    anchors = range(first, cut.draw(st.integers(first + 1, num_images)))
    got = chunked_multi_view(views, 0.4, loss, chunk_size=3, anchors=anchors)
    assert got.item() == pytest.approx(slow_anchors_loss(views, 0.4, loss, anchors), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("loss", LOSSES)
def test_shares_of_the_anchors_average_to_the_whole(loss):
    views = draw(3, 6, 4)
    shares = [chunked_multi_view(views, 0.2, loss, anchors=range(first, first + 2)) for first in (0, 2, 4)]
    whole = multi_view(views, 0.2, loss)
    mean = torch.stack(shares).mean()
    torch.testing.assert_close(mean, whole)
    torch.testing.assert_close(torch.autograd.grad(mean, views), torch.autograd.grad(whole, views))


@pytest.mark.parametrize("loss", LOSSES)
def test_gradient_is_the_losses_own(loss):
    views = draw(3, 4, 3)
    anchors = range(1, 3)
    assert torch.autograd.gradcheck(
        lambda *z: chunked_multi_view(z, 0.5, loss, chunk_size=5, anchors=anchors) * 3, views
    )


def test_two_views_are_nt_xent_and_views_alike_are_chance():
    a, b = draw(2, 9, 5)
    torch.testing.assert_close(chunked_multi_view((a, b), 0.1, "nt_xent", chunk_size=4), nt_xent(a, b, 0.1))
    alike = [torch.ones(6, 3)] * 4
    for loss in LOSSES:
        assert chunked_multi_view(alike, 0.1, loss, chunk_size=5).item() == pytest.approx(chance_loss(loss, 6, 4), 1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(dtype):
    views = draw(2, 8, 4, dtype=dtype)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
        value = chunked_multi_view(views, 0.01, chunk_size=3)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, multi_view([z.float() for z in views], 0.01))
    assert all(g.dtype == dtype for g in torch.autograd.grad(value, views))


class LargestResult(TorchDispatchMode):
    """Remembers how many numbers the largest tensor had that any operation gave back."""

    def __init__(self) -> None:
        super().__init__()
        self.numel = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for value in result if isinstance(result, (tuple, list)) else [result]:
            if isinstance(value, Tensor):
                self.numel = max(self.numel, value.numel())
        return result


@pytest.mark.parametrize("chunk_size", [1, 7, 16])
def test_no_table_is_larger_than_a_chunks(chunk_size):
    num_views, num_images, dim = 2, 200, 4
    views = draw(num_views, num_images, dim)
    with LargestResult() as largest:
        chunked_multi_view(views, 0.1, chunk_size=chunk_size).backward()
    rows = num_views * num_images
    assert largest.numel == max(chunk_size * rows, rows * dim)
    with LargestResult() as largest:
        multi_view(views, 0.1).backward()
    assert largest.numel == rows * rows  # so that the test would see it


def test_without_gradients_none_is_made():
    views = [z.detach() for z in draw(2, 50, 4)]
    value = chunked_multi_view(views, 0.1, chunk_size=8)
    assert not value.requires_grad
    torch.testing.assert_close(value, multi_view(views, 0.1))


def test_wrong_input_is_named():
    a, b = draw(2, 4, 3)
    with pytest.raises(ValueError, match="chunk_size must be at least 1 row, got 0"):
        chunked_multi_view((a, b), 0.1, chunk_size=0)
    for anchors in (range(0), range(3, 5), range(-1, 2)):
        with pytest.raises(ValueError, match=r"some of the 4 images, counted from 0, got range"):
            chunked_multi_view((a, b), 0.1, anchors=anchors)
    with pytest.raises(ValueError, match="must be 'nt_xent' or 'dcl'"):
        chunked_multi_view((a, b), 0.1, "vicreg")
    with pytest.raises(ValueError, match="at least 2 images, got 1"):
        chunked_multi_view((a[:1], b[:1]), 0.1)
    with pytest.raises(ValueError, match="temperature must be above 0"):
        chunked_multi_view((a, b), 0.0)
