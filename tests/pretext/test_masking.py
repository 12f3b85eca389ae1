"""Masking is checked by its rules, by counts, against transformers' collator, and the loss against a slow loop."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_utils.pretext.masking import MaskingRules, hide_tokens, masked_accuracy, masked_cross_entropy

PADDING, CLS, SEP, MASK, NUM_SPECIAL, VOCAB = 0, 2, 3, 4, 5, 50
RULES = MaskingRules(VOCAB, NUM_SPECIAL, MASK)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def draw_tokens(batch, length, seed=0):
    """Return blocks of ordinary tokens between [CLS] and [SEP]; the last one is half padding."""
    tokens = torch.randint(NUM_SPECIAL, VOCAB, (batch, length), generator=seeded(seed))
    tokens[:, 0], tokens[:, -1] = CLS, SEP
    tokens[-1, length // 2 :] = PADDING
    return tokens


@given(
    batch=st.integers(1, 6),
    length=st.integers(1, 12),
    rate=st.floats(0.001, 1),
    shares=st.sampled_from([(0.8, 0.1), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0), (0.5, 0.5)]),
    whole_words=st.booleans(),
    seed=st.integers(0, 10_000),
)
def test_the_rules(batch, length, rate, shares, whole_words, seed):
    tokens = torch.randint(0, VOCAB, (batch, length), generator=seeded(seed))
    continues = torch.arange(VOCAB) >= 30 if whole_words else None
    before = tokens.clone()
    rules = MaskingRules(VOCAB, NUM_SPECIAL, MASK, rate, *shares)
    inputs, chosen = hide_tokens(tokens, rules, seeded(seed), continues)
    assert torch.equal(tokens, before)
    assert torch.equal(inputs[~chosen], tokens[~chosen])
    assert not chosen[tokens < NUM_SPECIAL].any(), "special tokens and padding are never chosen"
    has_words = (tokens >= NUM_SPECIAL).any(dim=1)
    assert torch.equal(chosen.any(dim=1), has_words), "at least one target a sequence"
    put_in = inputs[chosen]
    assert ((put_in == MASK) | (put_in >= NUM_SPECIAL)).all(), "a random word is never special"
    if shares == (1.0, 0.0):
        assert (put_in == MASK).all()
    if shares == (0.0, 0.0):
        assert torch.equal(inputs, tokens)
    if whole_words:
        inside = (tokens[:, 1:] >= 30) & (tokens[:, :-1] >= NUM_SPECIAL)
        assert torch.equal(chosen[:, 1:][inside], chosen[:, :-1][inside])
    again = hide_tokens(tokens, rules, seeded(seed), continues)
    assert torch.equal(again.inputs, inputs)
    assert torch.equal(again.chosen, chosen)


def shares_of(tokens, inputs, chosen):
    """Return the share of ordinary tokens chosen, and of these how many are masked, kept, replaced."""
    ordinary = tokens >= NUM_SPECIAL
    masked, kept = inputs[chosen] == MASK, inputs[chosen] == tokens[chosen]
    return [
        chosen.sum() / ordinary.sum(),
        masked.float().mean(),
        kept.float().mean(),
        1 - (masked | kept).float().mean(),
    ]


def test_the_shares_are_those_of_the_paper_and_of_transformers():
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"word{number}" for number in range(VOCAB - NUM_SPECIAL))]
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizers.Tokenizer(
            tokenizers.models.WordPiece({name: number for number, name in enumerate(names)}, unk_token="[UNK]")
        ),
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )
    tokens = draw_tokens(2000, 64)
    torch.manual_seed(0)
    batch = transformers.DataCollatorForLanguageModeling(tokenizer)([{"input_ids": row} for row in tokens.tolist()])
    theirs = shares_of(tokens, batch["input_ids"], batch["labels"] != -100)
    ours = shares_of(tokens, *hide_tokens(tokens, RULES, seeded()))
    lucky = 1 / (VOCAB - NUM_SPECIAL)  # a random word may be the same word
    expected = [0.15, 0.8, 0.1 + 0.1 * lucky, 0.1 - 0.1 * lucky]
    for own, other, share in zip(ours, theirs, expected, strict=True):
        assert own.item() == pytest.approx(share, abs=0.012)  # about four standard errors of 18,600 chosen
        assert own.item() == pytest.approx(other.item(), abs=0.015)


def test_what_is_chosen_and_what_becomes_of_it_are_independent():
    """One shared draw would make a chosen token's kind depend on the rate (a mistake that was seen)."""
    tokens = draw_tokens(1000, 64)
    for rate in (0.15, 0.8):
        rules = MaskingRules(VOCAB, NUM_SPECIAL, MASK, rate)
        assert shares_of(tokens, *hide_tokens(tokens, rules, seeded()))[1].item() == pytest.approx(0.8, abs=0.02)


def test_random_words_are_uniform_and_places_too():
    rules = MaskingRules(VOCAB, NUM_SPECIAL, MASK, 0.5, 0.0, 1.0)
    tokens = draw_tokens(3000, 32)[:-1]
    inputs, chosen = hide_tokens(tokens, rules, seeded())
    counts = torch.bincount(inputs[chosen], minlength=VOCAB)
    assert counts[:NUM_SPECIAL].sum() == 0
    expected = chosen.sum() / (VOCAB - NUM_SPECIAL)
    assert ((counts[NUM_SPECIAL:] - expected).abs() < 5 * expected.sqrt()).all()
    by_place = chosen[:, 1:-1].float().mean(dim=0)
    assert ((by_place - 0.5).abs() < 0.05).all()


def test_every_step_hides_anew():
    tokens, generator = draw_tokens(8, 32), seeded()
    first, second = (hide_tokens(tokens, RULES, generator).chosen for _ in range(2))
    assert not torch.equal(first, second)


def slow_loss(logits, tokens, chosen):
    """Go through the text token by token, as one would by hand."""
    losses, row = [], 0
    for sequence, flags in zip(tokens.tolist(), chosen.tolist(), strict=True):
        for token, flag in zip(sequence, flags, strict=True):
            if flag:
                exponents = [math.exp(value) for value in logits[row].tolist()]
                losses.append(-math.log(exponents[token] / sum(exponents)))
                row += 1
    return sum(losses) / len(losses)


@given(batch=st.integers(1, 4), length=st.integers(1, 6), seed=st.integers(0, 10_000))
def test_the_loss_equals_a_slow_loop(batch, length, seed):
    generator = seeded(seed)
    tokens = torch.randint(0, 7, (batch, length), generator=generator)
    chosen = torch.rand(batch, length, generator=generator) < 0.5
    chosen[0, 0] = True
    logits = torch.randn(int(chosen.sum()), 7, generator=generator, dtype=torch.float64)
    loss = masked_cross_entropy(logits, tokens, chosen)
    assert loss.item() == pytest.approx(slow_loss(logits, tokens, chosen), rel=1e-9)


def test_closed_form_of_knowing_nothing_and_of_knowing():
    tokens = draw_tokens(4, 16)
    chosen = hide_tokens(tokens, RULES, seeded()).chosen
    assert masked_cross_entropy(torch.zeros(int(chosen.sum()), VOCAB), tokens, chosen).item() == pytest.approx(
        math.log(VOCAB)
    )
    sure = 50.0 * torch.nn.functional.one_hot(tokens[chosen], VOCAB)
    assert masked_cross_entropy(sure, tokens, chosen).item() == pytest.approx(0, abs=1e-6)
    assert masked_accuracy(sure, tokens, chosen).item() == 1


def test_nothing_masked_is_no_nan():
    tokens = torch.full((2, 3), PADDING)
    inputs, chosen = hide_tokens(tokens, RULES, seeded())
    assert not chosen.any()
    assert torch.equal(inputs, tokens)
    logits = torch.empty(0, VOCAB, requires_grad=True)
    loss = masked_cross_entropy(logits, tokens, chosen)
    loss.backward()
    assert loss.item() == 0
    assert masked_accuracy(logits, tokens, chosen).item() == 0
    assert hide_tokens(torch.empty(0, 3, dtype=torch.int64), RULES, seeded()).chosen.shape == (0, 3)


def test_what_is_not_chosen_does_not_count():
    tokens, chosen = torch.tensor([[5, 6, 7]]), torch.tensor([[False, True, False]])
    logits = torch.zeros(1, VOCAB)
    loss = masked_cross_entropy(logits, tokens, chosen)
    assert torch.equal(loss, masked_cross_entropy(logits, torch.tensor([[9, 6, 0]]), chosen))


def test_half_precision_is_computed_in_float32():
    tokens, chosen = torch.tensor([[5, 6]]), torch.ones(1, 2, dtype=torch.bool)
    logits = torch.randn(2, VOCAB, generator=seeded()).to(torch.bfloat16)
    loss = masked_cross_entropy(logits, tokens, chosen)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, masked_cross_entropy(logits.float(), tokens, chosen))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((50, 5, 4, 0.0), r"rate must be in \(0, 1\], got 0.0"),
        ((50, 5, 4, 1.5), r"rate must be in \(0, 1\], got 1.5"),
        ((50, 5, 4, float("nan")), r"rate must be in \(0, 1\], got nan"),
        ((50, 5, 5), "mask_id 5, num_special 5"),
        ((5, 5, 4), "vocab_size 5"),
        ((50, 5, 4, 0.15, 0.9, 0.2), "got 0.9 and 0.2"),
        ((50, 5, 4, 0.15, -0.1, 0.2), "got -0.1 and 0.2"),
    ],
)
def test_rules_that_make_no_sense(arguments, message):
    with pytest.raises(ValueError, match=message):
        MaskingRules(*arguments)


def test_wrong_input_is_named():
    with pytest.raises(ValueError, match=r"shape \(batch, tokens\), got \(3,\)"):
        hide_tokens(torch.tensor([5, 6, 7]), RULES, seeded())
    with pytest.raises(ValueError, match="between 0 and 49, got 5 … 50"):
        hide_tokens(torch.tensor([[5, 50]]), RULES, seeded())
    with pytest.raises(ValueError, match=r"1 chosen tokens need logits of as many rows, got \(2, 50\)"):
        masked_cross_entropy(torch.zeros(2, 50), torch.tensor([[5, 6]]), torch.tensor([[True, False]]))
