"""A step of masked-word training beside transformers' BERT of the same size."""

from collections.abc import Callable

import torch

from benchmarks.timing import Comparison, Contender, compare_rates
from course_utils.data.tokenization import MASK, NUM_SPECIAL, PAD
from course_utils.devices import make_fabric
from course_utils.models.language import LanguageShape, build_language_model
from course_utils.optimizers import make_matrix_optimizers
from course_utils.pretext.masking import MaskedTokens, MaskingRules, hide_tokens, masked_cross_entropy

# as in notebook 04
VOCAB_SIZE, BATCH_SIZE, BLOCK_LENGTH, WIDTH, NUM_LAYERS, HEAD_DIM, MASK_RATE = 4000, 32, 64, 128, 2, 32, 0.3
NOT_ASKED = -100  # what transformers takes for "no answer wanted here"

Batch = Callable[[], tuple[torch.Tensor, MaskedTokens]]


def masked_words_vs_transformers() -> Comparison:
    """Tokens a second of training: masking, forward, backward and optimizer, in float32 or what the device prefers."""
    return compare_rates("masked_words_vs_transformers", ours(), peer(), unit="tokens/s", package="transformers")


def batches() -> Batch:
    """Return a function that draws a batch, hidden by the same rules for both."""
    generator = torch.Generator().manual_seed(0)
    rules = MaskingRules(VOCAB_SIZE, NUM_SPECIAL, MASK, MASK_RATE)
    device = make_fabric().device

    def draw() -> tuple[torch.Tensor, MaskedTokens]:
        tokens = torch.randint(NUM_SPECIAL, VOCAB_SIZE, (BATCH_SIZE, BLOCK_LENGTH), generator=generator).to(device)
        return tokens, hide_tokens(tokens, rules, generator)

    return draw


def ours() -> Contender:
    """Return what trains the course's network for a step."""
    fabric, draw = make_fabric(), batches()
    shape = LanguageShape(VOCAB_SIZE, BLOCK_LENGTH, WIDTH, NUM_LAYERS, HEAD_DIM)
    model = build_language_model(shape)
    optimizers = make_matrix_optimizers(model, model.matrices(), 0.02, embeddings=[model.encoder.embed.weight])
    wrapped, *wrapped_optimizers = fabric.setup(model, *optimizers)

    def step() -> int:
        tokens, (inputs, chosen) = draw()
        fabric.backward(masked_cross_entropy(wrapped(inputs, chosen), tokens, chosen))
        for optimizer in wrapped_optimizers:
            optimizer.step()
            optimizer.zero_grad()
        return tokens.numel()

    return step


def peer() -> Contender:
    """Return what trains transformers' network for a step, with AdamW."""
    from transformers import BertConfig, BertForMaskedLM

    fabric, draw = make_fabric(), batches()
    config = BertConfig(
        vocab_size=VOCAB_SIZE,
        hidden_size=WIDTH,
        num_hidden_layers=NUM_LAYERS,
        num_attention_heads=WIDTH // HEAD_DIM,
        intermediate_size=4 * WIDTH,
        max_position_embeddings=BLOCK_LENGTH,
        pad_token_id=PAD,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    model = BertForMaskedLM(config).train()
    wrapped, optimizer = fabric.setup(model, torch.optim.AdamW(model.parameters(), 1e-3))

    def step() -> int:
        tokens, (inputs, chosen) = draw()
        fabric.backward(wrapped(input_ids=inputs, labels=tokens.masked_fill(~chosen, NOT_ASKED)).loss)
        optimizer.step()
        optimizer.zero_grad()
        return tokens.numel()

    return step
