"""Which images a stream holds, in which order, and how much of them is in memory."""

import gc
import weakref

import pytest
import torch
from image_folders import make_folder

from course_utils import cli
from course_utils.data.images import load_images
from course_utils.data.streaming import ImageStream
from course_utils.pretraining.image_sources import StreamedImages, open_stream
from course_utils.pretraining.order import Order
from course_utils.running.notebooks import select
from course_utils.running.settings import validate

SIDE = 8


def make_tree(root, names, count=10):
    """Write a folder of so many images for each name."""
    return make_folder(root, dict.fromkeys(names, count), side=SIDE)


def everything(stream):
    return torch.cat(list(stream.read(torch.arange(len(stream)).split(4))))


def settings_for(dataset):
    from course_utils.paths import notebooks_dir

    [notebook] = select(["05"], notebooks_dir())
    values = {**notebook.defaults(), "DATASET": str(dataset), "IMAGE_SIZE": SIDE, "BATCH_SIZE": 4, "RUN_DIR": "x"}
    return validate("05_simclr", values)


@pytest.mark.parametrize("names", [("cat", "cat-big", "cat!", "dog"), ("b/x", "b/x-y", "a", "a.b")])
def test_it_is_what_is_learned_from_in_memory_in_the_same_order(tmp_path, names):
    """What is held out of class folders for validation and test is not among them."""
    tree = make_tree(tmp_path / "tree", names)
    stream = open_stream(Order("simclr", {}, stream=str(tree), num_workers=0), settings_for(tree), 1)
    in_memory = load_images(str(tree), SIDE)
    assert len(in_memory.validation) + len(in_memory.test) > 0
    assert torch.equal(everything(stream), in_memory.train.images)


def test_cores_are_shared_by_the_training_processes_of_a_machine(tmp_path, monkeypatch):
    monkeypatch.setattr("course_utils.pretraining.image_sources.count_cores", lambda: 16)
    make_tree(tmp_path / "many", ("a",))
    order, settings = Order("simclr", {}, stream=f"{tmp_path}/many"), settings_for("cifar10-mini")
    assert [open_stream(order, settings, local).num_workers for local in (1, 4, 16)] == [8, 3, 1]


def test_a_relative_folder_counts_from_where_the_command_was_given(tmp_path, monkeypatch):
    asked = []

    class Nothing:
        words, folder, exit_code = "", "", 0

    monkeypatch.setattr("course_utils.pretraining.command.pretrain", lambda order: asked.append(order) or Nothing)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        cli.main(["pretrain", "simclr", "--stream", "photos"])
    assert asked[0].stream == str(tmp_path / "photos")


def test_a_tree_that_was_moved_is_the_same_training(tmp_path):
    tree = make_tree(tmp_path / "here", ("a", "b"))
    before = ImageStream(str(tree), SIDE).fingerprint()
    assert ImageStream(str(tree.rename(tmp_path / "there")), SIDE).fingerprint() == before


@pytest.mark.parametrize("workers", [0, 3])
def test_reading_draws_nothing_and_says_nothing(tmp_path, workers, capfd):
    """The network is drawn from torch's global generator, and stderr holds one sentence or none."""
    stream = ImageStream(str(make_tree(tmp_path / "tree", ("a",))), SIDE, workers)
    before = torch.get_rng_state()
    assert len(everything(stream)) == 10
    assert torch.equal(torch.get_rng_state(), before)
    assert capfd.readouterr().err == ""


def test_statistics_are_those_of_all_images(tmp_path):
    from course_utils.models.vision import channel_statistics

    stream = ImageStream(str(make_tree(tmp_path / "tree", ("a",), count=130)), SIDE)
    assert StreamedImages(stream, torch.device("cpu")).statistics() == channel_statistics(everything(stream))


def test_batches_are_not_kept(tmp_path):
    stream = ImageStream(str(make_tree(tmp_path / "tree", ("a",))), SIDE)
    batches = stream.read(torch.arange(10).split(2))
    seen = []
    for batch in batches:
        gc.collect()
        assert not any(reference() is not None for reference in seen)
        seen.append(weakref.ref(batch))
        del batch
    assert len(seen) == 5
