"""Images that are read while a network trains: the same training as with all of them in memory."""

import shutil
import signal
from dataclasses import replace

import psutil
import pytest
import tiny
import torch
from PIL import Image
from safetensors.torch import load_file
from torch.testing import assert_close

from course_utils import cli
from course_utils.data import streaming
from course_utils.data.streaming import ImageStream
from course_utils.errors import DataError
from course_utils.pretraining.command import pretrain
from course_utils.pretraining.order import Order
from course_utils.running.records import load_record


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", "none")


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Return a folder of two classes in three splits, whose training images are the stream's."""
    folder = tmp_path_factory.mktemp("tree")
    generator = torch.Generator().manual_seed(0)
    for split, count in (("train", 20), ("val", 4), ("test", 4)):
        for label in ("cat", "cat-big"):  # as paths they sort the other way
            (folder / split / label).mkdir(parents=True)
            for number in range(count):
                pixels = torch.randint(0, 256, (32, 32, 3), dtype=torch.uint8, generator=generator)
                Image.fromarray(pixels.numpy()).save(folder / split / label / f"{number:02}.png")
    return folder


def values_with(tree):
    return {**tiny.PARAMETERS, "NUM_TRAIN_IMAGES": 0, "NUM_EPOCHS": 3, "DATASET": str(tree)}


@pytest.fixture(scope="module")
def in_memory(tree, tmp_path_factory):
    """Return the weights that come of the images in memory."""
    folder = tmp_path_factory.mktemp("runs") / "memory"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_PROGRESS", "none")
        assert pretrain(Order("simclr", values_with(tree), name=str(folder))).exit_code == 0
    return weights(folder)


def weights(folder, name="simclr"):
    return load_file(folder / "encoders" / f"{name}.safetensors")


@pytest.mark.parametrize("below", ["train", ""])
def test_reading_while_it_trains_gives_the_same_weights(tree, in_memory, tmp_path, below):
    """Also where the stream's folder holds what DATASET holds out."""
    folder = tree / below
    order = Order("simclr", values_with(tree), name=f"{tmp_path}/run", stream=str(folder), num_workers=0)
    assert pretrain(order).exit_code == 0
    streamed = weights(tmp_path / "run")
    assert all(torch.equal(streamed[name], tensor) for name, tensor in in_memory.items())
    told = load_record(tmp_path / "run", "05_simclr")["environment"]["stream"]
    assert told == f"40 images of {folder}"


@pytest.mark.parametrize("devices", [1, 2])
def test_workers_and_other_processes_change_nothing(tree, in_memory, tmp_path, devices):
    values = values_with(tree)
    more = ["--stream", f"{tree}/train", "--workers", "2", "--devices", str(devices)]
    process = tiny.start(tiny.words(tmp_path / "run", *more, **values))
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 0, out + errors
    streamed = weights(tmp_path / "run")
    for name, tensor in in_memory.items():
        assert_close(streamed[name], tensor, rtol=1e-3, atol=1e-4)


def test_it_goes_on_with_the_right_images(tree, in_memory, tmp_path, monkeypatch):
    import course_utils.training as training

    asked, steps = training._Saving.look, 0

    def stopped(self):
        nonlocal steps
        steps += 1
        if steps == 7:  # in the middle of the second epoch
            self.stop = lambda: True
        asked(self)

    order = Order(
        "simclr",
        values_with(tree),
        name=f"{tmp_path}/run",
        minutes_between_checkpoints=0.0,
        stream=f"{tree}/train",
        num_workers=0,
    )
    monkeypatch.setattr(training._Saving, "look", stopped)
    pretrain(order)
    assert tiny.saved_step(tmp_path / "run") == 7
    monkeypatch.undo()
    assert pretrain(replace(order, num_workers=1)).exit_code == 0
    resumed = weights(tmp_path / "run")
    assert all(torch.equal(resumed[name], tensor) for name, tensor in in_memory.items())


def test_rotations_are_streamed_as_well(tree, tmp_path):
    own = {name: values_with(tree)[name] for name in ("VIEW_SIZES", "BATCH_SIZE", "DEVICE", "PRECISION", "DATASET")}
    for name, stream in (("memory", None), ("disk", f"{tree}/train")):
        workers = None if stream is None else 0
        order = Order(
            "rotation", {**own, "NUM_EPOCHS": 1}, name=f"{tmp_path}/{name}", stream=stream, num_workers=workers
        )
        assert pretrain(order).exit_code == 0
    memory, disk = (weights(tmp_path / name, "rotation") for name in ("memory", "disk"))
    assert all(torch.equal(disk[name], tensor) for name, tensor in memory.items())


def test_labels_are_not_needed_and_nothing_is_read_before_its_turn(tmp_path, monkeypatch):
    for number in range(10):
        folder = tmp_path / "deep" / str(number % 3)
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30), (number, 0, 0)).save(folder / f"{number}.png")
    opened = []
    read = streaming.read_image
    monkeypatch.setattr(streaming, "read_image", lambda path, size: opened.append(path) or read(path, size))
    stream = ImageStream(str(tmp_path), 8)
    batches = stream.read(torch.tensor([[9, 0], [1, 1], [2, 3]]))
    assert opened == []
    assert next(batches).shape == (2, 3, 8, 8)
    assert [path.name for path in opened] == ["8.png", "0.png"]  # sorted by folder: 0 3 6 9, 1 4 7, 2 5 8
    assert len(list(batches)) == 2
    assert stream.spread(5).tolist() == [0, 2, 4, 6, 8]
    assert len(stream.spread(99)) == len(stream) == 10


def test_other_paths_are_another_training(tree, tmp_path):
    shutil.copytree(tree / "train", tmp_path / "copy")
    before = ImageStream(f"{tmp_path}/copy", 32).fingerprint()
    assert before == ImageStream(f"{tmp_path}/copy", 32).fingerprint()
    (tmp_path / "copy" / "cat" / "00.png").unlink()
    assert before != ImageStream(f"{tmp_path}/copy", 32).fingerprint()


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("harm", ["cut", "gone"])
def test_an_image_that_can_not_be_read_is_named(tree, tmp_path, harm, workers):
    shutil.copytree(tree / "train", tmp_path / "copy")
    stream = ImageStream(f"{tmp_path}/copy", 32, workers)
    image = tmp_path / "copy" / "cat" / "01.png"
    if harm == "cut":
        image.write_bytes(image.read_bytes()[:50])
    else:
        image.unlink()
    ends = {"cut": "can't be read: mend it or take it out of the folder", "gone": "is no longer there: put it back"}
    with pytest.raises(DataError, match=rf"^the image \S*01\.png {ends[harm]}$"):
        list(stream.read(torch.arange(8).split(4)))


def start_streaming(tree, folder, stream, *more):
    """Start a long training from a stream; return it and the processes below it, once its first state is saved."""
    values = {**values_with(tree), "NUM_EPOCHS": 400}
    process = tiny.start(tiny.words(folder, "--stream", str(stream), *more, **values))
    tiny.wait_for(tiny.checkpoint(folder), process)
    return process, psutil.Process(process.pid).children(recursive=True)


def sentence_of(process, code):
    """Return what a process says as it ends, one line, having ended with the code."""
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert errors.count("\n") == 1
    return errors


@pytest.mark.parametrize("devices", ["1", "2"])
def test_images_that_vanish_while_it_trains_are_one_sentence(tree, tmp_path, devices):
    shutil.copytree(tree / "train", tmp_path / "copy")
    more = ["--workers", "1", "--devices", devices]
    process, children = start_streaming(tree, tmp_path / "run", tmp_path / "copy", *more)
    shutil.move(tmp_path / "copy", tmp_path / "away")
    sentence = sentence_of(process, 2)
    assert sentence.startswith(f"error: the image {tmp_path}/copy/")
    assert sentence.endswith(".png is no longer there: put it back\n")
    assert tiny.are_gone(children)


def test_a_frozen_worker_is_not_waited_for(tree, tmp_path):
    more = ["--workers", "1", "--patience", "5"]
    process, workers = start_streaming(tree, tmp_path / "run", tree / "train", *more)
    workers[0].suspend()
    lost = "error: no batch came in time from the processes that read images: the same command goes "
    assert sentence_of(process, 3).startswith(lost)
    assert tiny.are_gone(workers)


def test_ctrl_c_in_a_terminal_reaches_the_workers_too_and_saves(tree, tmp_path):
    process, workers = start_streaming(tree, tmp_path / "run", tree / "train", "--workers", "2")
    for one in (*workers, process):
        one.send_signal(signal.SIGINT)
    assert sentence_of(process, 130).startswith("stopped by Ctrl-C after step ")
    assert tiny.are_gone(workers)


def test_a_killed_worker_is_one_sentence_and_costs_little(tree, tmp_path):
    process, [worker] = start_streaming(tree, tmp_path / "run", tree / "train", "--workers", "1")
    worker.kill()
    lost = "error: a process that reads images was killed, perhaps because memory ran out: the same "
    assert sentence_of(process, 3).startswith(lost)
    assert tiny.saved_step(tmp_path / "run") > 0


@pytest.mark.parametrize(
    ("task", "words", "sentence"),
    [
        ("simclr", ["--stream", "{}/nowhere"], "there is no data set or folder"),
        ("simclr", ["--stream", "{}/train/cat/00.png"], "is a file: name the folder that holds it"),
        ("simclr", ["--stream", "{}/../empty"], "holds no images"),
        ("simclr", ["--stream", "{}/train", "-p", "BATCH_SIZE", "64"], "BATCH_SIZE 64 is larger than the 40 images of"),
        ("simclr", ["--workers", "2"], "--workers read what --stream names"),
        ("simclr", ["--stream", "{}/train", "--workers", "-1"], "invalid value for '--workers'"),
        ("simclr", ["--stream", "{}/train", "--workers", "x"], "invalid value for '--workers'"),
        ("simclr", ["--stream", "{}/train", "--workers", "100000"], "invalid value for '--workers'"),
        (
            "simclr",
            ["--stream", "{0}/test", "-p", "DATASET={0}", "-p", "BATCH_SIZE=8"],
            "are DATASET's validation and test images",
        ),
        ("simclr", ["--stream", "{}/../empty", "--devices", "2"], "holds no images"),
        ("masked_words", ["--stream", "{}/train"], "--stream is for images, and masked_words reads texts"),
        ("next_word", ["--stream", "{}/train"], "--stream is for images, and next_word reads texts"),
    ],
)
def test_wrong_use_of_a_stream_is_one_sentence(tree, capsys, tmp_path, task, words, sentence):
    (tree.parent / "empty").mkdir(exist_ok=True)
    with pytest.raises(SystemExit) as stopped:
        cli.main(["pretrain", task, "--name", f"{tmp_path}/run", *(word.format(tree) for word in words)])
    said = capsys.readouterr()
    assert stopped.value.code == 2
    assert said.err.startswith("error: ")
    assert sentence in said.err
    assert said.err.count("\n") == 1
    assert not (tmp_path / "run").exists(), "nothing is written before all is checked"
