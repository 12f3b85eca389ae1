"""What `growth` measures: each function runs in a process of its own and returns plain numbers."""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from benchmarks.fresh import extra_memory, resident_memory
from benchmarks.recipe import HIDDEN_DIM, LEARNING_RATE, PROJECTION_DIM, TEMPERATURE, Recipe, our_loss
from course_utils.data.images import load_images
from course_utils.devices import make_fabric
from course_utils.models.vision import ProjectionHead, build_encoder, channel_statistics
from course_utils.optimizers import make_optimizers
from course_utils.pretext.chunks import chunked_multi_view
from course_utils.pretext.contrastive import multi_view
from course_utils.pretext.gathering import gather_views, own_images
from course_utils.pretext.gradient_caching import GradientCached, without_batch_norm
from course_utils.training import Callback, History, fit
from course_utils.views import ViewSettings, simclr_views

VIEW_SIZE, NUM_VIEWS, BATCH_SIZE = 16, 2, 256
WARMUP_STEPS, TIMED_STEPS = 3, 16
IMAGES_IN_MEMORY_RUN, REPEATS = 2048, 3
PROCESS_STEPS, PROCESS_WARMUP = 24, 4
LOSS_ROWS = 64  # few, so that what is seen is the encoder's memory


def build_model(images: Tensor) -> nn.Sequential:
    """Return notebook 05's encoder and head, untrained."""
    torch.manual_seed(0)
    encoder = build_encoder("compact", *channel_statistics(images))
    return nn.Sequential(encoder, ProjectionHead(encoder.feature_dim, HIDDEN_DIM, PROJECTION_DIM))


def train(
    images: Tensor, *, batch_size: int, num_epochs: int = 0, num_steps: int = 0, callback: Callback | None = None
) -> History:
    """Train with two views of each image, on the CPU or the GPU, as the notebooks do."""
    fabric = make_fabric()
    model = build_model(images)
    images = images.to(fabric.device)
    return fit(
        model,
        our_loss(images, (VIEW_SIZE,), Recipe(num_views=NUM_VIEWS)),
        num_examples=len(images),
        num_epochs=num_epochs,
        num_steps=num_steps,
        batch_size=batch_size,
        optimizers=make_optimizers(model, "muon", LEARNING_RATE),
        fabric=fabric,
        seed=0,
        callback=callback,
    )


def epoch_seconds(repeats: Sequence[int]) -> list[tuple[int, float]]:
    """Return (images, seconds of one epoch) with the training images taken so many times."""
    images = load_images().train.images
    train(images[: WARMUP_STEPS * BATCH_SIZE], batch_size=BATCH_SIZE, num_epochs=1)
    points = []
    for times in repeats:
        many = images.repeat(times, 1, 1, 1)
        points.append((len(many), train(many, batch_size=BATCH_SIZE, num_epochs=1).seconds))
    return points


def order_seconds(sizes: Sequence[int]) -> list[tuple[int, float]]:
    """Return (images, seconds to draw the order of an epoch), the median of a few."""

    def draw(count: int) -> Tensor:
        return torch.randperm(count, generator=torch.Generator().manual_seed(0))

    return [(size, statistics.median(seconds_of(partial(draw, size)) for _ in range(REPEATS))) for size in sizes]


def step_seconds(batch_sizes: Sequence[int]) -> list[tuple[int, float]]:
    """Return (batch size, seconds a step)."""
    images = load_images().train.images
    points = []
    for batch_size in batch_sizes:
        train(images, batch_size=batch_size, num_steps=WARMUP_STEPS)
        seconds = train(images, batch_size=batch_size, num_steps=TIMED_STEPS).seconds
        points.append((batch_size, seconds / TIMED_STEPS))
    return points


def loss_cost(num_views: int, chunk_size: int, repeats: int = REPEATS) -> tuple[float, int]:
    """Return the seconds and the extra bytes of DCL there and back, for so many views; chunk_size 0: the plain way."""
    generator = torch.Generator().manual_seed(0)
    device = make_fabric().device

    def draw(rows: int) -> tuple[Tensor, ...]:
        drawn = torch.randn(NUM_VIEWS, rows // NUM_VIEWS, PROJECTION_DIM, generator=generator).to(device)
        return tuple(z.clone().requires_grad_() for z in drawn)

    def there_and_back(views: tuple[Tensor, ...]) -> None:
        how = {"chunk_size": chunk_size} if chunk_size else {}
        loss = chunked_multi_view if chunk_size else multi_view
        torch.autograd.grad(loss(views, TEMPERATURE, "dcl", **how), views)

    there_and_back(draw(256))  # kernels and thread pools
    views = draw(num_views)
    times: list[float] = []
    extra = extra_memory(lambda: times.append(seconds_of(lambda: there_and_back(views))))
    times += [seconds_of(lambda: there_and_back(views)) for _ in range(repeats - 1)]
    return statistics.median(times), extra


def cached_step_cost(num_views: int, chunk_size: int) -> tuple[float, int]:
    """Return the seconds and the extra bytes of a step whose encoder sees chunks; chunk_size 0: all views at once."""
    images = load_images().train.images
    model = without_batch_norm(build_model(images)).train()
    if chunk_size:
        model = GradientCached(model, chunk_size)
    source = images[: num_views // NUM_VIEWS].repeat(NUM_VIEWS, 1, 1, 1)
    views = simclr_views(source, ViewSettings(size=VIEW_SIZE), torch.Generator().manual_seed(0))

    def step(batch: Tensor) -> None:
        model.zero_grad()
        chunked_multi_view(model(batch).chunk(NUM_VIEWS), TEMPERATURE, chunk_size=LOSS_ROWS).backward()

    step(views[:32])
    times: list[float] = []
    extra = extra_memory(lambda: times.append(seconds_of(lambda: step(views))))
    times += [seconds_of(lambda: step(views)) for _ in range(REPEATS - 1)]
    return statistics.median(times), extra


def memory_over_epochs(num_epochs: int) -> list[tuple[int, float]]:
    """Return (epoch, bytes of this process after it)."""
    images = load_images().train.images[:IMAGES_IN_MEMORY_RUN]
    history = train(
        images,
        batch_size=BATCH_SIZE,
        num_epochs=num_epochs,
        callback=lambda _: {"memory": float(resident_memory())},
    )
    return [(int(row["epoch"]), row["memory"]) for row in history.epochs]


def processes_rate(num_processes: int, threads: int) -> float:
    """Return the views a second of so many processes with so many threads each, all on one joined batch.

    Each has its share of the batch, all views are rivals, and gradients are averaged by DistributedDataParallel.
    """
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(_train_beside_others, args=(num_processes, threads, folder), nprocs=num_processes)
        seconds = float(Path(folder, "seconds").read_text())
    return NUM_VIEWS * BATCH_SIZE * PROCESS_STEPS / seconds


def _train_beside_others(rank: int, num_processes: int, threads: int, folder: str) -> None:
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # one machine: nothing leaves it
    torch.set_num_threads(threads)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=num_processes)
    images = load_images().train.images
    model = DistributedDataParallel(build_model(images).train())
    optimizers = make_optimizers(model, "muon", LEARNING_RATE)
    share = BATCH_SIZE // num_processes
    generator = torch.Generator().manual_seed(rank)

    def step(number: int) -> None:
        first = number * BATCH_SIZE + rank * share
        batch = images[first : first + share].repeat(NUM_VIEWS, 1, 1, 1)
        views = simclr_views(batch, ViewSettings(size=VIEW_SIZE), generator)
        everyones = gather_views(model(views).chunk(NUM_VIEWS))
        for optimizer in optimizers:
            optimizer.zero_grad()
        chunked_multi_view(everyones, TEMPERATURE, anchors=own_images(share)).backward()
        for optimizer in optimizers:
            optimizer.step()

    for number in range(PROCESS_WARMUP):
        step(number)
    dist.barrier()
    seconds = seconds_of(lambda: [step(number) for number in range(PROCESS_STEPS)])
    dist.barrier()
    if rank == 0:
        Path(folder, "seconds").write_text(str(seconds))
    dist.destroy_process_group()


def seconds_of(work: Callable[[], object]) -> float:
    """Return how long it takes."""
    started = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started
