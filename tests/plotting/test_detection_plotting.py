"""Pictures of boxes draw what they are given."""

import io

import torch
from matplotlib.colors import to_hex

from course_utils.data.scenes import NOTHING, Scenes
from course_utils.detection.errors import KINDS, judge
from course_utils.detection.scores import Detections
from course_utils.plotting import BLUE, ORANGE
from course_utils.plotting import detection as pictures

SCENES = Scenes(
    torch.zeros(2, 3, 32, 32, dtype=torch.uint8),
    torch.tensor([[[2.0, 2, 12, 12], [16, 16, 30, 30]], [[0.0, 0, 8, 8], [0, 0, 0, 0]]]),
    torch.tensor([[0, 1], [1, NOTHING]]),
)
NAMES = ("cat", "$dog$")


def drawn(figure):
    figure.savefig(io.BytesIO(), format="png")
    return figure


def test_scenes_have_their_boxes_with_names():
    figure = drawn(pictures.boxes_on_scenes(SCENES.images, pictures.true_boxes(SCENES, NAMES), columns=3))
    first, second, empty = figure.axes
    assert [patch.get_bbox().extents.tolist() for patch in first.patches] == [[2, 2, 12, 12], [16, 16, 30, 30]]
    assert [text.get_text() for text in first.texts] == ["cat", r"\$dog\$"]
    assert len(second.patches) == 1
    assert len(empty.patches) == 0


def test_where_no_scene_is_left_a_sentence_stands():
    [words] = drawn(pictures.boxes_on_scenes(SCENES.images[:0], [], columns=5)).texts
    assert words.get_text() == "There is no such scene."


def test_right_boxes_differ_from_wrong_ones_in_color_and_line():
    found = Detections(SCENES.boxes[0], torch.tensor([0.9, 0.4]), torch.tensor([0, 0]))
    boxes = pictures.judged_boxes([judge(found, *SCENES.objects_of(0))], NAMES)
    [axis] = drawn(pictures.boxes_on_scenes(SCENES.images[:1], boxes, columns=1)).axes
    assert [to_hex(patch.get_edgecolor()) for patch in axis.patches] == [BLUE, ORANGE]
    assert axis.patches[0].get_linestyle() != axis.patches[1].get_linestyle()
    assert [text.get_text() for text in axis.texts] == ["cat 90", "cat 40"]


def test_every_place_is_a_dot_or_a_cross():
    targets = torch.full((4, 4), NOTHING)
    targets[1, 2], targets[3, 3] = 0, 1
    figure = drawn(pictures.answers_by_place(SCENES.images[0], targets, NAMES))
    clouds = figure.axes[0].collections
    assert [len(cloud.get_offsets()) for cloud in clouds] == [14, 1, 1]
    assert clouds[1].get_offsets().tolist() == [[20, 12]]


def test_panels_share_their_encoders():
    panels = {"what": {"a": 0.5, "b": 0.25}, "where": {"a": 0.1, "b": 1.0}}
    figure = drawn(pictures.what_and_where(panels, highlight=["b"]))
    for axis, values in zip(figure.axes, panels.values(), strict=True):
        assert [bar.get_width() for bar in axis.patches] == list(values.values())
        assert [to_hex(bar.get_facecolor()) for bar in axis.patches] == [BLUE, ORANGE]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["a", "b"]


def test_kinds_are_stacked_for_every_hundred_objects():
    counts = {"a": {**dict.fromkeys(KINDS, 0), "right": 10, "twice": 5, "missed": 40}}
    [axis] = drawn(pictures.kinds_of_answers(counts, 50)).axes
    widths = {kind: bar.get_width() for kind, bar in zip(KINDS, axis.patches, strict=True)}
    assert widths == {**dict.fromkeys(KINDS, 0), "right": 20, "twice": 10}
    assert axis.patches[KINDS.index("twice")].get_x() == 20
    styles = list(pictures.KIND_STYLES.values())
    assert list(pictures.KIND_STYLES) == list(KINDS)
    assert len(set(styles)) == len(KINDS)
