"""Widgets driven as a browser drives them, by what it sends; what it can't have sent counts for nothing."""

import base64
import io
import json
import subprocess
import sys

import ipywidgets
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image

from course_utils.errors import DataError
from course_utils.labeling import LABEL_KINDS
from course_utils.language.filling import Blank
from course_utils.widgets import (
    BoxLabeler,
    ClassLabeler,
    FeatureMap,
    FillInTheBlank,
    LabelingSession,
    explore,
    session_or_published,
)
from course_utils.widgets.feature_map import CODE

IMAGES = torch.randint(0, 256, (6, 3, 8, 10), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
NAMES = ["cat", "<b>dog</b>"]
TRUE = torch.tensor([0, 1, 0, 1, 0, 1])


def test_answers_become_a_session():
    labeler = ClassLabeler(IMAGES, NAMES, TRUE)
    labeler.answers = [[0, 1.5, 0], [1, 2.0, 0], [2, 4, 0]]
    assert labeler.session == LabelingSession("class", (1.5, 2.0, 4.0), 1, "timed here")
    assert labeler.session.median_seconds == 2.0
    assert labeler.session.describe() == "class: 2.0 s a label (median), 1 of 3 wrong; timed here"


def test_without_true_labels_nothing_is_called_wrong():
    labeler = ClassLabeler(IMAGES, NAMES)
    labeler.answers = [[0, 1.5, 0]]
    assert labeler.session.num_errors is None
    assert "wrong" not in labeler.session.describe()


def test_boxes_are_in_the_images_pixels():
    labeler = BoxLabeler(IMAGES)
    assert (labeler.size, labeler.session.seconds) == ([10, 8], ())
    labeler.answers = [[0, 3.0, [1, 2.5, 9.5, 8]], [2, 5.0, [0, 0, 10, 8]]]
    assert labeler.boxes == {0: (1, 2.5, 9.5, 8), 2: (0, 0, 10, 8)}
    assert labeler.session == LabelingSession("box", (3.0, 5.0), None, "timed here")
    patches = labeler.static_figure().axes[0].patches
    assert len(patches) == 2
    assert patches[0].get_width() == pytest.approx(8.5 / 10)


SENT = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(SENT | st.tuples(st.integers(-1, 7), st.floats(), SENT).map(list), max_size=6))
def test_whatever_is_sent_a_session_is_sound(sent):
    labelers = [ClassLabeler(IMAGES, NAMES, TRUE), BoxLabeler(IMAGES)]
    for labeler in labelers:
        labeler.answers = sent
        assert all(0 <= seconds < float("inf") for seconds in labeler.session.seconds)
    for left, top, right, bottom in labelers[1].boxes.values():
        assert 0 <= left < right <= 10
        assert 0 <= top < bottom <= 8


def test_a_later_answer_to_the_same_image_counts():
    labeler = ClassLabeler(IMAGES, NAMES, TRUE)
    labeler.answers = [[0, 1.0, 1], [0, 2.0, 0]]
    assert labeler.session == LabelingSession("class", (2.0,), 0, "timed here")


@pytest.mark.parametrize("labeler", [ClassLabeler(IMAGES, NAMES), BoxLabeler(IMAGES)])
def test_where_nobody_clicks_the_literature_stands_in_and_says_so(labeler):
    labeler.answers = []
    session = session_or_published(labeler)
    assert session.seconds == (LABEL_KINDS[session.kind].seconds.value,)
    assert "nobody was timed here" in session.describe()


def test_five_answers_are_enough():
    labeler = ClassLabeler(IMAGES, NAMES, TRUE)
    labeler.answers = [[index, 1.0, 0] for index in range(5)]
    assert session_or_published(labeler).origin == "timed here"
    labeler.answers = labeler.answers[:4]
    assert session_or_published(labeler).origin != "timed here"


def test_what_the_browser_gets():
    labeler = ClassLabeler(IMAGES, NAMES)
    state = labeler.get_state()
    assert len(state["pictures"]) == 6
    assert all(url.startswith("data:image/png;base64,") for url in state["pictures"])
    assert state["names"] == NAMES, "the browser writes names as text, never as HTML"
    assert "innerHTML" not in state["_esm"].replace("never innerHTML", "")
    json.dumps(state["pictures"])
    labeler.static_figure().savefig(io.BytesIO())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ClassLabeler(IMAGES, ["cat"]), "at least 2 classes, got 1"),
        (lambda: ClassLabeler(IMAGES, NAMES, TRUE[:3]), "6 images need as many labels, got 3"),
        (lambda: BoxLabeler(IMAGES[:0]), r"N above 0, got \(0, 3, 8, 10\)"),
        (lambda: BoxLabeler(IMAGES[0]), r"must have the shape \(N, 3, H, W\)"),
    ],
)
def test_what_cannot_be_labeled_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def fill_as_told(sentence):
    """Answer each [MASK] with the sentence's own words."""
    if "[MASK]" not in sentence:
        raise DataError("there is no [MASK] in the sentence")
    return [Blank(("states", "<b>nations</b>"), (0.9, 0.05))] * sentence.count("[MASK]")


def test_a_sentence_is_answered_as_it_changes():
    widget = FillInTheBlank(fill_as_told, "the united [MASK]")
    assert widget.answers == [[["states", 0.9], ["<b>nations</b>", 0.05]]]
    widget.sentence = "no blank"
    assert (widget.problem, widget.answers) == ("there is no [MASK] in the sentence", [])
    assert [axis.get_title(loc="left") for axis in widget.static_figure().axes] == [widget.problem]
    widget.sentence = "[MASK] and [MASK]"
    assert (widget.problem, len(widget.answers)) == ("", 2)
    figure = widget.static_figure()
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    assert titles == ["[MASK] and [MASK]  (blank 1)", "[MASK] and [MASK]  (blank 2)"]
    figure.savefig(io.BytesIO())


@given(st.text(max_size=60))
def test_whatever_is_typed_there_is_an_answer_or_a_sentence(sentence):
    widget = FillInTheBlank(fill_as_told, sentence)
    assert bool(widget.answers) != bool(widget.problem)
    state = widget.get_state()
    json.dumps([state["answers"], state["problem"]])
    assert "innerHTML" not in state["_esm"].replace("never innerHTML", "")


def test_a_slider_draws_anew():
    drawn = []

    def draw(price, people):
        drawn.append((price, people))
        figure = Figure()
        figure.subplots().plot([0, price], [0, people])
        return figure

    sliders = {"price": ipywidgets.FloatSlider(2.0, min=0, max=9), "people": ipywidgets.IntSlider(1, min=1, max=5)}
    box = explore(draw, 'a "picture" <b>', **sliders)
    before = box.children[-1].value
    assert drawn == [(2.0, 1)]
    assert '<img alt="a &quot;picture&quot; &lt;b&gt;" src="data:image/png;base64,' in before
    sliders["people"].value = 4
    assert drawn[-1] == (2.0, 4)
    assert box.children[-1].value != before


def test_pyplot_holds_no_figures_back():
    code = (
        "import ipywidgets, matplotlib.pyplot as plt; from matplotlib.figure import Figure\n"
        "from course_utils.widgets import explore\n"
        "explore(lambda x: Figure(), 'x', x=ipywidgets.IntSlider()); print(plt.get_fignums())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def feature_map(count=40):
    images = torch.randint(0, 256, (count, 3, 8, 10), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    points = torch.randn(count, 2, generator=torch.Generator().manual_seed(1))
    return FeatureMap({"a": points, "<i>b</i>": 7 * points}, images, torch.arange(count) % 2, NAMES), images


def test_a_feature_map_holds_every_image_where_its_script_looks_for_it():
    widget, images = feature_map()
    kind, content = widget.sheet.split(",")
    assert kind == "data:image/jpeg;base64"
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(content)))).astype(float)
    assert sheet.shape == (2 * 8, 32 * 10, 3)
    row, column = divmod(37, widget.columns)
    found = sheet[8 * row : 8 * row + 8, 10 * column : 10 * column + 10]
    errors = [abs(found.mean(axis=(0, 1)) - image.float().mean(dim=(1, 2)).numpy()).max() for image in images]
    assert min(range(40), key=lambda index: errors[index]) == 37


def test_a_feature_map_fills_the_unit_square_and_can_be_drawn_without_a_browser():
    widget, _ = feature_map()
    for points in widget.maps.values():
        assert np.allclose(np.min(points, axis=0), 0)
        assert np.allclose(np.max(points, axis=0), 1)
    assert len(widget.colors) == len(widget.names) == 2
    assert [axis.get_title() for axis in widget.static_figure().axes] == ["a", "<i>b</i>"]
    assert "innerHTML" not in feature_map_script().replace("never innerHTML", "")


def feature_map_script():
    return (CODE / "feature_map.js").read_text(encoding="utf-8")


def test_a_feature_map_that_does_not_fit():
    with pytest.raises(ValueError, match=r"6 images need as many labels and maps of \(6, 2\), got 6 and \[\(5, 2\)\]"):
        FeatureMap({"a": torch.zeros(5, 2)}, IMAGES, TRUE, NAMES)
    with pytest.raises(ValueError, match="6 images need as many labels"):
        FeatureMap({}, IMAGES, TRUE, NAMES)
