"""Pictures and the table hold what they were given."""

import pytest
import torch
from matplotlib.colors import to_hex

from course_utils.plotting import ORANGE
from course_utils.plotting.contrastive import (
    FindingLine,
    FindingsTable,
    Panel,
    in_percent,
    numbered_matrix,
    readings,
)

ROWS = [{"loss": 2.0, "right": 0.1, "knn": 0.2}, {"loss": 1.0, "right": 0.5, "knn": 0.3}]


def test_a_matrix_with_its_numbers_and_framed_partners():
    values = torch.tensor([[1.0, 0.25], [0.25, 1.0]])
    axis = numbered_matrix(values, ["a", "b"], [1, 0]).axes[0]
    assert [text.get_text() for text in axis.texts] == ["–", "0.25", "0.25", "–"]
    frames = [patch for patch in axis.patches if to_hex(patch.get_edgecolor()) == ORANGE]
    assert [(round(frame.get_x() + 0.46), round(frame.get_y() + 0.46)) for frame in frames] == [(1, 0), (0, 1)]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["a", "b"]


@pytest.mark.parametrize("count", [1, 3, 4])
def test_a_panel_for_each_reading(count):
    panel = Panel("the loss", {"loss": ""}, {"chance": 1.5})
    figure = readings([0, 1], ROWS, [panel] * count)
    shown = [axis for axis in figure.axes if axis.axison]
    assert len(shown) == count
    assert shown[0].get_title(loc="left") == "the loss"
    assert list(shown[0].lines[0].get_ydata()) == [2.0, 1.0]
    assert list(shown[0].lines[1].get_ydata()) == [1.5, 1.5]
    assert shown[-1].get_xlabel() == "epoch"


def test_two_readings_in_a_panel_are_told_apart():
    [axis] = readings([0, 1], ROWS, [Panel("right", {"right": "probe", "knn": "neighbors"}, {}, percent=True)]).axes
    assert [line.get_label() for line in axis.lines] == ["probe", "neighbors"]
    assert len({line.get_marker() for line in axis.lines}) == 2
    assert axis.yaxis.get_major_formatter()(0.5) == "50 %"
    assert axis.get_legend() is not None


def line(**changes):
    values = {"id": "x", "finding": "A <b> beats B", "paper": "P", "measured": {"A": (0.5, 0.012), "B": (0.4, None)}}
    return FindingLine(**{**values, "holds": True, **changes})


def test_findings_are_shown_escaped_and_with_their_spread():
    table = FindingsTable([line(), line(holds=False, is_recorded=False)])
    html, text = table._repr_html_(), repr(table)
    assert "A &lt;b&gt; beats B (recorded sweep)" in html
    assert "A <b> beats B (measured live)" in text
    assert "A 50.0 ± 1.2 %, B 40.0 %" in html
    assert "A 50.0 ± 1.2 %, B 40.0 %" in text
    assert [row[:5] for row in text.splitlines()] == ["✓ yes", "✗ no "]
    assert html.count("<tr>") == 3


def test_no_findings():
    assert repr(FindingsTable([])) == "nothing was compared"


def test_shares_in_percent():
    assert in_percent(0.1234) == "12.3 %"
    assert in_percent(0.1234, 0.0) == "12.3 ± 0.0 %"
