"""Prompts that show a fresh rule by examples: key, label, key, label, …, key, and the label is to be said.

No rule is ever used twice, so nothing about it can be in the weights: what is learned is to learn from the prompt
(Brown et al. 2020, GPT-3, section 1; Chan et al. 2022 train small transformers in this way).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from course_utils.pretext.next_word import NextWords

SYMBOLS = tuple("abcdefghijklmnopqrstuvwxyz")
LABELS = tuple("ABCDEFGHIJKLMNOP")
CATEGORIES: Mapping[str, tuple[str, ...]] = {
    "animals": ("horse", "cow", "sheep", "dog", "eagle", "whale", "bear", "goose"),
    "months": ("january", "february", "march", "april", "june", "july", "august", "october"),
    "nations": ("france", "spain", "mexico", "china", "brazil", "egypt", "japan", "peru"),
    "metals": ("gold", "silver", "iron", "copper", "zinc", "lead", "tin", "nickel"),
    "fruits": ("apple", "pear", "plum", "grape", "lemon", "cherry", "fig", "peach"),
    "tools": ("hammer", "saw", "plow", "axe", "drill", "spade", "chisel", "rake"),
}
NAMES = ("[PAD]", *SYMBOLS, *LABELS, *(word for words in CATEGORIES.values() for word in words))
"""The tokens of the prompts by their numbers; 0 is padding and never used."""


@dataclass(frozen=True)
class RuleTask:
    """From what rules are made: each prompt's rule gives a random label to some of the groups, all of a group the same.

    Args:
        groups: the keys' tokens, (num_groups, keys of a group) int64; groups of one are a rule from symbol to symbol.
        labels: the labels' tokens, (num_labels,) int64.
        num_used: how many groups a prompt's rule speaks of.

    Raises:
        ValueError: fewer groups than a rule needs, or no labels.
    """

    groups: Tensor
    labels: Tensor
    num_used: int = 6

    def __post_init__(self) -> None:
        if self.groups.ndim != 2 or not 1 <= self.num_used <= len(self.groups):
            raise ValueError(
                f"a rule of {self.num_used} groups needs keys of the shape (as many groups at least, keys), got "
                f"{tuple(self.groups.shape)}"
            )
        if len(self.labels) < 2:
            raise ValueError(f"a rule needs at least 2 labels, got {len(self.labels)}")


class Prompts(NamedTuple):
    """Prompts, and what can be known at each of their questions; a question is a key, with all pairs before it."""

    tokens: Tensor  # (batch, 2 · num_pairs) int64: key, label, key, label, …
    is_shown: Tensor  # (batch, num_pairs) bool: a key of the same group stood before, with its label
    is_repeated: Tensor  # (batch, num_pairs) bool: even the same key did


def symbol_task() -> RuleTask:
    """Return rules from letter to letter, in the tokens `NAMES`."""
    return RuleTask(_numbers(SYMBOLS)[:, None], _numbers(LABELS))


def category_task() -> RuleTask:
    """Return rules that label words by their category; nothing says which words belong together but the prompts."""
    return RuleTask(torch.stack([_numbers(words) for words in CATEGORIES.values()]), _numbers(LABELS))


def draw_prompts(task: RuleTask, num_prompts: int, num_pairs: int, generator: torch.Generator) -> Prompts:
    """Draw prompts, each with a rule of its own: its groups, a label for each, and keys at random, again and again.

    Raises:
        ValueError: no prompts or no pairs.
    """
    if num_prompts < 1 or num_pairs < 1:
        raise ValueError(f"there must be at least one prompt and one pair, got {num_prompts} and {num_pairs}")
    num_groups, num_keys = task.groups.shape
    shape = num_prompts, num_pairs
    groups = torch.rand(num_prompts, num_groups, generator=generator).argsort(dim=1)[:, : task.num_used]
    rule = torch.randint(len(task.labels), (num_prompts, task.num_used), generator=generator)
    which = torch.randint(task.num_used, shape, generator=generator)  # (batch, num_pairs), a place in the rule
    keys = task.groups[groups.gather(1, which), torch.randint(num_keys, shape, generator=generator)]
    labels = task.labels[rule.gather(1, which)]
    tokens = torch.stack([keys, labels], dim=2).flatten(1)  # (batch, 2 · num_pairs)
    return Prompts(tokens, _stood_before(which), _stood_before(keys))


def ask_for_labels(tokens: Tensor) -> NextWords:
    """Return prompts one place further, of which only the labels are asked for: keys come at random.

    Shape: (batch, 2 · num_pairs) → (batch, 2 · num_pairs − 1).
    """
    asked = torch.zeros_like(tokens[:, 1:], dtype=torch.bool)
    asked[:, ::2] = True
    return NextWords(tokens[:, :-1], tokens[:, 1:], asked)


def ceiling(task: RuleTask, prompts: Prompts) -> Tensor:
    """Return how often the best possible reader is right with 0, 1, 2, … examples before the question, (num_pairs,).

    Where the key's group was shown the label is certain; elsewhere every label is equally likely.
    """
    return torch.where(prompts.is_shown, 1.0, 1 / len(task.labels)).mean(dim=0)


def _stood_before(values: Tensor) -> Tensor:
    """Return whether each value stands further left in its row too, (batch, n) → (batch, n) bool."""
    same = values[:, :, None] == values[:, None, :]
    return same.tril(-1).any(dim=2)


def _numbers(names: Sequence[str]) -> Tensor:
    return torch.tensor([NAMES.index(name) for name in names])
