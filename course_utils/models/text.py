"""Encoders for texts."""

import torch
from torch import Tensor, nn

from course_utils.data.vocabulary import PADDING


class BagOfWords(nn.Module):
    """The mean of a text's word vectors, then one hidden layer: a small network that knows no word order.

    Args:
        num_words: of the vocabulary, padding not counted.
        feature_dim: length of word vectors and features.
        dropout: share of hidden values that are left out in training.
    """

    def __init__(self, num_words: int, feature_dim: int = 64, dropout: float = 0.5) -> None:
        super().__init__()
        self.feature_dim = feature_dim
        self.vectors = nn.EmbeddingBag(num_words + 1, feature_dim, mode="mean", padding_idx=PADDING)
        self.hidden = nn.Sequential(
            nn.BatchNorm1d(feature_dim), nn.Linear(feature_dim, feature_dim), nn.ReLU(), nn.Dropout(dropout)
        )

    def forward(self, word_ids: Tensor) -> Tensor:
        """Shape: (batch, words) int64 → (batch, feature_dim)."""
        hidden: Tensor = self.hidden(self.vectors(word_ids))
        return hidden


def predict_texts(model: nn.Module, word_ids: Tensor, batch_size: int = 1000) -> Tensor:
    """Return the most likely class of each text by a model that gives logits, in eval mode.

    Shape: (N, words) int64 → (N,) int64 on the CPU.
    """
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            batches = [model(batch.to(device)).argmax(dim=1).cpu() for batch in word_ids.split(batch_size)]
    finally:
        model.train(was_training)
    return torch.cat(batches).clone()
