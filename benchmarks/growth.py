"""How time and memory grow: with images, batch, chunk, processes and epochs, each with a straight line through it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from benchmarks import growth_work as work
from benchmarks.fresh import in_fresh_process
from course_utils.paths import project_root, replacing, write_text
from course_utils.plotting import BLUE, GRAY, ORANGE

REPEATS_OF_IMAGES = (1, 2, 4, 8, 16)
ORDERED = (1_000_000, 2_000_000, 4_000_000, 8_000_000)
BATCH_SIZES = (64, 128, 256, 512, 1024)
VIEWS, CHUNKS = 8192, (256, 512, 1024, 2048, 4096, 8192)
VIEWS_AT_ONE_CHUNK, ONE_CHUNK = (2048, 4096, 8192, 16384), 512
MANY_VIEWS, MANY_CHUNK = 65_536, 256
CACHED_VIEWS, CACHED_CHUNKS = 4096, (128, 256, 512, 1024, 2048)
NUM_EPOCHS, FIRST_EPOCH = 20, 4  # before it, memory still fills what it will need
PLAIN = 0
MB = 1e6


@dataclass(frozen=True)
class Line:
    """y = slope · x + intercept, by least squares; r_squared is the share of y's variance that it explains."""

    slope: float
    intercept: float
    r_squared: float


@dataclass(frozen=True)
class Series:
    """One thing measured at several sizes; `lone` is a point beside the line, such as the plain way."""

    name: str
    x_label: str
    y_label: str
    points: list[tuple[float, float]]
    line: Line
    lone: tuple[str, float] | None = None


def fit_line(points: Sequence[tuple[float, float]]) -> Line:
    """Return the line through the points; R² is not a number where all y are the same.

    Raises:
        ValueError: fewer than three points, through which no line can fail to go, or one x only.
    """
    if len(points) < 3:
        raise ValueError(f"a line's fit can be judged from 3 points on, got {len(points)}")
    x, y = np.array(points, dtype=np.float64).T
    if np.ptp(x) == 0:
        raise ValueError(f"a line needs points at several x, all are at {x[0]:g}")
    slope = ((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum()
    intercept = y.mean() - slope * x.mean()
    spread = ((y - y.mean()) ** 2).sum()
    missed = ((y - slope * x - intercept) ** 2).sum()
    return Line(float(slope), float(intercept), float(1 - missed / spread) if spread > 0 else float("nan"))


def growth() -> None:
    """Measure everything, print tables, write build/growth.json and build/growth.png."""
    from course_utils.devices import make_fabric
    from course_utils.running.environment import describe_environment

    console = Console()
    with console.status("growth: about four minutes on two cores …"):
        series = measure_series()
        rates = {
            f"{count} × {threads}": in_fresh_process(work.processes_rate, count, threads)
            for count, threads in ((1, 1), (1, 2), (2, 1))
        }
    console.print(as_table(series))
    console.print("views/s by processes × threads: " + ", ".join(f"{how} {rate:,.0f}" for how, rate in rates.items()))
    folder = project_root() / "build"
    content = {
        "schema": 1,
        "environment": describe_environment(make_fabric()),
        "series": [asdict(one) for one in series],
        "views_per_second": rates,
    }
    write_text(folder / "growth.json", json.dumps(content, indent=2) + "\n")
    with replacing(folder / "growth.png") as path:
        draw(series).savefig(path, dpi=130)
    console.print(f"written to {folder}/growth.json and growth.png", highlight=False, soft_wrap=True)


def many_views() -> None:
    """Measure the loss of 65,536 views, once; a minute or more on two cores."""
    seconds, extra = in_fresh_process(work.loss_cost, MANY_VIEWS, MANY_CHUNK, 1)
    table = 4 * MANY_VIEWS**2
    print(
        f"DCL of {MANY_VIEWS:,} views there and back, {MANY_CHUNK} rows at a time: {seconds:.1f} s, "
        f"{extra / MB:,.0f} MB at the highest (one table of all similarities would be {table / MB:,.0f} MB)"
    )


def measure_series() -> list[Series]:
    """Return all series, each measured in processes of its own."""
    chunks = {chunk: in_fresh_process(work.loss_cost, VIEWS, chunk) for chunk in (PLAIN, *CHUNKS)}
    sizes = {views: in_fresh_process(work.loss_cost, views, ONE_CHUNK) for views in VIEWS_AT_ONE_CHUNK}
    cached = {chunk: in_fresh_process(work.cached_step_cost, CACHED_VIEWS, chunk) for chunk in (PLAIN, *CACHED_CHUNKS)}
    epochs = in_fresh_process(work.memory_over_epochs, NUM_EPOCHS)
    memory = [(epoch, held / MB) for epoch, held in epochs if epoch >= FIRST_EPOCH]
    plain_seconds, plain_bytes = chunks.pop(PLAIN)
    whole_seconds, whole_bytes = cached.pop(PLAIN)
    loss, step = f"loss of {VIEWS:,} views", f"step of {CACHED_VIEWS:,} views"
    return [
        series("one epoch", "images", "s", in_fresh_process(work.epoch_seconds, REPEATS_OF_IMAGES)),
        series("an epoch's order", "images", "s", in_fresh_process(work.order_seconds, ORDERED)),
        series("one step", "images in the batch", "s", in_fresh_process(work.step_seconds, BATCH_SIZES)),
        series(loss, "rows in a chunk", "MB", scaled(chunks, 1, MB), ("all at once", plain_bytes / MB)),
        series(loss, "rows in a chunk", "s", scaled(chunks, 0, 1), ("all at once", plain_seconds)),
        series(f"loss, {ONE_CHUNK} rows a chunk", "views", "MB", scaled(sizes, 1, MB)),
        series(f"loss, {ONE_CHUNK} rows a chunk", "views²", "s", [(x * x, y) for x, y in scaled(sizes, 0, 1)]),
        series(step, "views in a chunk", "MB", scaled(cached, 1, MB), ("all at once", whole_bytes / MB)),
        series(step, "views in a chunk", "s", scaled(cached, 0, 1), ("all at once", whole_seconds)),
        series("training's memory", "epoch", "MB", memory),
    ]


def series(
    name: str,
    x_label: str,
    y_label: str,
    points: Sequence[tuple[float, float]],
    lone: tuple[str, float] | None = None,
) -> Series:
    """Return the points with the line through them."""
    return Series(name, x_label, y_label, list(points), fit_line(points), lone)


def scaled(costs: dict[int, tuple[float, int]], which: int, unit: float) -> list[tuple[float, float]]:
    """Return (size, seconds) or (size, bytes) in the unit."""
    return [(size, cost[which] / unit) for size, cost in costs.items()]


def as_table(measured: Sequence[Series]) -> Table:
    """Return the lines for the terminal."""
    table = Table(title="How it grows: straight lines by least squares")
    for heading in ("what", "from", "to", "slope", "R²", "all at once"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for one in measured:
        (x_first, y_first), (x_last, y_last) = one.points[0], one.points[-1]
        lone = f"{one.lone[1]:.3g} {one.y_label}" if one.lone else ""
        table.add_row(
            f"{one.name}, {one.y_label} by {one.x_label}",
            f"{short(x_first)}: {y_first:.3g}",
            f"{short(x_last)}: {y_last:.3g}",
            f"{one.line.slope:.2g}",
            f"{one.line.r_squared:.3f}",
            lone,
        )
    return table


def short(number: float) -> str:
    """Return a size in a few characters."""
    return f"{number / 1e6:.3g}M" if number >= 1e6 else f"{number:.0f}"


def draw(measured: Sequence[Series]) -> Figure:
    """Return one picture with a panel for each series."""
    columns = 3
    rows = -(-len(measured) // columns)
    figure = Figure(figsize=(4 * columns, 3 * rows), layout="constrained")
    for number, one in enumerate(measured):
        draw_series(figure.add_subplot(rows, columns, number + 1), one)
    return figure


def draw_series(axis: Axes, one: Series) -> None:
    """Draw the points, the line with its R², and what stands beside it."""
    x, y = zip(*one.points, strict=True)
    ends = [0, max(x)]
    axis.plot(ends, [one.line.slope * end + one.line.intercept for end in ends], color=GRAY, linewidth=1)
    axis.plot(x, y, "o", color=BLUE, markersize=4)
    if one.lone:
        axis.axhline(one.lone[1], color=ORANGE, linewidth=1, linestyle="--", label=one.lone[0])
        axis.legend(frameon=False, fontsize=8)
    axis.set_title(f"{one.name}: R² = {one.line.r_squared:.4f}", fontsize=9, loc="left")
    axis.set(xlabel=one.x_label, ylabel=one.y_label, ylim=(0, 1.1 * max(*y, one.lone[1] if one.lone else 0)))
    axis.ticklabel_format(axis="x", scilimits=(-3, 5))
    axis.spines[["top", "right"]].set_visible(False)
