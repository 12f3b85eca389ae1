"""Plots draw the data that they are given, and nothing falls off the page."""

import io

import pytest
import torch
from matplotlib.figure import Figure

from course_utils import plotting

IMAGES = torch.randint(0, 256, (7, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def drawn(figure: Figure) -> Figure:
    figure.savefig(io.BytesIO(), format="png")
    return figure


@pytest.mark.parametrize("images", [IMAGES, IMAGES.float() / 255, IMAGES[:, :1]])
def test_image_grid_shows_each_image_once(images):
    figure = drawn(plotting.image_grid(images, columns=4, titles=list("abcdefg")))
    [axis] = figure.axes
    assert len(axis.images) == 7
    assert [text.get_text() for text in axis.texts] == list("abcdefg")
    expected = images[3].permute(1, 2, 0).squeeze(-1).numpy()
    assert (axis.images[3].get_array() == expected).all()


def test_where_no_image_is_left_a_sentence_stands():
    [words] = drawn(plotting.image_grid(IMAGES[:0], columns=4)).texts
    assert words.get_text() == "There is no such image."


def boxes(figure):
    """Where images lie: (left, right, bottom, top) each."""
    return [tuple(image.get_extent()) for image in figure.axes[0].images]


@pytest.mark.parametrize(
    "figure",
    [
        plotting.image_grid(IMAGES, columns=3),
        plotting.image_grid(IMAGES, columns=3, titles=list("abcdefg")),
        plotting.rows_of_images([("one", IMAGES), ("two", IMAGES)], columns=7),
        plotting.neighbors(IMAGES[:2], {"a": IMAGES[None].expand(2, -1, -1, -1, -1)}),
    ],
)
def test_images_are_square_on_the_page_and_do_not_overlap(figure):
    axis = figure.axes[0]
    (left, right), (bottom, top) = axis.get_xlim(), axis.get_ylim()
    assert figure.get_figwidth() / (right - left) == pytest.approx(figure.get_figheight() / (bottom - top))
    found = boxes(drawn(figure))
    for i, (l1, r1, b1, t1) in enumerate(found):
        assert r1 - l1 == pytest.approx(1)
        assert b1 - t1 == pytest.approx(1)
        assert left <= l1 + 1e-9
        assert r1 <= right + 1e-9
        assert top <= t1 + 1e-9
        assert b1 <= bottom + 1e-9
        assert all(r1 <= l2 or r2 <= l1 or b1 <= t2 or b2 <= t1 for l2, r2, b2, t2 in found[:i])


def test_rows_may_be_of_unlike_length():
    figure = drawn(plotting.rows_of_images([("original", IMAGES[:1]), ("views", IMAGES)], columns=5))
    assert sum(len(axis.images) for axis in figure.axes) == 1 + 5
    assert [text.get_text() for axis in figure.axes for text in axis.texts] == ["original", "views"]


def test_curves_carry_their_data_and_reference_lines():
    series = {"a": ([1, 2, 3], [0.1, 0.2, 0.3]), "b": ([1, 3], [0.5, 0.4])}
    axis = drawn(plotting.curves(series, "epoch", "accuracy", lines={"chance": 0.1}, percent=True)).axes[0]
    assert axis.lines[0].get_ydata().tolist() == [0.1, 0.2, 0.3]
    assert axis.lines[1].get_xdata().tolist() == [1, 3]
    assert set(axis.lines[2].get_ydata()) == {0.1}
    assert axis.texts[0].get_text() == "chance 10.0 %"
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["a", "b"]


def test_bars_say_their_values_and_fit():
    values = {"chance": 0.1, "SimCLR": 0.654, "supervised": 0.97}
    axis = drawn(plotting.bars(values, spreads={"SimCLR": 0.012}, highlight=["SimCLR"], lines={"chance": 0.1})).axes[0]
    words = [text.get_text() for text in axis.texts]
    assert words[:3] == ["10.0 %", "65.4 % ± 1.2", "97.0 %"]
    assert [label.get_text() for label in axis.get_yticklabels()] == list(values)
    assert [bar.get_width() for bar in axis.patches] == list(values.values())
    assert axis.get_xlim() == (0, 1)


def test_label_curves_show_means_spreads_and_laws():
    measured = {"a": {10: [0.2, 0.4], 100: [0.5, 0.5]}, "b": {10: [0.3]}}
    figure = drawn(plotting.label_curves(measured, {"a": lambda n: 1 / n}, longest=1000, lines={"chance": 0.1}))
    axis = figure.axes[0]
    assert axis.get_xscale() == "log"
    points = axis.containers[0].lines[0]
    assert points.get_xdata().tolist() == [10, 100]
    assert points.get_ydata().tolist() == pytest.approx([0.3, 0.5])
    drawn_laws = [line for line in axis.lines if len(line.get_xdata()) == 60]
    assert [line.get_linestyle() for line in drawn_laws] == ["-", "--"]
    assert drawn_laws[1].get_xdata()[-1] == pytest.approx(1000)
    assert drawn_laws[0].get_ydata()[0] == pytest.approx(1 - 1 / 10)


def test_label_curves_without_laws_join_their_points():
    measured = {"a": {20: [0.2, 0.4], 80: [0.5, 0.5]}, "b": {20: [0.3], 80: [0.4]}}
    axis = drawn(plotting.label_curves(measured, {}, longest=80)).axes[0]
    assert [line.get_linestyle() for line in (container.lines[0] for container in axis.containers)] == ["-", "-"]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["20", "80"]
    assert axis.get_xlabel() == "labels (log scale)"


def test_amounts_say_their_values():
    axis = drawn(plotting.amounts({"class": 100.0, "mask": 250_000.0}, "dollars", unit="$")).axes[0]
    assert [text.get_text() for text in axis.texts] == ["$100", "class", "$250,000", "mask"]
    assert [bar.get_width() for bar in axis.patches] == [100.0, 250_000.0]


def test_confusion_shows_shares_of_rows():
    counts = torch.tensor([[8, 2], [0, 0]])
    axis = drawn(plotting.confusion(counts, ["cat", "dog"])).axes[0]
    assert axis.images[0].get_array().tolist() == [[0.8, 0.2], [0.0, 0.0]]
    assert [text.get_text() for text in axis.texts] == ["80", "20"]


def test_matrices_share_one_scale():
    figure = drawn(plotting.similarity_matrices({"before": torch.ones(4, 4), "after": torch.eye(4)}))
    assert [axis.images[0].get_clim() for axis in figure.axes[:2]] == [(-1, 1), (-1, 1)]


def test_neighbors_places_every_image():
    found = {"untrained": IMAGES[torch.zeros(2, 3, dtype=int)], "SimCLR": IMAGES[torch.ones(2, 3, dtype=int)]}
    figure = drawn(plotting.neighbors(IMAGES[:2], found))
    assert sum(len(axis.images) for axis in figure.axes) == 2 * (1 + 3 + 3)
    assert [text.get_text() for text in figure.axes[0].texts] == ["query", "untrained", "SimCLR"]


def test_smooth_is_the_running_mean():
    assert plotting.smooth([1, 2, 3, 4], window=2) == [1, 1.5, 2.5, 3.5]
    assert plotting.smooth([1, 2], window=20) == [1, 1.5]


def test_places_keep_their_order_and_the_chosen_one_has_its_value():
    series = {"a": {"stem": 0.3, "block 1": 0.6, "end": 0.5}, "b": {"stem": 0.2, "block 1": 0.1, "end": 0.15}}
    figure = plotting.over_places(series, {"a": "end", "b": "stem"}, "where", {"chance": 0.1})  # "end": not the best
    [axis] = drawn(figure).axes
    assert [label.get_text() for label in axis.get_xticklabels()] == ["stem", "block 1", "end"]
    assert list(axis.lines[0].get_ydata()) == [0.3, 0.6, 0.5]
    assert [list(axis.lines[1].get_xdata()), list(axis.lines[1].get_ydata())] == [[2], [0.5]]
    assert {text.get_text() for text in axis.texts} == {"50.0 %", "20.0 %", "chance 10.0 %"}


def test_heat_lies_over_its_image_on_one_scale():
    maps = torch.linspace(-0.2, 0.4, 2 * 3 * 3).view(2, 3, 3)
    figure = drawn(plotting.heat_over_images(IMAGES[:2], maps, ["a", "b"], "lost"))
    heats = [axis.images[-1] for axis in figure.axes[2:4]]
    assert heats[0].get_clim() == heats[1].get_clim() == (pytest.approx(-0.4, abs=0.03), pytest.approx(0.4, abs=0.03))
    assert [heat.get_extent() for heat in heats] == [axis.images[0].get_extent() for axis in figure.axes[2:4]]


def test_an_answer_shows_probabilities_and_marks_the_right_one():
    figure = drawn(plotting.answer(IMAGES[0], {"0°": 0.7, "90°": 0.3}, right="90°"))
    bars = figure.axes[1].patches
    assert [bar.get_width() for bar in bars] == [0.7, 0.3]
    assert bars[0].get_facecolor() != bars[1].get_facecolor()


def test_label_curves_without_a_law_are_joined():
    measured = {"a": {10: [0.3, 0.4], 100: [0.5, 0.6]}}
    [axis] = drawn(plotting.label_curves(measured, {}, x_label="labels a class")).axes
    assert axis.get_xlabel() == "labels a class"
    assert axis.containers[0].lines[0].get_linestyle() == "-"


@pytest.mark.parametrize(
    ("values", "scale"), [((0.1, 0.2), "linear"), ((0.01, 0.1, 1.0), "log"), ((0.0, 10.0), "linear")]
)
def test_swept_curves_take_a_log_axis_where_values_are_far_apart(values, scale):
    series = {"$a": [(x, x / 2, 0.1) for x in values], "b": [(x, x / 3, 0.0) for x in values]}
    [axis] = drawn(plotting.swept_curves(series, "TEMPERATURE", "accuracy", percent=True)).axes
    assert axis.get_xscale() == scale
    assert [text.get_text() for text in axis.get_legend().get_texts()] == [r"\$a", "b"]
    assert all(words.endswith(" %") for words in (tick.get_text() for tick in axis.get_yticklabels()))
