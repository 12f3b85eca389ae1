"""The pretraining on the next word, as in notebook 07."""

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from course_utils.data.corpus import load_corpus
from course_utils.data.tokenization import NUM_SPECIAL, WordPieces, corpus_blocks
from course_utils.language.prompting import score_next
from course_utils.models.encoder_files import load_language_model
from course_utils.models.language import LanguageShape, MaskedLanguageModel, build_language_model
from course_utils.pretext.next_word import next_word_accuracy, next_word_loss, perplexity, shift_tokens
from course_utils.pretext.word_counts import token_frequencies
from course_utils.pretraining.recipe import Pretraining, weigh
from course_utils.pretraining.words import WARMUP, keep, optimizers_of
from course_utils.running.records import Record
from course_utils.running.settings import NextWordSettings
from course_utils.training import History, LossFunction, Step


def prepare(settings: NextWordSettings, fabric: Fabric, record: Record) -> Pretraining:
    """Return notebook 07's pretraining, with the vocabulary and the size of the network of masked words.

    Raises:
        CourseError: there is none, neither in this run's folder nor shipped.
    """
    corpus = load_corpus(settings.corpus)
    both_sides, pieces, _ = load_language_model(record.find_encoder("masked_words")[0])
    same = both_sides.encoder.shape
    blocks = corpus_blocks(corpus, pieces, same.max_tokens)
    frequencies = token_frequencies(blocks["train"], len(pieces), NUM_SPECIAL)
    shape = LanguageShape(
        len(pieces), max_tokens=same.max_tokens, width=same.width, num_layers=same.num_layers, causal=True
    )
    torch.manual_seed(settings.seed)
    model = build_language_model(shape, frequencies)
    asked = shift_tokens(blocks["validation"][:: max(1, len(blocks["validation"]) // 150)], NUM_SPECIAL)
    return Pretraining(
        "next_word",
        model,
        make_loss(blocks["train"].to(fabric.device)),
        {
            "num_examples": len(blocks["train"]),
            "num_steps": settings.num_steps,
            "batch_size": settings.batch_size,
            "optimizers": optimizers_of(model, settings),
            "seed": settings.seed,
            "warmup": WARMUP,
            "callback": lambda _: {"validation_loss": score_next(model, asked)[0]},
            "callback_steps": max(1, min(100, settings.num_steps // 2)),
            "title": "next word",
        },
        lambda history: _keep(settings, record, model, pieces, blocks, history),
    )


def make_loss(blocks: Tensor) -> LossFunction:
    """Return the loss of each next word of a batch.

    Args:
        blocks: (N, tokens) int64.
    """

    def compute_loss(model: nn.Module, step: Step) -> dict[str, Tensor]:
        whole = shift_tokens(blocks[step.whole.to(blocks.device)], NUM_SPECIAL)
        words = shift_tokens(blocks[step.indices.to(blocks.device)], NUM_SPECIAL)  # (batch / processes, tokens − 1)
        logits = model(words.inputs, words.asked)  # (number asked, vocabulary)
        measured = {"loss": next_word_loss(logits, words), "accuracy": next_word_accuracy(logits, words)}
        return {name: weigh(value, words.asked, whole.asked, step) for name, value in measured.items()}

    return compute_loss


def _keep(
    settings: NextWordSettings,
    record: Record,
    model: MaskedLanguageModel,
    pieces: WordPieces,
    blocks: dict[str, Tensor],
    history: History,
) -> None:
    test = blocks["test"][:: max(1, len(blocks["test"]) // 500)]
    scores = score_next(model, shift_tokens(test, NUM_SPECIAL))
    record.metric("text/next_word/perplexity", perplexity(scores[0]))
    keep("next_word", settings, record, model, pieces, blocks["train"], scores, history)
