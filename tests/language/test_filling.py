"""Blanks are filled from the model's own probabilities; what can't be filled is one sentence."""

import pytest
import torch
from torch.nn import functional as F

from course_utils.data.tokenization import CLS, MASK, NUM_SPECIAL, SEP, encode_blocks, train_tokenizer
from course_utils.errors import DataError
from course_utils.language.filling import Blank, fill_in, keep_readable, nearest_words, score_masked
from course_utils.models.language import LanguageShape, build_language_model
from course_utils.optimizers import make_matrix_optimizers
from course_utils.pretext.masking import MaskingRules, hide_tokens, masked_cross_entropy

SENTENCES = ["the congress of the united states", "the senate of rome was old", "peace is better than war"]


@pytest.fixture(scope="module")
def learned():
    """A model that knows three sentences by heart."""
    torch.manual_seed(0)
    pieces = train_tokenizer(SENTENCES * 5, 150)
    model = build_language_model(LanguageShape(len(pieces), max_tokens=12, width=32, head_dim=8))
    blocks = encode_blocks(SENTENCES, pieces, 12)
    optimizers = make_matrix_optimizers(model, model.matrices(), 0.02, adamw_lr=1e-2)
    generator = torch.Generator().manual_seed(0)
    for _ in range(80):
        inputs, chosen = hide_tokens(blocks, MaskingRules(len(pieces), NUM_SPECIAL, MASK, 0.3), generator)
        loss = masked_cross_entropy(model(inputs, chosen), blocks, chosen)
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
    return model, pieces, blocks


def test_it_fills_what_it_knows(learned):
    model, pieces, _ = learned
    model.train()
    [blank] = fill_in(model, pieces, "the congress of the united [MASK]")
    assert model.training, "left as it was"
    assert blank.words[0] == "states"
    assert blank.probabilities[0] > 0.5
    assert len(blank.words) == 5
    assert list(blank.probabilities) == sorted(blank.probabilities, reverse=True)
    assert blank.describe().startswith("states ")


def test_its_probabilities_are_the_models(learned):
    model, pieces, _ = learned
    [blank] = fill_in(model, pieces, "peace is [MASK]", count=1000)
    numbers = torch.tensor([[CLS, *pieces.encode(["peace is"])[0], MASK, SEP]])
    logits = model.eval()(numbers, numbers == MASK)[0]
    expected = logits.softmax(dim=0)[[pieces.tokens.index(word) for word in blank.words]]
    torch.testing.assert_close(torch.tensor(blank.probabilities), expected)
    assert len(blank.words) == len(pieces) - NUM_SPECIAL, "special tokens are no answer"


def test_what_is_too_long_for_the_model_is_left_out(learned):
    model, pieces, _ = learned
    long = "peace is better than war " * 4 + "[MASK]"
    assert keep_readable(model, pieces, ["peace is [MASK]", long, "[MASK] was old"]) == [
        "peace is [MASK]",
        "[MASK] was old",
    ]
    assert keep_readable(model, pieces, []) == []
    exact = "[MASK] " * 10  # with [CLS] and [SEP] the model's 12
    assert keep_readable(model, pieces, [exact, exact + "[MASK]"]) == [exact]


def test_three_blanks_give_three_answers(learned):
    model, pieces, _ = learned
    blanks = fill_in(model, pieces, "[MASK] is [MASK] than [MASK]", count=2)
    assert len(blanks) == 3
    assert blanks[2].words[0] == "war"


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        ("", r"there is no \[MASK\] in the sentence: put it where a word is to be guessed"),
        ("peace [mask]", r"there is no \[MASK\]"),
        ("war " * 10 + "[MASK]", "the sentence has 11 tokens, but the model reads 10: make it shorter"),
    ],
)
def test_what_cannot_be_filled_is_one_sentence(learned, sentence, message):
    model, pieces, _ = learned
    with pytest.raises(DataError, match=message):
        fill_in(model, pieces, sentence)


def test_the_score_is_the_loss_of_all_at_once(learned):
    model, pieces, blocks = learned
    masked = hide_tokens(blocks, MaskingRules(len(pieces), NUM_SPECIAL, MASK), torch.Generator().manual_seed(1))
    logits = model.eval()(*masked)
    for batch_size in (1, 2, 100):
        loss, accuracy = score_masked(model, blocks, masked, batch_size)
        assert loss == pytest.approx(F.cross_entropy(logits, blocks[masked.chosen]).item(), rel=1e-5)
        assert accuracy == pytest.approx((logits.argmax(1) == blocks[masked.chosen]).float().mean().item())


def test_nearest_words_are_whole_words(learned):
    _, pieces, _ = learned
    vectors = torch.randn(len(pieces), 4, generator=torch.Generator().manual_seed(0))
    vectors[pieces.tokens.index("war")] = 2 * vectors[pieces.tokens.index("peace")]
    found = nearest_words(vectors, pieces, ["peace", "nonsense"], count=2)
    assert list(found) == ["peace"]
    assert found["peace"][0] == "war"
    assert all(word.isalpha() and word != "peace" for word in found["peace"])


def test_a_small_share_is_not_called_none():
    assert Blank(("a", "b", "c"), (0.99, 0.006, 0.001)).describe() == "a 99 %, b 1 %, c <1 %"
