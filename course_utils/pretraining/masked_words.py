"""The pretraining on masked words, as in notebook 04."""

from dataclasses import replace

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from course_utils.data.corpus import load_corpus
from course_utils.data.tokenization import MASK, NUM_SPECIAL, WordPieces, corpus_blocks, train_tokenizer
from course_utils.language.filling import score_masked
from course_utils.models.language import LanguageShape, MaskedLanguageModel, build_language_model
from course_utils.pretext.masking import (
    MaskedTokens,
    MaskingRules,
    hide_tokens,
    masked_accuracy,
    masked_cross_entropy,
)
from course_utils.pretext.word_counts import frequency_score, token_frequencies
from course_utils.pretraining.recipe import Pretraining, weigh
from course_utils.pretraining.words import WARMUP, keep, optimizers_of
from course_utils.running.records import Record
from course_utils.running.settings import MaskedWordsSettings
from course_utils.training import History, LossFunction, Step

Hidden = dict[str, tuple[Tensor, MaskedTokens]]
"""By split: blocks, and what is hidden of them."""


def prepare(settings: MaskedWordsSettings, fabric: Fabric, record: Record) -> Pretraining:
    """Return notebook 04's main pretraining; torch's global generator was seeded."""
    corpus = load_corpus(settings.corpus)
    pieces = train_tokenizer(corpus.train, settings.vocab_size)
    blocks = corpus_blocks(corpus, pieces, settings.block_length)
    frequencies = token_frequencies(blocks["train"], len(pieces), NUM_SPECIAL)
    rules = MaskingRules(len(pieces), NUM_SPECIAL, MASK, settings.mask_rate, settings.mask_share, settings.random_share)
    fixed = hide_for_measuring(blocks, rules)
    shape = LanguageShape(
        len(pieces), max_tokens=settings.block_length, width=settings.width, num_layers=settings.num_layers
    )
    torch.manual_seed(settings.seed)
    model = build_language_model(shape, frequencies)

    def read(step: int) -> dict[str, float]:
        loss, share = score_masked(model, *fixed["validation"])
        return {"validation_loss": loss, "validation_accuracy": share}

    return Pretraining(
        "masked_words",
        model,
        make_loss(rules, blocks["train"].to(fabric.device)),
        {
            "num_examples": len(blocks["train"]),
            "num_steps": settings.num_steps,
            "batch_size": settings.batch_size,
            "optimizers": optimizers_of(model, settings),
            "seed": settings.seed,
            "warmup": WARMUP,
            "callback": read,
            "callback_steps": max(1, min(50, settings.num_steps // 4)),
            "title": "masked words",
        },
        lambda history: _keep(settings, record, model, pieces, frequencies, fixed["test"], blocks, history),
    )


def make_loss(rules: MaskingRules, blocks: Tensor) -> LossFunction:
    """Return the loss of a batch's hidden words.

    Args:
        rules: what is hidden.
        blocks: (N, tokens) int64.
    """

    def compute_loss(model: nn.Module, step: Step) -> dict[str, Tensor]:
        whole = blocks[step.whole.to(blocks.device)]  # (batch, tokens), hidden as one process would
        hidden = hide_tokens(whole, rules, step.generator)
        own = step.positions().to(blocks.device)
        tokens, inputs, chosen = whole[own], hidden.inputs[own], hidden.chosen[own]
        logits = model(inputs, chosen)  # (number chosen, vocabulary)
        measured = {
            "loss": masked_cross_entropy(logits, tokens, chosen),
            "accuracy": masked_accuracy(logits, tokens, chosen),
        }
        return {name: weigh(value, chosen, hidden.chosen, step) for name, value in measured.items()}

    return compute_loss


def hide_for_measuring(blocks: dict[str, Tensor], rules: MaskingRules) -> Hidden:
    """Return parts of validation and test blocks with BERT's own share hidden, always the same."""
    measuring = replace(rules, rate=0.15, mask_share=0.8, random_share=0.1)
    fixed = {}
    for name, most in (("validation", 300), ("test", 2000)):
        tokens = blocks[name][:: max(1, len(blocks[name]) // most)]
        fixed[name] = tokens, hide_tokens(tokens, measuring, torch.Generator().manual_seed(123))
    return fixed


def _keep(
    settings: MaskedWordsSettings,
    record: Record,
    model: MaskedLanguageModel,
    pieces: WordPieces,
    frequencies: Tensor,
    test: tuple[Tensor, MaskedTokens],
    blocks: dict[str, Tensor],
    history: History,
) -> None:
    tokens, masked = test
    unigram_loss, unigram_share = frequency_score(frequencies, tokens[masked.chosen])
    record.metric("text/masked_words/unigram_loss", unigram_loss)
    record.metric("text/masked_words/unigram_accuracy", unigram_share)
    keep("masked_words", settings, record, model, pieces, blocks["train"], score_masked(model, tokens, masked), history)
