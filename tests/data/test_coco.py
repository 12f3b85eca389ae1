"""Folders in COCO's format: read right, and each thing that is wrong said in one sentence."""

import json

import pytest
import torch
from PIL import Image

from course_utils.data import coco
from course_utils.data.coco import check_coco, coco_fingerprint, load_coco, scan_coco
from course_utils.errors import DataError

CATEGORIES = [{"id": 7, "name": "dog"}, {"id": 3, "name": "cat"}]


def write_split(folder, json_name="boxes.json", *, count=2, boxes=None, categories=CATEGORIES, pictures_in=None):
    """Write pictures of 40 × 20 pixels and a JSON file; return its path."""
    place = pictures_in or folder
    place.mkdir(parents=True, exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.new("RGB", (40, 20), (10 * number, 200, 0)).save(place / f"{number}.png")
    boxes = [(number, 7, [10, 5, 20, 10]) for number in range(count)] if boxes is None else boxes
    content = {
        "images": [{"id": n, "file_name": f"{n}.png", "width": 40, "height": 20} for n in range(count)],
        "annotations": [
            {"id": n, "image_id": image, "category_id": category, "bbox": box, "iscrowd": 0}
            for n, (image, category, box) in enumerate(boxes)
        ],
        "categories": categories,
    }
    path = folder / json_name
    path.write_text(json.dumps(content))
    return path


@pytest.fixture
def folder(tmp_path):
    for split in ("train", "valid", "test"):
        write_split(tmp_path / split)
    return tmp_path


def test_boxes_are_scaled_with_their_pictures_into_a_square(folder):
    write_split(folder / "train", boxes=[(0, 7, [10, 5, 20, 10]), (0, 3, [0, 0, 4, 4])])
    splits = load_coco(folder, 80)
    assert splits.class_names == ("cat", "dog")  # by their numbers
    boxes, labels = splits.train.objects_of(0)
    assert boxes.tolist() == [[20, 30, 60, 50], [0, 20, 8, 28]]  # twice as large, 20 pixels of gray above
    assert labels.tolist() == [1, 0]
    assert len(splits.train.objects_of(1)[0]) == 0
    assert splits.train.images.shape == (2, 3, 80, 80)
    assert splits.train.images[1, :, 40, 40].tolist() == [10, 200, 0]
    assert splits.train.images[1, :, 5, 40].tolist() == [114, 114, 114]


def test_the_layout_of_coco_itself_is_known(tmp_path):
    for split in ("train", "val", "test"):
        write_split(tmp_path / "annotations", f"instances_{split}2017.json", pictures_in=tmp_path / f"{split}2017")
    assert {split: len(photos) for split, photos in scan_coco(tmp_path).splits.items()} == {
        "train": 2, "validation": 2, "test": 2,
    }  # fmt: skip


def test_what_is_missing_is_held_out_of_training(tmp_path):
    write_split(tmp_path / "train", count=10)
    folder = scan_coco(tmp_path)
    names = [photo.path.name for photos in folder.splits.values() for photo in photos]
    assert sorted(names) == sorted(f"{n}.png" for n in range(10))
    assert [len(photos) for photos in folder.splits.values()] == [6, 2, 2]
    assert "held out" in folder.how


def test_boxes_around_crowds_are_left_out_and_counted(folder):
    path = folder / "train" / "boxes.json"
    content = json.loads(path.read_text())
    content["annotations"][0]["iscrowd"] = 1
    path.write_text(json.dumps(content))
    splits = load_coco(folder, 40)
    assert splits.train.num_objects == 1
    assert "1 boxes around crowds" in splits.description


def test_a_changed_picture_changes_the_fingerprint(folder):
    before = coco_fingerprint(folder)
    assert coco_fingerprint(folder) == before
    Image.new("RGB", (40, 20), (1, 2, 3)).save(folder / "test" / "0.png")
    assert coco_fingerprint(folder) != before


@pytest.mark.parametrize(
    ("boxes", "words"),
    [
        ([(0, 7, [30, 5, 20, 10])], "box 0.*lies outside its picture 0.png of 40 × 20"),
        ([(0, 7, [-5, 5, 20, 10])], "lies outside"),
        ([(0, 7, [5, 5, 0, 10])], "no area"),
        ([(0, 7, [5, 5, float("nan"), 10])], "a box's numbers must be finite"),
        ([(0, 7, [float("nan"), 5, 5, 10])], r"\[NaN, 5, 5, 10\]: a box's numbers must be finite"),
        ([(0, 7, [5, float("-inf"), 5, 10])], r"-Infinity.*must be finite"),
        ([(0, 7, [10**400, 5, 5, 10])], "must be finite"),
        ([(0, 8, [5, 5, 5, 5])], "category 8, which is not listed"),
        ([(9, 7, [5, 5, 5, 5])], "picture 9, which is not listed"),
        ([(0, "7", [5, 5, 5, 5])], 'box 0 has the category_id "7": ids must be whole numbers'),
        ([("0", 7, [5, 5, 5, 5])], 'box 0 has the image_id "0": ids must be whole numbers'),
        ([(0, 7.5, [5, 5, 5, 5])], "category_id 7.5: ids must be whole numbers"),
        ([(0, True, [5, 5, 5, 5])], "category_id true: ids must be whole numbers"),
        ([(0, 7, [5, 5, 5])], r"bbox \[5, 5, 5\]: it must be four numbers"),
        ([(0, 7, [5, 5, 5, "5"])], "it must be four numbers"),
        ([(0, 7, None)], "bbox null: it must be four numbers"),
    ],
)
def test_wrong_boxes_are_named(folder, boxes, words):
    write_split(folder / "train", boxes=boxes)
    with pytest.raises(DataError, match=words) as caught:
        load_coco(folder, 40)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", r"is not valid JSON \(line 1, column 1\)"),
        (b'{"images": [],\n"annotations": [}', r"is not valid JSON \(line 2, column 17\)"),
        (b"[" * 100_000, "is not valid JSON"),
        (b'{"images": [' + b"9" * 5000 + b"]}", "is not valid JSON"),
        ("{“images”: “Größe”}".encode("latin-1", "replace"), "is not written in UTF-8"),
        (b"[]", "must hold an object with images, annotations and categories, but holds"),
        (b"null", "must hold an object with images, annotations and categories, but holds null"),
        (b"{}", "must hold an object with images, annotations and categories, but has no images"),
        (b'{"images": [], "annotations": []}', "but has no categories"),
        (b'{"categories": 3, "images": [], "annotations": []}', "categories must be a list, not 3"),
        (b'{"categories": [3], "images": [], "annotations": []}', "number 1 of categories must be an object, not 3"),
    ],
)
def test_broken_files_are_named(folder, content, words):
    (folder / "valid" / "boxes.json").write_bytes(content)
    with pytest.raises(DataError, match=rf"valid.*{words}") as caught:
        check_coco(folder)
    assert_plain(caught)


def assert_plain(caught):
    """One sentence, without what only programmers know."""
    assert "\n" not in str(caught.value)
    for word in ("Error", "None", "Exception", "dict", "NoneType", "codec"):
        assert word not in str(caught.value)


def test_a_byte_order_mark_does_no_harm(folder):
    path = folder / "train" / "boxes.json"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    check_coco(folder)


@pytest.mark.parametrize(
    ("part", "key", "value", "words"),
    [
        ("images", "id", ..., "picture number 2 of the list has no id"),
        ("images", "width", ..., "picture 1 has no width"),
        ("images", "height", "20", 'picture 1 has the height "20": sizes must be whole numbers'),
        ("images", "height", 0, "picture 1 has 40 × 0 pixels"),
        ("images", "file_name", ..., "picture 1 has no file_name"),
        ("images", "file_name", None, "picture 1 has the file_name null: it must be a text"),
        ("images", "id", 0, "picture id 0 stands twice"),
        ("images", "id", "1", 'picture number 2 of the list has the id "1": ids must be whole numbers'),
        ("annotations", "image_id", ..., "box 1 has no image_id"),
        ("annotations", "category_id", ..., "box 1 has no category_id"),
        ("annotations", "bbox", ..., "box 1 has no bbox"),
        ("categories", "id", ..., "category number 2 of the list has no id"),
        ("categories", "name", ..., "category 3 has no name"),
        ("categories", "id", 7, "category id 7 stands twice"),
    ],
)
def test_wrong_entries_are_named(folder, part, key, value, words):
    path = folder / "train" / "boxes.json"
    content = json.loads(path.read_text())
    if value is ...:
        del content[part][1][key]
    else:
        content[part][1][key] = value
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=words) as caught:
        check_coco(folder)
    assert str(path) in str(caught.value)
    assert_plain(caught)


def test_a_box_without_a_number_is_named_by_its_place(folder):
    path = folder / "train" / "boxes.json"
    content = json.loads(path.read_text())
    content["annotations"] = [{"image_id": 0, "category_id": 7}]
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match="box number 1 of the list has no bbox"):
        check_coco(folder)


@pytest.mark.parametrize("read", [check_coco, lambda folder: load_coco(folder, 40)])
def test_pictures_of_another_size_than_the_boxes_are_for(folder, read, monkeypatch):
    monkeypatch.setattr(coco, "MOST_DECODED", 0)  # seen in the header
    Image.new("RGB", (20, 10)).save(folder / "test" / "1.png")
    with pytest.raises(DataError, match=r"1\.png has 20 × 10 pixels, but .*boxes\.json says 40 × 20.*was labeled back"):
        read(folder)
    Image.new("RGB", (20, 40)).save(folder / "test" / "1.png")
    with pytest.raises(DataError, match=r"1\.png has 20 × 40 pixels, but .*boxes\.json says 40 × 20.*save it upright"):
        read(folder)


def test_a_damaged_picture_is_named_before_anything_runs(folder, monkeypatch):
    path = folder / "test" / "1.png"
    Image.effect_noise((40, 20), 90).save(path)
    path.write_bytes(path.read_bytes()[:-300])  # its header is whole
    words = r"1\.png can't be read: mend it, or take it .*and its entry and boxes out of .*boxes\.json"
    with pytest.raises(DataError, match=words):
        check_coco(folder)
    monkeypatch.setattr(coco, "MOST_DECODED", 5)  # fewer than there are: then the reader finds it
    check_coco(folder)
    with pytest.raises(DataError, match=words):
        load_coco(folder, 40)


def test_a_missing_picture_is_said_to_belong_where_the_others_lie(tmp_path):
    write_split(tmp_path, "train.json", count=5, pictures_in=tmp_path / "images")
    check_coco(tmp_path)
    (tmp_path / "images" / "3.png").unlink()
    with pytest.raises(
        DataError, match=r"images.3\.png is missing: copy it there, where the others lie, or .*train\.json"
    ):
        check_coco(tmp_path)


def test_other_things_that_are_wrong(folder, tmp_path):
    with pytest.raises(DataError, match="no folder"):
        load_coco(tmp_path / "nowhere", 40)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no boxes to learn from"):
        load_coco(tmp_path / "empty", 40)
    (folder / "test" / "1.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"1\.png can't be read"):
        load_coco(folder, 40)
    (folder / "test" / "1.png").unlink()
    with pytest.raises(DataError, match=r"1\.png is missing"):
        load_coco(folder, 40)


def test_splits_must_agree_about_classes(folder):
    write_split(folder / "test", categories=[{"id": 7, "name": "dog"}])
    with pytest.raises(DataError, match="other categories"):
        load_coco(folder, 40)


def test_two_files_for_one_split_are_refused(folder):
    write_split(folder / "train", "more.json")
    with pytest.raises(DataError, match="both look like the boxes of train"):
        load_coco(folder, 40)


def test_no_classes_and_no_pictures_are_refused(folder):
    for boxes in ([], None):
        write_split(folder / "train", categories=[], boxes=boxes)
        with pytest.raises(DataError, match="has no categories"):
            load_coco(folder, 40)
    write_split(folder / "train", count=0)
    with pytest.raises(DataError, match="no pictures"):
        load_coco(folder, 40)


def test_a_split_without_boxes_is_refused(folder):
    write_split(folder / "test", boxes=[])
    with pytest.raises(DataError, match="no boxes in its test pictures"):
        load_coco(folder, 40)


def test_too_few_pictures_to_hold_some_out(tmp_path):
    write_split(tmp_path / "train", count=1)
    with pytest.raises(DataError, match="too few to hold some out"):
        load_coco(tmp_path, 40)


def test_a_box_that_rounding_put_over_the_edge_is_cut(folder):
    write_split(folder / "train", boxes=[(0, 7, [30, 5, 10.6, 10])])
    assert torch.equal(load_coco(folder, 40).train.objects_of(0)[0][0], torch.tensor([30.0, 15.0, 40.0, 25.0]))
