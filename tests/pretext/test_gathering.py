"""Two and three real processes must compute what one does with the joined batch."""

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from course_utils.pretext.chunks import chunked_multi_view
from course_utils.pretext.contrastive import decoupled_contrastive, multi_view, nt_xent
from course_utils.pretext.gathering import gather_views, own_images
from course_utils.pretext.gradient_caching import GradientCached

IMAGES_EACH, IN_DIM, DIM, TEMPERATURE = 4, 6, 5, 0.3
WAYS = ("whole", "chunks", "own anchors", "cached")
CASES = [(way, loss, num_views) for way in WAYS for loss in ("nt_xent", "dcl") for num_views in (2, 3)]
PATIENCE = 60.0  # seconds after which a process that waits for the others gives up


def build_encoder() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(IN_DIM, 8), nn.Tanh(), nn.Linear(8, DIM)).double()


def draw_views(num_views: int, num_images: int) -> Tensor:
    """Return (views, images, IN_DIM), the first images the same whatever their number."""
    generator = torch.Generator().manual_seed(1)
    return torch.randn(num_images, num_views, IN_DIM, dtype=torch.float64, generator=generator).transpose(0, 1)


def compute_loss(way: str, projections: list[Tensor], loss: str) -> Tensor:
    everyones = gather_views(projections)
    if way == "chunks":
        return chunked_multi_view(everyones, TEMPERATURE, loss, chunk_size=5)
    if way == "own anchors":
        anchors = own_images(len(projections[0]))
        return chunked_multi_view(everyones, TEMPERATURE, loss, chunk_size=5, anchors=anchors)
    if loss == "nt_xent" and len(projections) == 2:
        return nt_xent(*everyones, TEMPERATURE)
    return multi_view(everyones, TEMPERATURE, loss)


def train_step(model: nn.Module, views: Tensor, way: str, loss: str) -> Tensor:
    """Return the loss after its gradients are in the model's parameters; views (K, batch, IN_DIM)."""
    projections = model(views.flatten(end_dim=1)).chunk(len(views))
    value = compute_loss(way, list(projections), loss)
    value.backward()
    return value.detach()


def work(rank: int, world: int, folder: str) -> None:
    """What each process does: all cases, then sizes that don't fit."""
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo",
        init_method=f"file://{folder}/rendezvous",
        rank=rank,
        world_size=world,
        timeout=timedelta(seconds=PATIENCE),
    )
    results: dict[str, Any] = {"own": list(own_images(IMAGES_EACH)), "errors": [], "steps": []}
    for way, loss, num_views in CASES:
        encoder = build_encoder()
        model = DistributedDataParallel(GradientCached(encoder, 3) if way == "cached" else encoder)
        views = draw_views(num_views, world * IMAGES_EACH)[:, list(own_images(IMAGES_EACH))]
        value = train_step(model, views, way, loss)
        if way == "own anchors":
            dist.all_reduce(value)
            value /= world
        results["steps"].append((value, [p.grad for p in encoder.parameters()]))
    started = time.monotonic()
    for projections in misfits(rank):
        try:
            gather_views(projections)
            results["errors"].append("")
        except ValueError as error:
            results["errors"].append(str(error))
    results["seconds"] = time.monotonic() - started
    results["after"] = gather_views([torch.full((1, 1), float(rank)), torch.zeros(1, 1)])[0]
    torch.save(results, Path(folder, f"{rank}.pt"))
    dist.destroy_process_group()


def misfits(rank: int) -> list[list[Tensor]]:
    """Return projections that differ from process 0's in images, in views, in length; and are no views at all."""
    return [
        [torch.zeros(4 + rank, 3)] * 2,
        [torch.zeros(4, 3)] * (2 + rank),
        [torch.zeros(4, 3 + rank)] * 2,
        [torch.zeros(4, 3), torch.zeros(3 if rank == 1 else 4, 3)],
    ]


@pytest.fixture(scope="module", params=[2, 3])
def results(request, tmp_path_factory):
    """What each of the processes saved."""
    folder = tmp_path_factory.mktemp("processes")
    mp.spawn(work, args=(request.param, str(folder)), nprocs=request.param)
    return [torch.load(folder / f"{rank}.pt") for rank in range(request.param)]


def one_process(loss: str, num_views: int, num_images: int) -> tuple[Tensor, list[Tensor]]:
    encoder = build_encoder()
    projections = encoder(draw_views(num_views, num_images).flatten(end_dim=1)).chunk(num_views)
    value = multi_view(projections, TEMPERATURE, loss)
    value.backward()
    return value.detach(), [p.grad for p in encoder.parameters()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join(map(str, case)))
def test_loss_and_gradients_are_those_of_one_process_with_all_images(results, case):
    _, loss, num_views = case
    value, gradients = one_process(loss, num_views, len(results) * IMAGES_EACH)
    for result in results:
        got_value, got_gradients = result["steps"][CASES.index(case)]
        torch.testing.assert_close(got_value, value, rtol=1e-6, atol=0)
        scale = max(g.abs().max().item() for g in gradients)
        torch.testing.assert_close(got_gradients, gradients, rtol=1e-6, atol=1e-9 * scale)


def test_it_would_show_if_gradients_did_not_pass_between_processes():
    """The same joined loss with rivals that are constants: the value is right, the gradient is not."""
    views = draw_views(2, 2 * IMAGES_EACH)
    whole_value, whole = one_process("dcl", 2, 2 * IMAGES_EACH)
    summed = [torch.zeros_like(g) for g in whole]
    for rank in range(2):
        encoder = build_encoder()
        mine = torch.zeros(2 * IMAGES_EACH, 1, dtype=torch.float64)
        mine[rank * IMAGES_EACH : (rank + 1) * IMAGES_EACH] = 1
        projections = [encoder(view) for view in views]
        value = decoupled_contrastive(*(z * mine + z.detach() * (1 - mine) for z in projections), TEMPERATURE)
        value.backward()
        torch.testing.assert_close(value.detach(), whole_value)
        summed = [s + p.grad for s, p in zip(summed, encoder.parameters(), strict=True)]
    mean = [s / 2 for s in summed]  # what DDP's average would be
    assert any(not torch.allclose(m, g, rtol=1e-2) for m, g in zip(mean, whole, strict=True))


def test_each_process_has_its_own_images(results):
    joined = [image for result in results for image in result["own"]]
    assert joined == list(range(len(results) * IMAGES_EACH))


def test_sizes_that_differ_are_named_at_once_and_by_all(results):
    for result in results:
        assert result["seconds"] < 10
        images, views, dim, none = result["errors"]
        assert "process 0 has 2 views of 4 images in 3 numbers, process 1 has 2 views of 5 images" in images
        assert "leave out a last batch that is not full" in images
        assert "process 1 has 3 views of 4 images" in views
        assert "process 1 has 2 views of 4 images in 4 numbers" in dim
        assert "process 1 has none" in none
        assert result["errors"] == results[0]["errors"]


def test_the_group_is_of_use_after_an_error(results):
    for result in results:
        assert result["after"].flatten().tolist() == list(map(float, range(len(results))))


def test_without_a_process_group_nothing_changes():
    projections = [torch.randn(4, 3), torch.randn(4, 3)]
    assert all(got is mine for got, mine in zip(gather_views(projections), projections, strict=True))
    assert own_images(4) == range(4)
