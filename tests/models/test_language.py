"""The transformer's parts are checked by their invariants, and whole against torch's own pieces."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from course_utils.data.tokenization import CLS, MASK, NUM_SPECIAL, PAD, SEP
from course_utils.models.language import (
    CARELESS,
    LanguageEncoder,
    LanguageShape,
    build_language_model,
    describe_shape,
)

VOCAB = 40
SMALL = {"max_tokens": 16, "width": 16, "head_dim": 8}


def draw_tokens(batch, length, seed=0):
    tokens = torch.randint(NUM_SPECIAL, VOCAB, (batch, length), generator=torch.Generator().manual_seed(seed))
    tokens[:, 0], tokens[:, -1] = CLS, SEP
    return tokens


def shake(model, seed=0):
    """Move every parameter: after a quiet start the blocks do nothing yet."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    return model.eval()


def encoder(**options):
    return shake(LanguageEncoder(LanguageShape(VOCAB, **{**SMALL, **options})))


def test_a_quiet_start_answers_by_frequency_whatever_it_reads():
    frequencies = torch.rand(VOCAB, generator=torch.Generator().manual_seed(0)) + 0.1
    frequencies /= frequencies.sum()
    model = build_language_model(LanguageShape(VOCAB, **SMALL), frequencies)
    tokens = draw_tokens(3, 9)
    logits = model(tokens, torch.ones_like(tokens, dtype=torch.bool))
    torch.testing.assert_close(logits.softmax(dim=1), frequencies.expand(27, -1))
    loss = F.cross_entropy(logits, tokens.flatten())
    assert loss.item() == pytest.approx(-frequencies[tokens].log().mean().item(), rel=1e-5)


def test_berts_start_knows_nothing():
    torch.manual_seed(0)
    model = build_language_model(LanguageShape(VOCAB, **SMALL, **CARELESS))
    assert model.predict.weight is model.encoder.embed.weight
    tokens = draw_tokens(3, 9)
    logits = model(torch.full_like(tokens, MASK), torch.ones_like(tokens, dtype=torch.bool))
    assert F.cross_entropy(logits, tokens.flatten()).item() == pytest.approx(math.log(VOCAB), abs=0.05)


def test_blocks_start_as_the_identity_but_for_the_near():
    model = LanguageEncoder(LanguageShape(VOCAB, **SMALL, local_window=0))
    if model.places is None:
        build_language_model(model.shape)  # also with its own start
    tokens = draw_tokens(2, 7)
    torch.testing.assert_close(model(tokens), F.layer_norm(model.embed(tokens), (16,)), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("options", [{}, CARELESS, {"causal": True}, {"positions": "learned"}, {"local_window": 0}])
@settings(max_examples=12, deadline=None)  # each builds a network
@given(length=st.integers(3, 10), extra=st.integers(1, 6))
def test_padding_changes_nothing(options, length, extra):
    model = encoder(**options)
    tokens = draw_tokens(2, length)
    padded = F.pad(tokens, (0, extra), value=PAD)
    with torch.inference_mode():
        torch.testing.assert_close(model(padded)[:, :length], model(tokens), atol=1e-4, rtol=1e-4)


def test_causal_sees_the_left_only_and_else_both_sides():
    tokens = draw_tokens(1, 10)
    other = tokens.clone()
    other[0, 6] = (tokens[0, 6] - NUM_SPECIAL + 1) % (VOCAB - NUM_SPECIAL) + NUM_SPECIAL
    for causal in (True, False):
        model = encoder(causal=causal)
        with torch.inference_mode():
            differs = (model(tokens) - model(other)).abs().amax(dim=2)[0] > 1e-5
        assert differs[6:].all()
        assert differs[:6].any() != causal


def test_order_matters_even_without_a_convolution():
    for positions in ("rotary", "learned"):
        model = encoder(positions=positions, local_window=0)
        tokens = draw_tokens(1, 8)
        swapped = tokens[:, [0, 2, 1, *range(3, 8)]]
        with torch.inference_mode():
            assert (model(tokens)[0, 5] - model(swapped)[0, 5]).abs().max() > 1e-4


def test_rotary_attention_depends_on_distance_only():
    """The same word everywhere: what a token sees then depends on how far it looks (Su et al. 2021, section 3.2)."""
    model = encoder(local_window=0, num_layers=1)
    tokens = torch.full((1, 12), 7)
    [weights] = model.attention(tokens)
    scores = weights.log()[0]  # (heads, tokens, tokens), each row up to a constant
    differences = scores[:, :, 1:] - scores[:, :, :-1]  # between neighbors
    for shift in range(1, 5):
        torch.testing.assert_close(differences[:, 5, 3:6], differences[:, 5 + shift, 3 + shift : 6 + shift])


@pytest.mark.parametrize("causal", [False, True])
def test_attention_is_what_the_network_uses(causal):
    model = encoder(causal=causal, num_layers=1, local_window=0)
    tokens = F.pad(draw_tokens(2, 9), (0, 3), value=PAD)
    block = model.blocks[0]
    with torch.inference_mode():
        [weights] = model.attention(tokens)
        assert weights.shape == (2, 2, 12, 12)
        torch.testing.assert_close(weights.sum(dim=3), torch.ones(2, 2, 12))
        assert weights[..., 9:].abs().max() == 0, "nothing looks at padding"
        x = F.layer_norm(model.embed(tokens), (16,))
        values = block.qkv(block.attention_norm(x))[..., 32:].unflatten(2, (2, 8)).transpose(1, 2)
        seen = (weights @ values).transpose(1, 2).flatten(2)
        x = x + block.out(seen)
        expected = model.norm(x + block.down(F.gelu(block.up(block.forward_norm(x)))))
        torch.testing.assert_close(model(tokens), expected, atol=1e-5, rtol=1e-5)


def test_the_answer_layer_may_be_the_inputs_own():
    tied, own = (
        build_language_model(LanguageShape(VOCAB, **SMALL, tied_output=tied, quiet_start=False))
        for tied in (True, False)
    )
    assert tied.predict.weight is tied.encoder.embed.weight
    assert sum(p.numel() for p in own.parameters()) - sum(p.numel() for p in tied.parameters()) == VOCAB * 16


def test_logits_are_those_of_the_chosen_places_in_order():
    model = shake(build_language_model(LanguageShape(VOCAB, **SMALL)))
    tokens = draw_tokens(3, 8)
    chosen = torch.rand(3, 8, generator=torch.Generator().manual_seed(1)) < 0.4
    with torch.inference_mode():
        everywhere = model(tokens, torch.ones_like(chosen)).view(3, 8, VOCAB)
        torch.testing.assert_close(model(tokens, chosen), everywhere[chosen])
        assert model(tokens, torch.zeros_like(chosen)).shape == (0, VOCAB)


def test_the_course_size():
    model = build_language_model(LanguageShape(4000))
    assert sum(p.numel() for p in model.parameters()) == 1_426_336
    matrices = model.matrices()
    assert len(matrices) == 8
    assert sum(p.numel() for p in matrices) == 2 * 12 * 128**2


def test_a_shape_survives_as_plain_data():
    shape = LanguageShape(VOCAB, **SMALL, **CARELESS)
    assert LanguageShape(**describe_shape(shape)) == shape


def test_it_learns_by_heart():
    """A few steps on one batch leave the plateau: gradients reach everything that a quiet start holds at zero."""
    torch.manual_seed(0)
    model = build_language_model(LanguageShape(VOCAB, **SMALL))
    tokens = draw_tokens(4, 12)
    everywhere = torch.ones_like(tokens, dtype=torch.bool)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    for _ in range(60):
        loss = F.cross_entropy(model(tokens, everywhere), tokens.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.3 < math.log(VOCAB)
    assert all(parameter.grad.abs().max() > 0 for parameter in model.parameters())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 20}, "got 20 and 8"),
        ({"head_dim": 1}, "got 16 and 1"),
        ({"positions": "absolute"}, "got 'absolute'"),
        ({"local_window": 4}, "odd or 0, got 4"),
    ],
)
def test_shapes_that_do_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        LanguageShape(VOCAB, **{**SMALL, **options})


def test_too_long_a_text_is_named():
    with pytest.raises(ValueError, match="the text has 17 tokens, but the model reads 16"):
        encoder()(draw_tokens(1, 17))
