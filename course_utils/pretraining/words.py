"""What the two pretrainings on words share."""

from typing import cast

from torch import Tensor, nn
from torch.optim import Optimizer

from course_utils.data.tokenization import WordPieces
from course_utils.models.encoder_files import TRANSFORMER, save_language_model
from course_utils.models.language import MaskedLanguageModel
from course_utils.optimizers import make_matrix_optimizers
from course_utils.running.records import Record
from course_utils.running.settings import MaskedWordsSettings, NextWordSettings
from course_utils.training import History

WARMUP = 0.05  # share of the steps


def optimizers_of(model: MaskedLanguageModel, settings: MaskedWordsSettings | NextWordSettings) -> list[Optimizer]:
    """Return Muon for the matrices and AdamW for the rest, as in notebooks 04 and 07."""
    return make_matrix_optimizers(
        model,
        model.matrices(),
        settings.learning_rate,
        adamw_lr=settings.adamw_lr,
        embeddings=[cast(nn.Parameter, model.encoder.embed.weight)],
        embedding_lr=10 * settings.adamw_lr,
    )


def keep(
    name: str,
    settings: MaskedWordsSettings | NextWordSettings,
    record: Record,
    model: MaskedLanguageModel,
    pieces: WordPieces,
    train: Tensor,
    scores: tuple[float, float],
    history: History,
) -> None:
    """Record what both measure, and write the encoder.

    Args:
        name: "masked_words" or "next_word".
        settings, record, model, pieces, history: of the pretraining.
        train: the blocks learned from, (N, tokens).
        scores: loss in nats and accuracy on the test split.
    """
    loss, share = scores
    num_tokens = settings.batch_size * train.shape[1] * len(history.steps)
    record.metric(f"text/{name}/pretraining_seconds", history.seconds)
    record.metric(f"text/{name}/tokens_per_second", num_tokens / history.seconds)
    record.metric(f"text/{name}/loss", loss)
    record.metric(f"text/{name}/accuracy", share)
    method = name.replace("_", " ")
    info = record.encoder_info(TRANSFORMER, method, num_train_tokens=train.numel(), test_loss=loss, test_accuracy=share)
    save_language_model(record.encoder_path(name), model, pieces, info)
