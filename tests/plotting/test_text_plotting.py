"""Pictures of tokens hold what they were given."""

import io

import pytest
import torch
from matplotlib.colors import to_hex

from course_utils.plotting import BLUE, ORANGE
from course_utils.plotting import text as text_plotting


def drawn(figure):
    figure.savefig(io.BytesIO())
    return figure


def test_tokens_stand_in_order_and_wrap():
    tokens = ["[CLS]", "the", "[MASK]", "of", "$5", *["peace"] * 30]
    figure = drawn(text_plotting.masked_tokens(tokens, ["", "", "hidden", "kept", "", *[""] * 30]))
    [axis] = figure.axes
    words = [text.get_text() for text in axis.texts]
    assert words[: len(tokens)] == [token.replace("$", r"\$") for token in tokens]
    assert words[len(tokens) :] == ["to be named:", *text_plotting.LEGEND.values()]
    assert to_hex(axis.patches[2].get_facecolor()) == ORANGE
    rows = {text.get_position()[1] for text in axis.texts[: len(tokens)]}
    assert len(rows) > 1
    assert all(text.get_position()[1] > max(rows) + 0.3 for text in axis.texts[len(tokens) :])  # below the text
    width = figure.get_size_inches()[0]
    assert all(box.get_x() + box.get_width() <= width for box in axis.patches)


def test_blanks_show_words_and_probabilities():
    answers = {"a [MASK]": (["x", "y"], [0.7, 0.002]), "b [MASK]": (["z"], [1.0]), "c": (["w"], [0.5])}
    figure = drawn(text_plotting.blanks(answers))
    used = [axis for axis in figure.axes if axis.axison]
    assert [axis.get_title(loc="left") for axis in used] == list(answers)
    assert [bar.get_width() for bar in used[0].patches] == [0.7, 0.002]
    assert [to_hex(bar.get_facecolor()) for bar in used[0].patches] == [ORANGE, BLUE]
    assert [label.get_text() for label in used[0].get_yticklabels()] == ["x", "y"]
    assert [text.get_text() for text in used[0].texts] == ["70 %", "<1 %"]


@pytest.mark.parametrize("num_heads", [1, 3])
def test_attention_maps_share_a_scale(num_heads):
    weights = torch.full((num_heads, 4, 4), 0.25)
    weights[0, 0] = torch.tensor([0.5, 0.5, 0.0, 0.0])
    titles = [f"head {head}" for head in range(num_heads)]
    figure = drawn(text_plotting.attention_maps(weights, ["a", "b", "c", "d"], titles))
    maps = figure.axes[:num_heads]
    assert [axis.get_title() for axis in maps] == titles
    assert {axis.images[0].get_clim() for axis in maps} == {(0, 0.5)}
    assert [label.get_text() for label in maps[0].get_yticklabels()] == ["a", "b", "c", "d"]


def test_dots_say_their_numbers_and_show_their_spreads():
    rows = {
        "few": {"loss (nats)": (4.25, 0.1), "right": (0.3, 0.02)},
        "many": {"loss (nats)": (4.5, 0.0), "right": (0.25, 0.01)},
    }
    figure = drawn(text_plotting.dots(rows, shares=["right"]))
    loss, right = figure.axes
    assert [axis.get_title() for axis in figure.axes] == ["loss (nats)", "right"]
    assert [text.get_text() for text in loss.texts] == ["4.25", "4.50"]
    assert [text.get_text() for text in right.texts] == ["30.0 %", "25.0 %"]
    assert [label.get_text() for label in loss.get_yticklabels()] == ["few", "many"]
    assert loss.yaxis_inverted(), "the first row is the upper one"
    [_, _, bars] = right.containers[0]
    assert bars[0].get_segments()[0][:, 0].tolist() == pytest.approx([28, 32])
