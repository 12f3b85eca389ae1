"""The next word's loss against a slow loop, its closed form and the network itself; drawing against its definition."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_utils.models.language import LanguageShape, build_language_model
from course_utils.pretext.next_word import next_word_accuracy, next_word_loss, perplexity, sharpen, shift_tokens

PADDING, CLS, SEP, NUM_SPECIAL, VOCAB = 0, 2, 3, 5, 11


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def slow_loss(logits, tokens):
    """Read each text from left to right and be surprised at each ordinary token; logits (batch, tokens, vocabulary)."""
    surprises = []
    for text, scores in zip(tokens.tolist(), logits.tolist(), strict=True):
        for place in range(1, len(text)):
            if text[place] >= NUM_SPECIAL:
                exponents = [math.exp(score) for score in scores[place - 1]]
                surprises.append(-math.log(exponents[text[place]] / sum(exponents)))
    return sum(surprises) / len(surprises) if surprises else 0.0


@given(batch=st.integers(1, 4), length=st.integers(2, 7), seed=st.integers(0, 10_000))
def test_the_loss_equals_a_slow_loop(batch, length, seed):
    tokens = torch.randint(0, VOCAB, (batch, length), generator=seeded(seed))
    logits = torch.randn(batch, length, VOCAB, generator=seeded(seed), dtype=torch.float64)
    words = shift_tokens(tokens, NUM_SPECIAL)
    loss = next_word_loss(logits[:, :-1][words.asked], words)
    assert loss.item() == pytest.approx(slow_loss(logits, tokens), rel=1e-9)


def test_closed_form_of_knowing_nothing_and_of_knowing():
    tokens = torch.tensor([[CLS, 5, 6, 7, SEP], [CLS, 8, SEP, PADDING, PADDING]])
    words = shift_tokens(tokens, NUM_SPECIAL)
    assert words.targets[words.asked].tolist() == [5, 6, 7, 8], "special tokens are not asked for"
    assert words.inputs[words.asked].tolist() == [CLS, 5, 6, CLS], "what stands left of them"
    assert next_word_loss(torch.zeros(4, VOCAB), words).item() == pytest.approx(math.log(VOCAB))
    sure = 50.0 * torch.nn.functional.one_hot(words.targets[words.asked], VOCAB)
    assert next_word_loss(sure, words).item() == pytest.approx(0, abs=1e-6)
    assert next_word_accuracy(sure, words).item() == 1


def test_where_nothing_is_asked_the_loss_is_0():
    words = shift_tokens(torch.full((2, 4), PADDING), NUM_SPECIAL)
    assert next_word_loss(torch.empty(0, VOCAB), words).item() == 0


@given(place=st.integers(1, 8), seed=st.integers(0, 100))
def test_no_answer_depends_on_what_comes_later(place, seed):
    """The mask, the convolution and the shift together: a changed word changes no answer to its left or to itself."""
    torch.manual_seed(seed)
    shape = LanguageShape(VOCAB, max_tokens=9, width=16, head_dim=8, causal=True, quiet_start=False)
    model = build_language_model(shape).double().eval()
    tokens = torch.randint(NUM_SPECIAL, VOCAB, (2, 9), generator=seeded(seed))
    changed = tokens.clone()
    changed[:, place] = NUM_SPECIAL + (changed[:, place] - NUM_SPECIAL + 1) % (VOCAB - NUM_SPECIAL)
    before, after = (
        model(words.inputs, words.asked).view(2, 8, VOCAB)
        for words in (shift_tokens(text, NUM_SPECIAL) for text in (tokens, changed))
    )
    torch.testing.assert_close(before[:, :place], after[:, :place])  # place − 1 is where the changed word is asked for
    if place < 8:
        assert not torch.allclose(before[:, place], after[:, place])


@pytest.mark.parametrize("shape", [(5,), (2, 1), (2, 3, 4)])
def test_tokens_of_another_shape(shape):
    with pytest.raises(ValueError, match=r"must have the shape \(batch, at least 2\), got"):
        shift_tokens(torch.zeros(shape, dtype=torch.int64), NUM_SPECIAL)


def test_perplexity_is_how_many_equally_likely_words():
    assert perplexity(0.0) == 1
    assert perplexity(math.log(VOCAB)) == pytest.approx(VOCAB)
    for loss in (-0.1, math.nan):
        with pytest.raises(ValueError, match="not below 0, got"):
            perplexity(loss)


def slow_sharpen(logits, temperature, top_k):
    order = sorted(range(len(logits)), key=lambda token: (-logits[token], token))
    kept = order[:1] if temperature == 0 else order[: top_k or len(logits)]
    largest = max(logits)
    exponents = {token: math.exp((logits[token] - largest) / (temperature or 1)) for token in kept}
    return [exponents.get(token, 0.0) / sum(exponents.values()) for token in range(len(logits))]


@given(
    logits=st.lists(st.floats(-30, 30), min_size=1, max_size=8),
    temperature=st.sampled_from([0.0, 0.01, 0.5, 1.0, 3.0]),
    top_k=st.integers(0, 10),
)
def test_drawing_equals_its_definition(logits, temperature, top_k):
    probabilities = sharpen(torch.tensor(logits, dtype=torch.float64), temperature, top_k)
    assert probabilities.tolist() == pytest.approx(slow_sharpen(logits, temperature, top_k), abs=1e-12)


def test_rows_are_sharpened_each_by_itself_and_closed_forms():
    logits = torch.tensor([[0.0, math.log(2.0), math.log(4.0)], [3.0, 0.0, 0.0]])
    torch.testing.assert_close(sharpen(logits)[0], torch.tensor([1 / 7, 2 / 7, 4 / 7]))
    torch.testing.assert_close(sharpen(logits, top_k=2)[0], torch.tensor([0, 1 / 3, 2 / 3]))
    torch.testing.assert_close(sharpen(logits, 0.5)[0], torch.tensor([1 / 21, 4 / 21, 16 / 21]))
    assert sharpen(logits, 0.0).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert sharpen(1e6 * logits, 1e-3).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert sharpen(logits.bfloat16()).dtype == torch.float32


@pytest.mark.parametrize(
    ("temperature", "top_k", "message"),
    [
        (-0.5, 0, "temperature must be finite and not below 0, got -0.5"),
        (math.nan, 0, "got nan"),
        (math.inf, 0, "got inf"),
        (1.0, -1, "top_k must be at least 1, or 0 for all, got -1"),
    ],
)
def test_numbers_out_of_range(temperature, top_k, message):
    with pytest.raises(ValueError, match=message):
        sharpen(torch.zeros(3), temperature, top_k)
