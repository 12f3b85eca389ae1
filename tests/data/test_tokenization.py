"""Tokens lose nothing but case and accents, the vocabulary is always the same, and blocks are as said."""

import hashlib
import json
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.data import tokenization
from course_utils.data.corpus import Corpus, load_corpus
from course_utils.data.tokenization import (
    CLS,
    MASK,
    NUM_SPECIAL,
    PAD,
    SEP,
    SPECIAL_TOKENS,
    UNKNOWN,
    WordPieces,
    corpus_blocks,
    encode_blocks,
    train_tokenizer,
)
from course_utils.errors import DataError

TEXTS = ("The senators of the united states; the states of the senate.", "Peace, and more peace: 1861 and 1862!") * 20


@pytest.fixture(scope="module")
def pieces():
    return train_tokenizer(TEXTS, 80)


@pytest.fixture(scope="module")
def sotu():
    return train_tokenizer(load_corpus().train[::20], 1000)


def test_special_tokens_come_first(pieces):
    assert tuple(pieces.tokens[:NUM_SPECIAL]) == SPECIAL_TOKENS
    assert [SPECIAL_TOKENS[number] for number in (PAD, UNKNOWN, CLS, SEP, MASK)] == list(SPECIAL_TOKENS)
    assert len(pieces) == len(pieces.tokens) == len(set(pieces.tokens)) <= 80
    assert not pieces.continues[:NUM_SPECIAL].any()
    assert pieces.continues.tolist() == [token.startswith("##") for token in pieces.tokens]


def test_the_mask_may_be_typed_and_other_words_may_not_pass_for_special(pieces):
    [numbers] = pieces.encode(["The [MASK] of the states"])
    assert numbers.count(MASK) == 1
    assert pieces.decode(numbers) == "the [MASK] of the states"
    assert pieces.encode(["##s"])[0][0] != pieces.tokens.index("##s"), "a piece's mark is not part of the language"
    assert pieces.encode(["☃"]) == [[UNKNOWN]]
    assert pieces.encode(["", "  "]) == [[], []]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from(["the", "of", "senate", "united", "peace", "war", "1861", "reunited"]), max_size=30))
def test_words_come_back(sotu, words):
    [numbers] = sotu.encode([" ".join(words)])
    assert sotu.decode(numbers) == " ".join(words)
    assert UNKNOWN not in numbers


def test_the_vocabulary_is_always_the_same():
    code = (
        "import hashlib, json; from course_utils.data.tokenization import train_tokenizer\n"
        "from course_utils.data.corpus import load_corpus\n"
        "content = json.dumps(train_tokenizer(load_corpus().train[::20], 1000).to_json(), sort_keys=True)\n"
        "print(hashlib.sha256(content.encode()).hexdigest())"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    content = json.dumps(train_tokenizer(load_corpus().train[::20], 1000).to_json(), sort_keys=True)
    assert hashlib.sha256(content.encode()).hexdigest() == there


def test_it_survives_as_plain_data(sotu):
    again = WordPieces.from_json(json.loads(json.dumps(sotu.to_json())))
    assert again.tokens == sotu.tokens
    text = ["Fellow-citizens of the [MASK]: café 1862"]
    assert again.encode(text) == sotu.encode(text)
    for harm in (None, {}, {"model": {}}, []):
        with pytest.raises(ValueError, match="not a tokenizer"):
            WordPieces.from_json(harm)


def test_blocks_hold_the_texts_in_order(pieces):
    texts = ("the states of the senate " * 9, "peace")
    blocks = encode_blocks(texts, pieces, 8)
    numbers = pieces.encode(texts)
    assert (blocks[:, 0] == CLS).all()
    whole = blocks[:-1]
    assert (whole[:, -1] == SEP).all()
    inside = whole[:, 1:-1].flatten().tolist()
    assert inside == numbers[0][: len(inside)]
    assert 0 <= len(numbers[0]) - len(inside) < 6
    assert blocks[-1].tolist() == [CLS, *numbers[1], SEP, *[PAD] * (6 - len(numbers[1]))]
    assert encode_blocks(("", "  "), pieces, 8).shape == (0, 8)
    with pytest.raises(ValueError, match="at least 3 tokens, got 2"):
        encode_blocks(texts, pieces, 2)


def test_a_line_of_any_length(monkeypatch, pieces):
    """Cut at blanks, a long line gives the tokens that it gives whole; without a blank it still ends."""
    text = " ".join(["the senate of the united states"] * 200)
    [whole] = pieces.encode([text])
    monkeypatch.setattr(tokenization, "LONGEST_PIECE", 100)
    assert pieces.encode([text]) == [whole]
    assert train_tokenizer([text] * 2, 60).tokens
    [numbers] = pieces.encode(["x" * 1000])
    assert numbers
    assert set(numbers) == {UNKNOWN}


def test_a_text_of_any_script():
    pieces = train_tokenizer(["日本語 и русский, ελληνικά; Łódź naïve ½ £5 😀"] * 5, 200)
    [numbers] = pieces.encode(["日本 русский ελληνικά łodz naive £5 😀"])
    assert UNKNOWN not in numbers


@pytest.mark.parametrize("texts", [[], [""], [" \n "]])
def test_no_words_no_vocabulary(texts):
    with pytest.raises(DataError, match="hold no words"):
        train_tokenizer(texts, 100)


def test_a_vocabulary_has_room():
    with pytest.raises(ValueError, match="vocab_size must be above 5, got 5"):
        train_tokenizer(TEXTS, 5)
    with pytest.raises(DataError, match="choose a larger VOCAB_SIZE"):
        train_tokenizer(TEXTS, 10)


def test_every_split_needs_words(pieces):
    corpus = Corpus(TEXTS, TEXTS[:1], (" ",), "")
    with pytest.raises(DataError, match="the test texts hold no words"):
        corpus_blocks(corpus, pieces, 16)
    blocks = corpus_blocks(Corpus(TEXTS, TEXTS[:2], TEXTS[:1], ""), pieces, 16)
    assert len(blocks["train"]) >= 40
    assert all(part.dtype == torch.int64 for part in blocks.values())
