"""Pictures of tokens: what is hidden, what is answered, what attention looks at; plain data in, a Figure out."""

from collections.abc import Collection, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from course_utils.language.filling import percent
from course_utils.plotting.style import BLUE, FAINT, GRAY, GREEN, INK, ORANGE

KINDS = {"hidden": ORANGE, "replaced": BLUE, "kept": GREEN}
"""What may become of a chosen token, with its color."""
LEGEND = {"hidden": "hidden by [MASK]", "replaced": "replaced by another", "kept": "shown as it is"}
CHARACTER, LINE = 0.088, 0.34  # inches of a character of these tokens, and of a line


def masked_tokens(tokens: Sequence[str], kinds: Sequence[str], width: float = 7.4) -> Figure:
    """Draw tokens in lines as on a page, those that are asked for in the color of what became of them.

    Args:
        tokens: as the network is shown them.
        kinds: for each a key of `KINDS`, or "" for one that is not asked for.
        width: of the page, in inches.
    """
    places, x, line = [], 0.05, 0
    for token in tokens:
        size = CHARACTER * len(token) + 0.12
        if x + size > width:
            x, line = 0.05, line + 1
        places.append((x, line, size))
        x += size + 0.04
    figure, axis = _page(width, (line + 2.6) * LINE)
    for token, kind, (x, line, size) in zip(tokens, kinds, places, strict=True):
        _box(axis, x, (line + 0.1) * LINE, size, token, KINDS.get(kind, FAINT), bold=bool(kind))
    x, y = 0.05, (line + 1.75) * LINE
    axis.axhline(y - 0.32 * LINE, color=FAINT, linewidth=1)
    axis.text(x, y + 0.36 * LINE, "to be named:", fontsize=9, va="center", color=INK)
    x += 1.0
    for kind, words in LEGEND.items():
        axis.add_patch(Rectangle((x, y + 0.1 * LINE), 0.2, 0.5 * LINE, facecolor=KINDS[kind], alpha=0.45, linewidth=0))
        axis.text(x + 0.28, y + 0.36 * LINE, words, fontsize=9, va="center", color=INK)
        x += 1.95
    return figure


def blanks(answers: Mapping[str, tuple[Sequence[str], Sequence[float]]], columns: int = 2) -> Figure:
    """Draw for each sentence the likeliest words at its blank, with their probabilities as bars.

    Args:
        answers: sentence → (words, probabilities in [0, 1]).
        columns: sentences side by side.
    """
    rows = -(-len(answers) // columns)
    most = max(len(words) for words, _ in answers.values())
    figure = Figure(figsize=(3.9 * columns, rows * (0.55 + 0.24 * most)), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
    for axis in axes[len(answers) :]:
        axis.axis("off")
    for axis, (sentence, (words, probabilities)) in zip(axes, answers.items(), strict=False):
        axis.barh(range(len(words)), probabilities, color=[ORANGE, *[BLUE] * (len(words) - 1)], height=0.7)
        for place, probability in enumerate(probabilities):
            axis.text(probability + 0.015, place, percent(probability), va="center", fontsize=8, color=INK)
        axis.set_yticks(range(len(words)), list(words), fontsize=9)
        axis.set(xlim=(0, 1.12), xticks=[])
        axis.invert_yaxis()
        axis.spines[:].set_visible(False)
        axis.tick_params(length=0, colors=INK)
        axis.set_title(sentence, fontsize=9, color=INK, loc="left", wrap=True)
    return figure


def attention_maps(weights: Tensor, tokens: Sequence[str], titles: Sequence[str]) -> Figure:
    """Draw what each token (row) looks at (columns), one map for each head.

    Args:
        weights: (heads, tokens, tokens), rows summing to 1.
        tokens: their names.
        titles: of the maps.
    """
    side = 0.9 + 0.17 * len(tokens)
    figure = Figure(figsize=(side * len(weights), side + 0.5), layout="constrained")
    axes = figure.subplots(1, len(weights), squeeze=False)[0]
    most = float(weights.max())  # one scale for all, up to what there is
    for axis, head, title in zip(axes, weights, titles, strict=True):
        picture = axis.imshow(head.float().cpu().numpy(), cmap="Blues", vmin=0, vmax=most)
        axis.set_title(title, fontsize=10, color=INK)
        axis.set_xticks(range(len(tokens)), list(tokens), rotation=90, fontsize=7)
        names = list(tokens) if axis is axes[0] else [""] * len(tokens)
        axis.set_yticks(range(len(tokens)), names, fontsize=7)
        axis.tick_params(length=0, colors=INK)
        axis.spines[:].set_visible(False)
    figure.colorbar(picture, ax=list(axes), label="share of attention", shrink=0.7)
    return figure


def dots(rows: Mapping[str, Mapping[str, tuple[float, float]]], shares: Collection[str] = ()) -> Figure:
    """Draw a table whose numbers are dots with their spreads: a row for each way, a panel for each thing measured.

    Args:
        rows: name → what was measured → (mean, standard deviation); the same things in each row.
        shares: which of the things are shown in percent.
    """
    panels = list(next(iter(rows.values())))
    figure = Figure(figsize=(1.6 + 1.75 * len(panels), 0.9 + 0.36 * len(rows)), layout="constrained")
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axis, panel in zip(axes, panels, strict=True):
        scale, form = (100, "{:.1f} %") if panel in shares else (1, "{:.2f}")
        means, spreads = ([scale * row[panel][part] for row in rows.values()] for part in (0, 1))
        axis.errorbar(means, range(len(rows)), xerr=spreads, fmt="o", color=BLUE, capsize=3, markersize=5)
        for place, mean in enumerate(means):
            axis.annotate(form.format(mean), (mean, place), (0, 6), textcoords="offset points", ha="center", fontsize=8)
        axis.set_title(panel, fontsize=9, color=INK)
        axis.margins(x=0.35, y=0.14)
        axis.set(xticks=[], yticks=range(len(rows)))
        axis.set_yticklabels(list(rows), fontsize=9)
        axis.spines[:].set_visible(False)
        axis.grid(axis="y", color=FAINT)
        axis.set_axisbelow(True)
        axis.tick_params(length=0, colors=INK)
    axes[0].invert_yaxis()
    return figure


def _page(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a page measured in inches from the upper left corner."""
    figure = Figure(figsize=(width, height))
    axis = figure.add_axes((0, 0, 1, 1))
    axis.axis("off")
    axis.set(xlim=(0, width), ylim=(height, 0))
    return figure, axis


def _box(axis: Axes, x: float, y: float, size: float, words: str, color: str, *, bold: bool) -> None:
    axis.add_patch(Rectangle((x, y), size, LINE * 0.72, facecolor=color, alpha=0.45 if bold else 0.6, linewidth=0))
    axis.text(
        x + size / 2,
        y + LINE * 0.36,
        words.replace("$", r"\$"),  # not the start of a formula
        fontsize=9,
        ha="center",
        va="center",
        family="monospace",
        color=INK if bold else GRAY,
    )
