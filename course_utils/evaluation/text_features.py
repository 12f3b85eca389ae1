"""Passages as features of a transformer: cut into what it reads at once, and the tokens' vectors averaged."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from course_utils.data.text import TextSplits
from course_utils.data.tokenization import NUM_SPECIAL, WordPieces, pack_rows
from course_utils.evaluation.features import FeatureSplits, Labeled
from course_utils.models.language import LanguageEncoder


class PassageClassifier(nn.Module):
    """An encoder with a linear classifier on the mean of its vectors: what is fine-tuned, or trained from scratch.

    Args:
        encoder: trained along with the classifier.
        num_classes: how many logits.
    """

    def __init__(self, encoder: LanguageEncoder, num_classes: int) -> None:
        super().__init__()
        self.encoder, self.classify = encoder, nn.Linear(encoder.feature_dim, num_classes)

    def forward(self, passages: Tensor) -> Tensor:
        """Shape: (batch, parts, tokens) int64 → (batch, num_classes)."""
        logits: Tensor = self.classify(passage_means(self.encoder, passages))
        return logits


def pack_passages(texts: Sequence[str], pieces: WordPieces, max_tokens: int) -> Tensor:
    """Return passages as tokens, each in as many parts as the longest one needs; the rest is padding.

    Shape: → (num_texts, parts, max_tokens) int64.
    """
    inside = max_tokens - 2
    encoded = pieces.encode(texts)
    parts = max(1, max(-(-len(numbers) // inside) for numbers in encoded))
    rows = [numbers[part * inside : (part + 1) * inside] for numbers in encoded for part in range(parts)]
    return pack_rows(rows, max_tokens).view(len(texts), parts, max_tokens)


def passage_means(encoder: LanguageEncoder, passages: Tensor) -> Tensor:
    """Return the mean of the vectors of each passage's ordinary tokens, with gradients.

    Shape: (batch, parts, tokens) int64 → (batch, width).
    """
    ordinary = passages >= NUM_SPECIAL  # (batch, parts, tokens)
    used = ordinary.any(dim=2)  # (batch, parts); most passages need fewer parts than the longest
    owners = used.nonzero()[:, 0]  # (num_used,)
    sums = (encoder(passages[used]) * ordinary[used][..., None]).sum(dim=1)  # (num_used, width)
    totals = sums.new_zeros(len(passages), sums.shape[1]).index_add(0, owners, sums)
    return totals / ordinary.sum(dim=(1, 2))[:, None].clamp_min(1)


def embed_passages(encoder: LanguageEncoder, passages: Tensor, batch_size: int = 50) -> Tensor:
    """Return the frozen encoder's features of passages, in eval mode; the encoder is left as it was.

    Shape: (N, parts, tokens) int64 → (N, width) float32, on the CPU.
    """
    device, was_training = encoder.embed.weight.device, encoder.training
    encoder.eval()
    try:
        with torch.inference_mode():
            batches = [passage_means(encoder, part.to(device)).float().cpu() for part in passages.split(batch_size)]
    finally:
        encoder.train(was_training)
    return torch.cat(batches).clone()


def embed_splits(encoder: LanguageEncoder, passages: dict[str, Tensor], texts: TextSplits) -> FeatureSplits:
    """Return the features of a labeled data set.

    Args:
        encoder: frozen.
        passages: "train", "validation" and "test", from `pack_passages`.
        texts: whose labels they have.
    """
    return FeatureSplits(
        *(
            Labeled(embed_passages(encoder, passages[name]), getattr(texts, name).labels)
            for name in ("train", "validation", "test")
        )
    )
