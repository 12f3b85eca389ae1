"""Pictures of features draw what they are given."""

import io
import math

import pytest
import torch
from matplotlib.colors import to_hex

from course_utils import plotting
from course_utils.labeling.savings import Saving
from course_utils.plotting import features as feature_plotting

NAMES = ["cat", "dog", "$x$"]
LABELS = torch.arange(30) % 3
POINTS = torch.randn(30, 2, generator=torch.Generator().manual_seed(0)) + 5 * torch.eye(3, 2)[LABELS]


def drawn(figure):
    figure.savefig(io.BytesIO(), format="png")
    return figure


def test_a_map_has_a_point_for_each_image_in_its_class_color():
    figure = drawn(feature_plotting.feature_maps({"a": POINTS, "b": -POINTS}, LABELS, NAMES))
    assert [axis.get_title() for axis in figure.axes] == ["a", "b"]
    for axis in figure.axes:
        assert sum(len(cloud.get_offsets()) for cloud in axis.collections) == 30
        assert [to_hex(cloud.get_facecolor()[0]) for cloud in axis.collections] == list(
            feature_plotting.CLASS_COLORS[:3]
        )
        assert [text.get_text() for text in axis.texts] == ["cat", "dog", r"\$x\$"]
    assert feature_plotting.class_color(13) == feature_plotting.class_color(3)


def test_gains_are_sorted_and_may_be_losses():
    figure = drawn(feature_plotting.class_gains([0.5, 0.2, 0.4], [0.6, 0.5, 0.3], NAMES, ("before", "after")))
    [axis] = figure.axes
    assert [label.get_text() for label in axis.get_yticklabels()] == [r"\$x\$", "cat", "dog"]
    assert [text.get_text() for text in axis.texts] == ["−10", "+10", "+30"]


@pytest.mark.parametrize(("equal_to", "words"), [(40.0, "4.0 ×"), (math.inf, "> 10.0 ×")])
def test_a_saving_is_an_arrow_to_the_labels_that_it_stands_for(equal_to, words):
    curves = {"ours": {10: [0.4, 0.42]}, "other": {10: [0.3, 0.32], 100: [0.5, 0.5]}}
    figure = plotting.label_curves(curves, {})
    saving = Saving(10, 0.41, equal_to, 30.0, 50.0, (10, 100), 0.95)
    [axis] = drawn(feature_plotting.mark_savings(figure, [saving])).axes
    arrow, label = axis.texts[-2:]
    assert arrow.xy == (min(equal_to, 100), 0.41)
    assert label.get_text() == words
