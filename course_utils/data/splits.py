"""What data sets of images and of texts have in common: labeled examples in three splits."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Generic, Self, TypeVar

import torch
from torch import Tensor

Examples = TypeVar("Examples", bound="LabeledExamples")


class LabeledExamples(ABC):
    """Examples (N) with labels (N,) int64."""

    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    @abstractmethod
    def take(self, indices: Tensor) -> Self:
        """Return the examples at `indices`."""

    def sample_per_class(self, count: int, generator: torch.Generator | None = None) -> Self:
        """Return `count` examples of each class (all of a smaller class), in order.

        They are the first ones, or with a generator random ones.
        """
        chosen = []
        for label in self.labels.unique():
            members = (self.labels == label).nonzero()[:, 0]
            if generator is not None:
                members = members[torch.randperm(len(members), generator=generator)]
            chosen.append(members[:count])
        return self.take(torch.cat(chosen).sort().values)


@dataclass(frozen=True)
class Splits(Generic[Examples]):
    """A data set; `description` states in a few sentences where it is from and how it was split and prepared."""

    name: str
    train: Examples
    validation: Examples
    test: Examples
    class_names: tuple[str, ...]
    description: str

    @property
    def num_classes(self) -> int:
        """How many classes there are."""
        return len(self.class_names)

    def with_fewer(self, count: int, plural: str) -> Self:
        """Return it with `count` training examples, the same share of each class, or itself if `count` is 0 or all.

        Args:
            count: how many to keep.
            plural: what the description calls them, such as "images".
        """
        if not 0 < count < len(self.train):
            return self
        train = self.train.sample_per_class(max(1, count // self.num_classes))
        words = f"{self.description} Only the first {len(train):,} training {plural} are used."
        return replace(self, train=train, description=words)


@dataclass(frozen=True)
class DatasetSummary:
    """What can be said of a data set without building it."""

    name: str
    num_train: int
    num_validation: int
    num_test: int
    num_classes: int
