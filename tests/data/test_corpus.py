"""Whole texts for pretraining: split as the labeled passages are; what can't be used is one sentence."""

import pytest

from course_utils.data import addresses
from course_utils.data.corpus import corpus_fingerprint, load_corpus
from course_utils.data.text import load_addresses, load_texts
from course_utils.errors import DataError


def write(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def words(count, mark="w"):
    return " ".join(f"{mark}{number}" for number in range(count))


def test_the_addresses_are_split_as_for_the_labeled_task():
    corpus = load_corpus()
    parts = addresses.split_addresses(load_addresses())
    for name in ("train", "validation", "test"):
        assert list(getattr(corpus, name)) == [address.text for address in parts[name]]
    assert "1,277,762 train, 179,240 validation, 337,882 test" in corpus.description


def test_a_folder_of_classes_is_split_as_load_texts_does(tmp_path):
    for name in ("ham", "spam"):
        for number in range(12):
            write(tmp_path, f"{name}/{number}.txt", words(50, f"{name}-{number}-"))
    corpus, texts = load_corpus(str(tmp_path)), load_texts(str(tmp_path), 50)
    for split in ("train", "validation", "test"):
        assert set(getattr(corpus, split)) == set(getattr(texts, split).texts)


def test_any_folder_of_texts(tmp_path):
    for number in range(20):
        write(tmp_path, f"year/{number:02}.txt", words(40, f"{number}-"))
    write(tmp_path, "19.txt", words(40, "x-"))
    write(tmp_path, "notes.md", b"\xff")
    write(tmp_path, ".hidden.txt", b"\xff")
    corpus = load_corpus(str(tmp_path))
    parts = [corpus.train, corpus.validation, corpus.test]
    assert [len(part) for part in parts] == [17, 2, 2]
    assert len(set().union(*parts)) == 21
    assert "Words: 680 train, 80 validation, 80 test; a tenth held out twice, by file." in corpus.description


def test_one_file_is_cut_in_three_between_words(tmp_path):
    write(tmp_path, "book.txt", words(1000))
    corpus = load_corpus(str(tmp_path))
    parts = [part.split() for [part] in (corpus.train, corpus.validation, corpus.test)]
    assert [word for part in parts for word in part] == words(1000).split()
    assert [len(part) for part in parts] == pytest.approx([800, 100, 100], abs=30)
    assert "each text cut" in corpus.description


def test_empty_files_do_not_count(tmp_path):
    write(tmp_path, "book.txt", words(1000))
    for number in range(5):
        write(tmp_path, f"{number}.txt", " \n")
    corpus = load_corpus(str(tmp_path))
    assert all(part and all(text.strip() for text in part) for part in (corpus.train, corpus.validation, corpus.test))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.txt": words(10)}, "has 10 words, too few to learn a language from: it needs 500 at the very least"),
        ({"a.txt": "", "b.txt": "\n"}, "has 0 words, too few"),
        ({"a.txt": words(600), "b.txt": "caf\xe9".encode("latin-1")}, "b.txt is not text in UTF-8: save it so or take"),
        ({"a.txt": words(600).encode("utf-16")}, "a.txt is not text in UTF-8"),
        ({"a.md": words(600)}, r"holds no texts \(.txt\)"),
    ],
)
def test_what_is_no_corpus_is_one_sentence(tmp_path, files, message):
    for name, content in files.items():
        write(tmp_path, name, content)
    with pytest.raises(DataError, match=message) as caught:
        load_corpus(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_the_fingerprint_changes_with_the_texts(tmp_path):
    write(tmp_path, "a.txt", words(600))
    before = corpus_fingerprint(str(tmp_path))
    assert corpus_fingerprint(str(tmp_path)) == before
    write(tmp_path, "b.txt", words(600))
    assert corpus_fingerprint(str(tmp_path)) != before
    assert corpus_fingerprint("sotu") == corpus_fingerprint("sotu") != before
    with pytest.raises(DataError, match="there is no data set or folder"):
        corpus_fingerprint(str(tmp_path / "absent"))


def test_what_is_no_folder(tmp_path):
    write(tmp_path, "a.txt", words(600))
    with pytest.raises(DataError, match=r"a\.txt is a file: name the folder that holds it"):
        load_corpus(str(tmp_path / "a.txt"))
    with pytest.raises(DataError, match="there is no data set or folder"):
        load_corpus(str(tmp_path / "absent"))
    with pytest.raises(DataError, match="did you mean 'sotu'"):
        load_corpus("sotuu")
