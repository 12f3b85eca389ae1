"""Gradient caching must give the plain gradient, and keep one chunk's activations only."""

import weakref

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from course_utils.models.vision import ProjectionHead, build_encoder
from course_utils.pretext.contrastive import multi_view
from course_utils.pretext.gradient_caching import GradientCached, find_batch_statistics, without_batch_norm


def build_model(seed: int = 0, dropout: float = 0.0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.GELU(), nn.Dropout(dropout), nn.Linear(8, 4)).double()


def draw(batch: int, seed: int = 1) -> Tensor:
    return torch.randn(batch, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def gradients(model: nn.Module, inputs: Tensor, num_views: int, loss: str) -> tuple[Tensor, list[Tensor]]:
    model.zero_grad()
    value = multi_view(model(inputs).chunk(num_views), 0.2, loss)
    value.backward()
    return value.detach(), [p.grad.clone() for p in model.parameters()]


@settings(max_examples=25)
@given(
    num_images=st.integers(2, 7),
    num_views=st.integers(2, 3),
    chunk_size=st.integers(1, 25),
    loss=st.sampled_from(["nt_xent", "dcl"]),
    seed=st.integers(0, 1000),
)
def test_values_and_gradients_equal_the_plain_way(num_images, num_views, chunk_size, loss, seed):
    inputs = draw(num_images * num_views, seed).requires_grad_()
    model = build_model(seed)
    expected = gradients(model, inputs, num_views, loss)
    inputs_gradient, inputs.grad = inputs.grad, None
    got = gradients(GradientCached(model, chunk_size), inputs, num_views, loss)
    torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(inputs.grad, inputs_gradient, rtol=1e-9, atol=1e-12)


def test_equals_the_two_passes_written_out():
    """Algorithm of Gao et al. 2021, section 3: dropout draws the same in both passes."""
    model, inputs = build_model(dropout=0.5).train(), draw(10)
    torch.manual_seed(7)
    cached_value, cached = gradients(GradientCached(model, 3), inputs, 2, "dcl")

    model.zero_grad()
    torch.manual_seed(7)
    states, embeddings = [], []
    with torch.no_grad():
        for chunk in inputs.split(3):
            states.append(torch.get_rng_state())
            embeddings.append(model(chunk))
    joined = torch.cat(embeddings).requires_grad_()
    value = multi_view(joined.chunk(2), 0.2, "dcl")
    (cache,) = torch.autograd.grad(value, joined)
    for chunk, state, gradient in zip(inputs.split(3), states, cache.split(3), strict=True):
        torch.set_rng_state(state)
        model(chunk).backward(gradient)
    torch.testing.assert_close(cached_value, value.detach())
    torch.testing.assert_close(cached, [p.grad for p in model.parameters()])


class Watched(nn.Module):
    """Counts how many examples' results are alive whenever it makes new ones."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[weakref.ref[Tensor]] = []
        self.most = 0
        self.sizes: list[int] = []

    def forward(self, inputs: Tensor) -> Tensor:
        out = inputs * 2
        self.made.append(weakref.ref(out))
        self.most = max(self.most, sum(len(held) for ref in self.made if (held := ref()) is not None))
        self.sizes.append(len(inputs))
        return out.square()  # which keeps `out` for the way back


def test_only_one_chunks_activations_are_held():
    watched = Watched()
    model = nn.Sequential(nn.Linear(6, 8), watched, nn.Linear(8, 4)).double()
    gradients(GradientCached(model, 4), draw(40), 2, "dcl")
    assert watched.sizes == [4] * 20  # ten chunks, twice
    assert watched.most <= 2 * 4
    in_turn = [model(chunk) for chunk in draw(40).split(4)]
    assert watched.most == 40  # so that the test would see it
    assert len(in_turn) == 10


def test_without_gradients_each_chunk_passes_once():
    watched = Watched()
    model = GradientCached(nn.Sequential(nn.Linear(6, 8), watched).double(), 4)
    with torch.no_grad():
        out = model(draw(10))
    assert watched.sizes == [4, 4, 2]
    torch.testing.assert_close(out, model.encoder(draw(10)).detach())


def test_batch_norm_is_refused_while_it_computes_with_its_batch():
    model = GradientCached(nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4)).double(), 4)
    with pytest.raises(ValueError, match=r"'1' takes mean and spread from its batch.*without_batch_norm"):
        model(draw(8))
    torch.testing.assert_close(model.eval()(draw(8)), model.encoder(draw(8)))
    always = nn.BatchNorm1d(4, track_running_stats=False).eval()  # has nothing else to compute with
    assert find_batch_statistics(nn.Sequential(always)) == "0"
    assert find_batch_statistics(always) == "BatchNorm1d"
    assert find_batch_statistics(build_model()) is None


def test_the_courses_network_without_batch_norm():
    torch.manual_seed(0)
    encoder = build_encoder("compact", [0.5] * 3, [0.25] * 3)
    model = nn.Sequential(encoder, ProjectionHead(encoder.feature_dim, 16, 8))
    assert find_batch_statistics(model) is not None
    names = [name for name, _ in model.named_parameters()]
    assert without_batch_norm(model) is model
    assert find_batch_statistics(model) is None
    assert [name for name, _ in model.named_parameters()] == names
    model.double()
    images = torch.rand(8, 3, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        gradients(GradientCached(model, 3), images, 2, "dcl"), gradients(model, images, 2, "dcl"), rtol=1e-8, atol=1e-10
    )


@pytest.mark.parametrize(("channels", "groups"), [(32, 8), (12, 6), (7, 7), (5, 5), (1, 1)])
def test_groups_divide_the_channels(channels, groups):
    norm = without_batch_norm(nn.BatchNorm2d(channels))
    assert (norm.num_groups, norm.num_channels) == (groups, channels)


def test_wrong_sizes_are_named():
    with pytest.raises(ValueError, match="chunk_size must be at least 1 example, got 0"):
        GradientCached(nn.Identity(), 0)
    with pytest.raises(ValueError, match="num_groups must be at least 1, got 0"):
        without_batch_norm(nn.Identity(), 0)
