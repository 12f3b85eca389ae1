"""Words become numbers and nothing gets lost on the way but what is rare."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.data.vocabulary import PADDING, Vocabulary, build_vocabulary, split_words

TEXTS = ["The cat and the dog.", "The CAT sat!", "A dog ran"]


def test_the_commonest_words_are_kept():
    assert build_vocabulary(TEXTS, 3).words == ("cat", "dog", "the")
    assert len(build_vocabulary(TEXTS, 100)) == 7


def test_encoding_keeps_order_and_marks_what_it_does_not_know():
    vocabulary = Vocabulary(("cat", "dog", "the"))
    assert vocabulary.encode(TEXTS).tolist() == [[3, 1, 0, 3, 2], [3, 1, 0, 0, 0], [0, 2, 0, 0, 0]]
    assert vocabulary.encode(["zebra", ""]).tolist() == [[PADDING], [PADDING]]


@given(st.lists(st.text(alphabet="abc XYZ.é", max_size=20), min_size=1, max_size=5))
def test_a_vocabulary_of_everything_gives_every_word_back(texts):
    words = [split_words(text) for text in texts]
    if not any(words):
        with pytest.raises(ValueError, match="a vocabulary needs texts with words"):
            build_vocabulary(texts, 5)
        return
    vocabulary = build_vocabulary(texts, 1000)
    for row, expected in zip(vocabulary.encode(texts).tolist(), words, strict=True):
        assert [vocabulary.words[number - 1] for number in row if number != PADDING] == expected


def test_no_words_no_vocabulary():
    with pytest.raises(ValueError, match="max_words must be at least 1, got 0"):
        build_vocabulary(TEXTS, 0)
