"""What the two pretrainings on words share."""

from typing import cast

from torch import nn
from torch.optim import Optimizer

from course_utils.models.language import MaskedLanguageModel
from course_utils.optimizers import make_matrix_optimizers
from course_utils.running.settings import MaskedWordsSettings, NextWordSettings

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
