"""n-grams are checked against a slow count, as probabilities that sum to 1, and by what is known of special texts."""

import math
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.pretext.ngrams import NUM_BUCKETS, Ngrams
from course_utils.pretext.word_counts import token_frequencies

VOCAB, NUM_SPECIAL = 9, 3


def draw(batch, length, seed):
    return torch.randint(0, VOCAB, (batch, length), generator=torch.Generator().manual_seed(seed))


def make(train, validation, size=3, vocab=VOCAB):
    return Ngrams(train, validation, token_frequencies(train, vocab, NUM_SPECIAL), NUM_SPECIAL, size)


def slow_probability(model, rows, context, word, size):
    """Count what followed the context by going through the text, for ever longer contexts."""
    share = model.frequencies[word].item()
    for order in range(1, size):
        followers = Counter()
        for row in rows:
            padded = [row[0]] * (order - 1) + row
            for place in range(order, len(padded)):
                if padded[place] >= NUM_SPECIAL and padded[place - order : place] == context[-order:]:
                    followers[padded[place]] += 1
        seen = sum(followers.values())
        weight = model.weights[order - 1][min(int(math.log2(seen)) + 1, NUM_BUCKETS - 1) if seen else 0].item()
        share = weight * (followers[word] / seen if seen else 0.0) + (1 - weight) * share
    return share


@settings(deadline=None, max_examples=30)
@given(batch=st.integers(1, 5), length=st.integers(4, 9), size=st.integers(2, 4), seed=st.integers(0, 1000))
def test_it_equals_a_slow_count_and_the_probabilities_sum_to_1(batch, length, size, seed):
    train, validation, test = (draw(batch, length, seed + part) for part in range(3))
    model = make(train, validation, size)
    rows, shares = train.tolist(), []
    for text in test.tolist():
        padded = [text[0]] * (size - 2) + text
        for place in range(size - 1, len(padded)):
            if padded[place] >= NUM_SPECIAL:
                shares.append(slow_probability(model, rows, padded[place - size + 1 : place], padded[place], size))
    if shares:
        assert model.loss(test) == pytest.approx(-sum(map(math.log, shares)) / len(shares), rel=1e-5)
    context = test[0, : size - 1]
    specials = model.frequencies[:NUM_SPECIAL].sum().item()
    total = model.next_word(context).sum().item()
    assert total == pytest.approx(1, abs=1e-6)
    assert model.next_word(context)[:NUM_SPECIAL].sum().item() <= specials + 1e-9, "no text counts for special tokens"


def test_the_weights_are_where_validation_is_likeliest():
    train, validation = draw(200, 20, 0) // 2 * 2, draw(3000, 20, 1) // 2 * 2
    train[:, 1::2], validation[:, 1::2] = train[:, ::2], (validation[:, ::2] + (draw(3000, 10, 2) > 6)) % VOCAB
    model = make(train, validation, size=2)
    best = model.loss(validation)
    for bucket in range(1, NUM_BUCKETS):
        kept = model.weights[0][bucket].item()
        for change in (-0.03, 0.03):
            model.weights[0][bucket] = min(max(kept + change, 0.01), 0.99)
            assert model.loss(validation) >= best - 1e-4
        model.weights[0][bucket] = kept


def test_longer_contexts_hold_the_shorter_models():
    train, validation, test = draw(50, 20, 0), draw(20, 20, 1), draw(20, 20, 2)
    trigrams, bigrams = make(train, validation, 3), make(train, validation, 2)
    assert trigrams.loss(test, size=2) == pytest.approx(bigrams.loss(test))
    asked = test[:, 1:][test[:, 1:] >= NUM_SPECIAL]
    unigram = -trigrams.frequencies[asked].log().mean().item()
    assert trigrams.loss(test, size=1) == pytest.approx(unigram)


def test_a_text_that_only_two_words_of_context_decide():
    """a b c a d e: what follows "a" is open, what follows "c a" and "e a" is not."""
    tokens = torch.tensor([[3, 4, 5, 3, 6, 7] * 20] * 4)
    model = make(tokens, tokens)
    assert model.loss(tokens, size=2) > 0.3 * math.log(2)
    assert model.loss(tokens) < 0.06
    assert model.next_word(torch.tensor([5, 3])).argmax() == 6


def test_a_word_never_seen_is_possible():
    train = torch.tensor([[3, 4, 3, 4, 3, 4]])
    model = make(train, train)
    assert math.isfinite(model.loss(torch.tensor([[7, 8, 7, 3, 8]])))
    assert (model.next_word(torch.tensor([8, 8])) > 0).all()


def test_sizes_that_make_no_sense():
    tokens = draw(2, 5, 0)
    with pytest.raises(ValueError, match="at least 2 words, got 1"):
        make(tokens, tokens, size=1)
    with pytest.raises(ValueError, match="5 words of a vocabulary of 10000 are too many to count"):
        make(tokens, tokens, size=5, vocab=10_000)
