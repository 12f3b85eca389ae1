"""Splits are fixed, stratified and whole; what a user gets wrong is one sentence."""

import os
import shutil

import numpy as np
import pytest
import torch
from image_folders import make_folder
from PIL import Image

from course_utils import paths
from course_utils.data import sources
from course_utils.data.images import dataset_fingerprint, describe_dataset, load_images
from course_utils.errors import DataError


@pytest.fixture(scope="module")
def mini():
    return load_images("cifar10-mini")


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A copy of the shipped data that may be harmed."""
    shutil.copytree(paths.data_dir() / "cifar10-mini", tmp_path / "cifar10-mini")
    monkeypatch.setattr(sources, "data_dir", lambda: tmp_path)
    return tmp_path / "cifar10-mini"


def test_the_shipped_splits(mini):
    parts = {"train": (mini.train, 900), "validation": (mini.validation, 100), "test": (mini.test, 200)}
    for part, per_class in parts.values():
        assert part.images.shape == (10 * per_class, 3, 32, 32)
        assert part.images.dtype == torch.uint8
        assert part.labels.dtype == torch.int64
        assert part.labels.bincount().tolist() == [per_class] * 10
    assert mini.num_classes == 10
    assert "9,000 training" in mini.description


def test_no_image_is_in_two_splits(mini):
    rows = torch.cat([mini.train.images, mini.validation.images, mini.test.images]).flatten(1)
    assert len({row.numpy().tobytes() for row in rows}) == 12_000


def test_it_is_cifar10(mini):
    """The first airplane is image 29 of the original training images, and channel means are as published."""
    index = (paths.data_dir() / "cifar10-mini" / "train_labels.csv").read_text().splitlines()[1]
    assert index == "0,0,0,airplane,29"
    means = mini.train.images.double().mean(dim=(0, 2, 3)) / 255
    assert means.tolist() == pytest.approx([0.4914, 0.4822, 0.4465], abs=0.01)


def test_fewer_and_smaller_images():
    splits = load_images("cifar10-mini", image_size=20, num_train_images=50)
    assert splits.train.images.shape == (50, 3, 20, 20)
    assert splits.train.labels.bincount().tolist() == [5] * 10
    assert len(splits.validation) == 1000
    assert "Resized to 20 × 20" in splits.description
    assert "first 50 training images" in splits.description


def test_sample_per_class(mini):
    first = mini.train.sample_per_class(3)
    assert first.labels.bincount().tolist() == [3] * 10
    assert torch.equal(first.images[:3], mini.train.images[:3])
    generator = torch.Generator().manual_seed(0)
    assert not torch.equal(mini.train.sample_per_class(3, generator).images, first.images)


def test_describe_agrees_with_load(mini, tmp_path):
    summary = describe_dataset("cifar10-mini")
    assert (summary.num_train, summary.num_validation, summary.num_test) == (9000, 1000, 2000)
    folder = make_folder(tmp_path / "pets", {"cat": 20, "dog": 7})
    summary, splits = describe_dataset(str(folder)), load_images(str(folder), 8)
    sizes = (len(splits.train), len(splits.validation), len(splits.test), splits.num_classes)
    assert (summary.num_train, summary.num_validation, summary.num_test, summary.num_classes) == sizes


def test_a_folder_is_split_evenly_and_always_the_same(tmp_path):
    folder = make_folder(tmp_path / "pets", {"cat": 20, "dog": 3})
    (folder / "cat" / ".hidden.png").write_bytes(b"")
    (folder / "cat" / "notes.txt").write_text("not an image")
    splits = load_images(str(folder), image_size=8)
    assert splits.class_names == ("cat", "dog")
    assert splits.train.labels.bincount().tolist() == [16, 1]
    assert splits.validation.labels.bincount().tolist() == splits.test.labels.bincount().tolist() == [2, 1]
    everything = torch.cat([splits.train.images, splits.validation.images, splits.test.images]).flatten(1)
    assert len(everything.unique(dim=0)) == 23
    assert "1 other files were left out" in splits.description
    assert torch.equal(load_images(str(folder), image_size=8).train.images, splits.train.images)


def test_what_is_hidden_is_not_looked_at(tmp_path):
    folder = make_folder(tmp_path / "pets", {"cat": 5, "dog": 5})
    make_folder(folder / "cat" / ".thumbnails", {"small": 3})
    make_folder(folder, {".git": 2})
    splits = load_images(str(folder), image_size=8)
    assert splits.class_names == ("cat", "dog")
    assert len(splits.train) + len(splits.validation) + len(splits.test) == 10
    assert "left out" not in splits.description


def test_a_class_may_be_called_train(tmp_path):
    folder = make_folder(tmp_path / "vehicles", {"train": 4, "bus": 4})
    assert load_images(str(folder), 8).class_names == ("bus", "train")


def test_gray_values_of_16_bits_keep_their_range(tmp_path):
    folder = make_folder(tmp_path / "scans", {"a": 4, "b": 4})
    for number in range(4):
        Image.fromarray(np.full((9, 9), 40_000, dtype=np.uint16)).save(folder / "a" / f"{number:03}.png")
    splits = load_images(str(folder), 8)
    assert splits.train.images[splits.train.labels == 0].unique().tolist() == [40_000 >> 8]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read(tmp_path):
    folder = make_folder(tmp_path / "pets", {"cat": 4, "dog": 4})
    (folder / "dog").chmod(0)
    with pytest.raises(DataError, match="dog can't be read: Permission denied"):
        describe_dataset(str(folder))


def test_given_splits_are_kept(tmp_path):
    make_folder(tmp_path / "pets" / "train", {"cat": 6, "dog": 6})
    make_folder(tmp_path / "pets" / "test", {"cat": 2, "dog": 3})
    splits = load_images(str(tmp_path / "pets"), 8)
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (10, 2, 5)


def test_images_are_fitted_upright_and_centered(tmp_path):
    folder = make_folder(tmp_path / "pets", {"cat": 4, "dog": 4})
    wide = Image.new("RGB", (40, 20), "red")
    wide.paste("blue", (10, 0, 30, 20))  # the square in the middle
    wide.save(folder / "cat" / "000.png")
    turned = Image.new("RGB", (20, 20), "black")
    turned.paste("white", (0, 0, 20, 10))
    exif = Image.Exif()
    exif[0x0112] = 3  # turned by half: white belongs at the bottom
    turned.save(folder / "dog" / "000.png", exif=exif)
    Image.new("L", (9, 9), 77).save(folder / "dog" / "001.png")
    splits = load_images(str(folder), image_size=10)
    everything = {
        name: torch.cat([part.images[part.labels == label] for part in (splits.train, splits.validation, splits.test)])
        for label, name in enumerate(splits.class_names)
    }
    blue = torch.tensor([0, 0, 255], dtype=torch.uint8).view(3, 1, 1)  # the outermost columns touch the red
    assert any((image[:, :, 1:-1] == blue).all() for image in everything["cat"])
    bottoms = [image for image in everything["dog"] if image[:, 0].max() == 0 and image[:, -1].min() == 255]
    assert len(bottoms) == 1
    assert any((image == 77).all() for image in everything["dog"])


def test_fingerprint_follows_the_data(tmp_path):
    folder = make_folder(tmp_path / "pets", {"cat": 4, "dog": 4})
    before = dataset_fingerprint(str(folder))
    assert dataset_fingerprint(str(folder)) == before
    Image.new("RGB", (9, 9)).save(folder / "cat" / "003.png")
    assert dataset_fingerprint(str(folder)) != before
    assert dataset_fingerprint("cifar10-mini") not in (before, dataset_fingerprint("cifar10"))


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({}, "must hold at least two class folders of images, but there is none"),
        ({"cat": 5}, r"but there is only one \(cat\)"),
        ({"cat": 5, "dog": 2}, "class dog has 2 images: it needs at least 3 to be split"),
        ({"cat": 5, "dog": 0}, "dog holds no images"),
    ],
)
def test_a_folder_that_is_no_data_set(tmp_path, counts, message):
    folder = make_folder(tmp_path, counts)
    with pytest.raises(DataError, match=message):
        describe_dataset(str(folder))


def test_a_class_that_training_lacks(tmp_path):
    make_folder(tmp_path / "train", {"cat": 6, "dog": 6})
    make_folder(tmp_path / "test", {"cat": 2, "dog": 2, "cow": 2})
    with pytest.raises(DataError, match="test has a class that training lacks: cow"):
        describe_dataset(str(tmp_path))


def test_a_broken_image_is_named(tmp_path):
    folder = make_folder(tmp_path / "pets", {"cat": 4, "dog": 4})
    broken = folder / "dog" / "002.png"
    broken.write_bytes(broken.read_bytes()[:60])
    with pytest.raises(DataError, match=r"dog/002.png can't be read: mend it or take it out"):
        load_images(str(folder))


def test_more_than_memory_holds_is_said_before_reading(tmp_path, monkeypatch):
    folder = make_folder(tmp_path / "pets", {"cat": 4, "dog": 4})
    monkeypatch.setattr("course_utils.data.image_files.MOST_BYTES", 100)
    with pytest.raises(DataError, match="choose a smaller IMAGE_SIZE or fewer images"):
        load_images(str(folder))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cifar10-mni", "unknown data set 'cifar10-mni': did you mean 'cifar10-mini'?"),
        ("birds", "unknown data set 'birds': known are cifar10-mini, cifar10"),
        ("no/such/folder", "there is no data set or folder .*no/such/folder"),
        ("README.md", "README.md is a file: name a folder"),
    ],
)
def test_a_name_that_leads_nowhere(name, message):
    for call in (load_images, describe_dataset):
        with pytest.raises(DataError, match=message):
            call(name)


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def paint(path):
    with Image.open(path) as picture:
        painted = picture.copy()
    painted.putpixel((5, 5), (1, 2, 3))
    painted.save(path)


def drop_a_line(path):
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")


@pytest.mark.parametrize(
    ("harm", "file", "message"),
    [
        (lambda path: path.unlink(), "test.png", "test.png is missing"),
        (cut, "test.png", "test.png is cut or not a PNG file"),
        (paint, "test.png", "the test images in .* were altered"),
        (drop_a_line, "test_labels.csv", "test.png holds 2000 images but there are 1999 labels"),
        (lambda path: path.write_text("label\nfrog\n"), "test_labels.csv", "test_labels.csv is damaged"),
        (lambda path: path.unlink(), "train_labels.csv", "train_labels.csv is missing"),
    ],
)
def test_harm_to_the_shipped_data_is_named(copied, harm, file, message):
    harm(copied / file)
    with pytest.raises(DataError, match=rf"{message}.*git checkout -- data/cifar10-mini"):
        load_images("cifar10-mini")
    with pytest.raises(DataError, match="git checkout -- data/cifar10-mini"):
        describe_dataset("cifar10-mini")
