"""Masked words: some words of a text are hidden, and a network is to say which they were (Devlin et al. 2019, BERT)."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

NEVER = 2.0  # above every uniform draw


@dataclass(frozen=True)
class MaskingRules:
    """What is hidden, and behind what (Devlin et al. 2019, section 3.1 and appendix A.1).

    Args:
        vocab_size: how many tokens there are.
        num_special: tokens 0 … num_special − 1 are special, padding among them: never chosen, never put in.
        mask_id: the token that stands for a hidden one.
        rate: share of tokens that are chosen, each by its own draw (Bernoulli), above 0. In every sequence at least one
            is, so short sequences have a little more.
        mask_share: share of the chosen tokens that `mask_id` replaces.
        random_share: share of them that a random token replaces; the others stay as they are.

    Raises:
        ValueError: a number out of range.
    """

    vocab_size: int
    num_special: int
    mask_id: int
    rate: float = 0.15
    mask_share: float = 0.8
    random_share: float = 0.1

    def __post_init__(self) -> None:
        if not 0 <= self.mask_id < self.num_special < self.vocab_size:
            raise ValueError(
                f"the mask must be special and some tokens not, got mask_id {self.mask_id}, num_special "
                f"{self.num_special} and vocab_size {self.vocab_size}"
            )
        if not 0 < self.rate <= 1:
            raise ValueError(f"rate must be in (0, 1], got {self.rate}")
        if self.mask_share < 0 or self.random_share < 0 or self.mask_share + self.random_share > 1 + 1e-9:
            raise ValueError(
                "mask_share and random_share must not be below 0 nor above 1 together, got "
                f"{self.mask_share} and {self.random_share}"
            )


class MaskedTokens(NamedTuple):
    """What the network is shown, and where it has to answer; both (batch, tokens)."""

    inputs: Tensor  # int64
    chosen: Tensor  # bool


def hide_tokens(
    tokens: Tensor, rules: MaskingRules, generator: torch.Generator, continues: Tensor | None = None
) -> MaskedTokens:
    """Choose tokens and hide them, anew at every call; a generator with a fixed seed always hides the same ones.

    One uniform draw for each token decides whether it is chosen, and one what becomes of it.

    Args:
        tokens: (batch, tokens) int64, on any device; left as they are.
        rules: see there.
        generator: on the CPU.
        continues: (vocab_size,) bool, whether a token continues a word; if given, whole words are chosen.

    Raises:
        ValueError: tokens of another shape, or not of this vocabulary.
    """
    _check(tokens, rules)
    choice, kind = torch.rand(2, *tokens.shape, generator=generator).to(tokens.device)  # (batch, tokens) each
    if continues is not None:
        choice = _alike_within_words(choice, continues.to(tokens.device)[tokens])
    special = tokens < rules.num_special
    choice = choice.masked_fill(special, NEVER)
    smallest = choice.amin(dim=1, keepdim=True)  # (batch, 1); its token is chosen whatever the rate
    chosen = ((choice < rules.rate) | (choice == smallest)) & ~special
    random = torch.randint(rules.num_special, rules.vocab_size, tokens.shape, generator=generator).to(tokens.device)
    inputs = tokens.masked_fill(chosen & (kind < rules.mask_share), rules.mask_id)
    becomes_random = chosen & (kind >= rules.mask_share) & (kind < rules.mask_share + rules.random_share)
    return MaskedTokens(torch.where(becomes_random, random, inputs), chosen)


def masked_cross_entropy(logits: Tensor, tokens: Tensor, chosen: Tensor) -> Tensor:
    """Return the mean cross-entropy, in nats, of the chosen tokens only; 0 where none is chosen.

    Args:
        logits: for the chosen places in order (num_chosen, vocab_size), as `model(inputs)[chosen]` gives them.
        tokens: what was there before anything was hidden, (batch, tokens).
        chosen: where the network had to answer, (batch, tokens) bool.

    Shape: → scalar, float32 or wider.

    Raises:
        ValueError: there are not as many logits as chosen places.
    """
    targets = tokens[chosen]  # (num_chosen,)
    if logits.ndim != 2 or len(logits) != len(targets):
        raise ValueError(f"{len(targets)} chosen tokens need logits of as many rows, got {tuple(logits.shape)}")
    logits = logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits
    return F.cross_entropy(logits, targets, reduction="sum") / max(len(targets), 1)


def masked_accuracy(logits: Tensor, tokens: Tensor, chosen: Tensor) -> Tensor:
    """Return the share of chosen tokens that are the most likely answer, a scalar; arguments as above."""
    right = logits.argmax(dim=-1) == tokens[chosen]
    return right.float().sum() / max(len(right), 1)


def _alike_within_words(draws: Tensor, continues: Tensor) -> Tensor:
    """Give each token the draw of its word's first token; both (batch, tokens)."""
    places = torch.arange(draws.shape[1], device=draws.device).expand_as(draws)
    starts = places.masked_fill(continues, 0).cummax(dim=1).values
    return draws.gather(1, starts)


def _check(tokens: Tensor, rules: MaskingRules) -> None:
    if tokens.ndim != 2 or tokens.shape[1] == 0:
        raise ValueError(f"tokens must have the shape (batch, tokens), got {tuple(tokens.shape)}")
    if tokens.numel() and not 0 <= int(tokens.min()) <= int(tokens.max()) < rules.vocab_size:
        raise ValueError(
            f"tokens must lie between 0 and {rules.vocab_size - 1}, got {int(tokens.min())} … {int(tokens.max())}"
        )
