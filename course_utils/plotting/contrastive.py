"""Contrastive learning in pictures: similarities with numbers, readings over time; findings beside the papers'."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from course_utils.plotting.style import BLUE, FAINT, GRAY, INK, ORANGE

PANEL = (2.9, 2.1)  # inches of one reading's panel


@dataclass(frozen=True)
class Panel:
    """A panel: its title, what it draws (name in the rows → label) and lines that say what a value means."""

    title: str
    names: Mapping[str, str]
    lines: Mapping[str, float]
    percent: bool = False


def numbered_matrix(values: Tensor, names: Sequence[str], partner: Sequence[int]) -> Figure:
    """Draw a small matrix of similarities with its numbers; partners in a frame, a view with itself crossed out.

    Shape: values (N, N) in [−1, 1]; partner holds for each row the column of its partner.
    """
    side = 1.1 + 0.62 * len(names)
    figure = Figure(figsize=(side + 0.9, side), layout="constrained")
    axis = figure.subplots()
    picture = axis.imshow(values.numpy(), cmap="RdBu_r", vmin=-1, vmax=1)
    for row in range(len(names)):
        for column in range(len(names)):
            value = values[row, column].item()
            words, color = ("–", GRAY) if row == column else (f"{value:.2f}", "white" if abs(value) > 0.65 else INK)
            if row == column:
                axis.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor="white", zorder=2))
            axis.text(column, row, words, ha="center", va="center", fontsize=10, color=color, zorder=3)
        place = (partner[row] - 0.46, row - 0.46)
        axis.add_patch(Rectangle(place, 0.92, 0.92, fill=False, edgecolor=ORANGE, linewidth=2.5, zorder=4))
    axis.set_xticks(range(len(names)), names)
    axis.set_yticks(range(len(names)), names)
    axis.tick_params(length=0, labelsize=9, colors=INK)
    axis.spines[:].set_visible(False)
    figure.colorbar(picture, ax=axis, label="cosine similarity", shrink=0.8)
    return figure


def readings(epochs: Sequence[float], rows: Sequence[Mapping[str, float]], panels: Sequence[Panel]) -> Figure:
    """Draw readings over time, a panel for each, three in a row.

    Args:
        epochs: when each row was read.
        rows: name → value.
        panels: what to draw, and how.
    """
    columns = min(3, len(panels))
    lines = -(-len(panels) // columns)
    figure = Figure(figsize=(PANEL[0] * columns, PANEL[1] * lines), layout="constrained")
    axes = figure.subplots(lines, columns, squeeze=False).flatten()
    for axis, panel in zip(axes, panels, strict=False):
        _draw_panel(axis, epochs, rows, panel)
    for axis in axes[len(panels) :]:
        axis.axis("off")
    for axis in axes[max(len(panels) - columns, 0) : len(panels)]:
        axis.set_xlabel("epoch", fontsize=9)
    return figure


def _draw_panel(axis: Axes, epochs: Sequence[float], rows: Sequence[Mapping[str, float]], panel: Panel) -> None:
    for color, marker, (name, label) in zip((BLUE, ORANGE), "os", panel.names.items(), strict=False):
        values = [row[name] for row in rows]
        axis.plot(epochs, values, color=color, marker=marker, markersize=3.5, linewidth=1.8, label=label)
    for name, value in panel.lines.items():
        axis.axhline(value, color=GRAY, linestyle="--", linewidth=1.1)
        axis.annotate(
            name, (0.99, value), xycoords=("axes fraction", "data"), xytext=(0, 2), textcoords="offset points",
            ha="right", fontsize=7.5, color="#6b747d",
        )  # fmt: skip
    axis.set_title(panel.title, fontsize=9.5, color=INK, loc="left")
    axis.margins(y=0.15)
    axis.grid(color=FAINT)
    axis.set_axisbelow(True)
    axis.spines[:].set_visible(False)
    axis.tick_params(colors=INK, labelsize=8)
    if len(panel.names) > 1:
        axis.legend(frameon=False, fontsize=7.5)
    if panel.percent:
        axis.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")


@dataclass(frozen=True)
class FindingLine:
    """One finding: a short name, the finding in words, the paper's figures, ours (mean, spread), whether it holds.

    `is_recorded` tells that ours come from a recorded sweep, not from the run at hand.
    """

    id: str
    finding: str
    paper: str
    measured: Mapping[str, tuple[float, float | None]]
    holds: bool
    is_recorded: bool = True

    @property
    def statement(self) -> str:
        """The finding, and where our figures come from."""
        return f"{self.finding} ({'recorded sweep' if self.is_recorded else 'measured live'})"

    @property
    def ours(self) -> str:
        """Our figures in percent, each with its name."""
        return ", ".join(f"{name} {in_percent(*values)}" for name, values in self.measured.items())

    @property
    def mark(self) -> str:
        """Whether it holds, in a word."""
        return "✓ yes" if self.holds else "✗ no"


class FindingsTable:
    """Findings beside the paper's figures, readable in a notebook and in a terminal."""

    def __init__(self, lines: Sequence[FindingLine]) -> None:
        self.lines = list(lines)

    def _repr_html_(self) -> str:
        left = 'style="text-align:left"'
        head = "".join(f"<th {left}>{name}</th>" for name in ("finding", "the papers", "ours", "holds here?"))
        rows = [(line.statement, line.paper, line.ours, line.mark) for line in self.lines]
        body = "".join("<tr>" + "".join(f"<td {left}>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
        return f"<table><tr>{head}</tr>{body}</table>"

    def __repr__(self) -> str:
        """Return the findings as text, for a terminal."""
        lines = [f"{line.mark} | {line.statement} | {line.paper} | ours: {line.ours}" for line in self.lines]
        return "\n".join(lines) or "nothing was compared"


def in_percent(mean: float, spread: float | None = None) -> str:
    """Return a share as "61.2 ± 0.8 %"."""
    return f"{100 * mean:.1f}" + (f" ± {100 * spread:.1f}" if spread is not None else "") + " %"
