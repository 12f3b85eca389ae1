"""Nearest neighbors in feature space, and the classes that they vote for."""

import torch
from torch import Tensor
from torch.nn import functional as F

from course_utils.evaluation.features import Labeled
from course_utils.evaluation.scores import accuracy

KNN_TEMPERATURE = 0.07  # of the votes (Wu et al. 2018, section 3.4)


def nearest_neighbors(bank: Tensor, queries: Tensor, k: int, chunk_size: int = 1024) -> tuple[Tensor, Tensor]:
    """Return cosine similarities and indices of each query's k nearest rows of `bank`, nearest first.

    Shape: bank (N, dim), queries (Q, dim) → (Q, k) twice. Memory: one (chunk_size, N) block at a time.

    Raises:
        ValueError: k is not between 1 and the bank's size.
    """
    if not 1 <= k <= len(bank):
        raise ValueError(f"k must be between 1 and the {len(bank)} features to search in, got {k}")
    bank = F.normalize(bank, dim=1)
    found = [(F.normalize(chunk, dim=1) @ bank.T).topk(k, dim=1) for chunk in queries.split(chunk_size)]
    return torch.cat([values for values, _ in found]), torch.cat([indices for _, indices in found])


def knn_predict(bank: Labeled, queries: Tensor, k: int, num_classes: int) -> Tensor:
    """Classify by the k nearest neighbors' votes, weighted exp(cosine / 0.07) (Wu et al. 2018, section 3.4).

    Shape: queries (Q, dim) → (Q,) int64.
    """
    similarities, indices = nearest_neighbors(bank.features, queries, k)
    votes = F.one_hot(bank.labels[indices], num_classes) * (similarities / KNN_TEMPERATURE).exp()[..., None]
    return votes.sum(dim=1).argmax(dim=1)


def knn_accuracy(bank: Labeled, queries: Labeled, k: int, num_classes: int) -> float:
    """Return the share of queries that their neighbors in `bank` classify right."""
    return accuracy(knn_predict(bank, queries.features, k, num_classes), queries.labels)
