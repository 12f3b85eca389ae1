"""Scenes by name: laid out by the course, or one's own folder."""

import json

import pytest
import torch
from PIL import Image

from course_utils.data.images import ImageSplits, LabeledImages
from course_utils.data.scene_sources import check_scenes, load_scenes, scenes_fingerprint
from course_utils.errors import DataError

COUNTS = {"num_train": 4, "num_validation": 3, "num_test": 2, "seed": 0}


@pytest.fixture
def pictures():
    part = LabeledImages(torch.zeros(4, 3, 32, 32, dtype=torch.uint8), torch.arange(4))
    return ImageSplits("x", part, part, part, ("a", "b", "c", "d"), "")


@pytest.fixture
def folder(tmp_path):
    Image.new("RGB", (20, 20)).save(tmp_path / "one.png")
    images = [{"id": n, "file_name": "one.png", "width": 20, "height": 20} for n in range(5)]
    boxes = [{"id": n, "image_id": n, "category_id": 1, "bbox": [1, 1, 5, 5]} for n in range(5)]
    content = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "cup"}]}
    (tmp_path / "train.json").write_text(json.dumps(content))
    return tmp_path


def test_scenes_are_laid_out(pictures):
    scenes = load_scenes("made", pictures, 64, 3, **COUNTS)
    assert [len(scenes.train), len(scenes.validation), len(scenes.test)] == [4, 3, 2]
    assert scenes.train.images.shape == (4, 3, 64, 64)
    assert scenes.train.boxes.shape == (4, 3, 4)
    assert scenes.class_names == ("a", "b", "c", "d")
    check_scenes("made")


def test_a_folder_takes_their_place(pictures, folder):
    check_scenes(str(folder))
    scenes = load_scenes(str(folder), pictures, 40, 3, **COUNTS)
    assert scenes.class_names == ("cup",)
    assert len(scenes.train) == 3
    assert scenes_fingerprint(str(folder)) != scenes_fingerprint("made")


def test_a_folder_that_is_not_there_is_named_before_anything_runs(tmp_path):
    for call in (check_scenes, scenes_fingerprint):
        with pytest.raises(DataError, match="there is no folder"):
            call(str(tmp_path / "nowhere"))
