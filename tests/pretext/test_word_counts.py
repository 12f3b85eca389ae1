"""Counts are checked against a slow loop over a text."""

import itertools
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.pretext.masking import MaskedTokens
from course_utils.pretext.word_counts import PRIOR, WordBefore, frequency_score, token_frequencies

VOCAB, NUM_SPECIAL = 9, 3


def draw(batch, length, seed):
    return torch.randint(0, VOCAB, (batch, length), generator=torch.Generator().manual_seed(seed))


def test_frequencies_count_no_special_tokens():
    tokens = torch.tensor([[0, 5, 5, 7, 1, 0]])
    frequencies = token_frequencies(tokens, VOCAB, NUM_SPECIAL)
    assert frequencies.sum().item() == pytest.approx(1)
    assert (frequencies * 12).tolist() == pytest.approx([1, 1, 1, 1, 1, 3, 1, 2, 1])


@settings(deadline=None)
@given(batch=st.integers(1, 5), length=st.integers(2, 8), seed=st.integers(0, 1000))
def test_the_word_before_equals_a_slow_count(batch, length, seed):
    tokens = draw(batch, length, seed)
    frequencies = token_frequencies(tokens, VOCAB, NUM_SPECIAL)
    model = WordBefore(tokens, frequencies)
    rows = tokens.tolist()
    pairs = Counter((left, right) for row in rows for left, right in itertools.pairwise(row))
    lefts = Counter(left for row in rows for left in row[:-1])
    shown, chosen = draw(batch, length, seed + 1), draw(batch, length, seed + 2) < 5
    chosen[0, 1] = True
    loss, accuracy = model.score(MaskedTokens(shown, chosen), tokens)
    shares, right = [], []
    for row, flags, inputs in zip(rows, chosen.tolist(), shown.tolist(), strict=True):
        for place in range(1, length):
            if flags[place]:
                left = inputs[place - 1]
                scores = [pairs[left, word] + PRIOR * frequencies[word].item() for word in range(VOCAB)]
                shares.append(scores[row[place]] / (lefts[left] + PRIOR))
                right.append(scores[row[place]] == pytest.approx(max(scores), rel=1e-6))
    assert loss == pytest.approx(-torch.tensor(shares).log().mean().item(), rel=1e-4)
    assert accuracy <= sum(right) / len(right) + 1e-6, "of equally likely words only one can be named"


def test_a_text_that_repeats_itself_is_known():
    tokens = torch.tensor([[3, 4, 5, 6] * 50])
    model = WordBefore(tokens, token_frequencies(tokens, VOCAB, NUM_SPECIAL))
    loss, accuracy = model.score(MaskedTokens(tokens, torch.ones_like(tokens, dtype=torch.bool)), tokens)
    assert accuracy == 1
    assert loss < 0.3


def test_frequency_alone():
    frequencies = torch.tensor([0.5, 0.25, 0.25])
    loss, accuracy = frequency_score(frequencies, torch.tensor([0, 1]))
    assert loss == pytest.approx(1.5 * torch.log(torch.tensor(2.0)).item())
    assert accuracy == 0.5
