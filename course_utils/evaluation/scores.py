"""How right a classifier's answers are."""

import torch
from torch import Tensor


def accuracy(predictions: Tensor, labels: Tensor) -> float:
    """Return the share of predictions (N,) that equal the labels (N,)."""
    return (predictions.cpu() == labels.cpu()).double().mean().item()


def confusion_matrix(labels: Tensor, predictions: Tensor, num_classes: int) -> Tensor:
    """Return counts (num_classes, num_classes): rows are the true classes, columns the predicted ones."""
    return torch.bincount(labels * num_classes + predictions, minlength=num_classes**2).view(num_classes, num_classes)
