"""Texts go on by the model's own probabilities, whether one asks for guesses, draws a word, or lets it write."""

import pytest
import torch

from course_utils.data.tokenization import CLS, MASK, NUM_SPECIAL, SEP, train_tokenizer
from course_utils.errors import DataError
from course_utils.language.continuing import append_word, begin, continue_texts, draw_next, guess_next, next_logits
from course_utils.models.language import LanguageShape, build_language_model
from course_utils.pretext.next_word import sharpen

SENTENCES = ["the congress of the united states", "the senate of rome was old", "peace is better than war"]


@pytest.fixture(scope="module")
def known():
    """A vocabulary, and a model of it with random answers."""
    torch.manual_seed(0)
    pieces = train_tokenizer(SENTENCES * 5, 150)
    shape = LanguageShape(len(pieces), max_tokens=8, width=16, head_dim=8, causal=True, quiet_start=False)
    model = build_language_model(shape)
    torch.nn.init.normal_(model.predict.weight, std=0.5)
    return model, pieces


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_a_guess_tells_the_models_probabilities(known):
    model, pieces = known
    model.train()
    guess = guess_next(model, pieces, "the senate of", count=1000, temperature=0.5)
    assert model.training, "left as it was"
    row = torch.tensor([[CLS, *pieces.encode(["the senate of"])[0]]])
    logits = model.eval()(row, torch.tensor([[False, False, False, True]]))[0]
    logits[:NUM_SPECIAL] = -torch.inf
    expected = (logits / 0.5).softmax(dim=0)
    assert len(guess.words) == len(pieces) - NUM_SPECIAL
    for word, share in zip(guess.words, guess.probabilities, strict=True):
        assert share == pytest.approx(expected[pieces.tokens.index(word)].item(), abs=1e-6)
    assert list(guess.probabilities) == sorted(guess.probabilities, reverse=True)


def test_only_what_can_be_drawn_is_guessed(known):
    assert len(guess_next(*known, "peace", count=5, top_k=3).words) == 3
    assert len(guess_next(*known, "peace", temperature=0.0).words) == 1


def test_draws_come_as_often_as_the_guess_says(known):
    model, pieces = known
    guess = guess_next(model, pieces, "peace is", count=3, top_k=3)
    generator = seeded()
    drawn = [draw_next(model, pieces, "peace is", generator, top_k=3) for _ in range(300)]
    for word, share in zip(guess.words, guess.probabilities, strict=True):
        assert drawn.count(word) / 300 == pytest.approx(share, abs=4 * (share * (1 - share) / 300) ** 0.5)


def test_writing_is_guessing_again_and_again(known):
    """At temperature 0 each word is the likeliest after all before it, also where the text is longer than is read."""
    model, pieces = known
    row = begin(pieces, "the congress")
    [written] = continue_texts(model, pieces, "the congress", num_tokens=12, temperature=0.0)
    for _ in range(12):
        read = torch.cat([row[:, :1], row[:, 1:][:, -7:]], dim=1)  # [CLS], and the last of it
        probabilities = sharpen(next_logits(model, read), 0.0)
        row = torch.cat([row, probabilities.argmax(dim=1, keepdim=True)], dim=1)
    assert written == pieces.decode(row[0, 3:].tolist())


def test_several_texts_by_seed_and_without_special_tokens(known):
    options = {"num_tokens": 6, "num_texts": 3, "temperature": 2.0}
    texts = continue_texts(*known, "", seed=1, **options)
    assert len(set(texts)) == 3
    assert texts == continue_texts(*known, "", seed=1, **options)
    assert texts != continue_texts(*known, "", seed=2, **options)
    assert not any("[" in text for text in texts)


def test_a_long_text_is_read_from_its_end(known):
    model, pieces = known
    rows = torch.randint(NUM_SPECIAL, len(pieces), (2, 30), generator=seeded())
    rows[:, 0] = CLS
    changed = rows.clone()
    changed[:, 1:23] = NUM_SPECIAL  # the last 7 and [CLS] are read
    assert torch.equal(next_logits(model, rows), next_logits(model, changed))
    changed[:, 23] = NUM_SPECIAL
    assert not torch.equal(next_logits(model, rows), next_logits(model, changed))


@pytest.mark.parametrize(
    ("text", "word", "whole"),
    [
        ("the united", "states", "the united states"),
        ("the rail", "##road", "the railroad"),
        ("the end ", "##s", "the ends"),
        ("", "peace", "peace"),
        ("a", "##", "a ##"),
    ],
)
def test_a_piece_is_joined_to_its_word(text, word, whole):
    assert append_word(text, word) == whole


@pytest.mark.parametrize("name", ["[MASK]", "[SEP]", "[PAD]"])
def test_special_tokens_are_no_beginning(known, name):
    with pytest.raises(DataError, match=r"\] is no word: write how the sentence begins"):
        guess_next(*known, f"peace {name}")
    assert {MASK, SEP} < set(range(NUM_SPECIAL))


def test_an_unknown_word_is_a_beginning(known):
    assert guess_next(*known, "peace 日本").words
