"""The next word: a network sees what stands to the left and is to say what comes (Radford et al. 2018, GPT)."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from course_utils.pretext.masking import masked_accuracy, masked_cross_entropy


class NextWords(NamedTuple):
    """A text and the same text one place further; all (batch, tokens − 1)."""

    inputs: Tensor  # int64, what is read
    targets: Tensor  # int64, what stands one place to the right of it
    asked: Tensor  # bool, whether the network has to say it


def shift_tokens(tokens: Tensor, num_special: int) -> NextWords:
    """Make each token the answer to all that stand left of it.

    Special tokens are read, but never asked for: where a block ends says nothing about the language.

    Args:
        tokens: (batch, tokens) int64, at least two of them in a row.
        num_special: tokens below are special, padding among them.

    Raises:
        ValueError: tokens of another shape.
    """
    if tokens.ndim != 2 or tokens.shape[1] < 2:
        raise ValueError(f"tokens must have the shape (batch, at least 2), got {tuple(tokens.shape)}")
    targets = tokens[:, 1:]
    return NextWords(tokens[:, :-1], targets, targets >= num_special)


def next_word_loss(logits: Tensor, words: NextWords) -> Tensor:
    """Return the mean cross-entropy, in nats, of the tokens that are asked for; 0 where there are none.

    Bengio et al. 2003, equation 1 without the penalty: −1/T · Σ_t log P(w_t | w_1 … w_{t−1}).

    Args:
        logits: at the asked places in order, (num_asked, vocab_size), as `model(words.inputs, words.asked)` gives them.
        words: from `shift_tokens`.

    Shape: → scalar, float32 or wider.

    Raises:
        ValueError: there are not as many logits as asked places.
    """
    return masked_cross_entropy(logits, words.targets, words.asked)


def next_word_accuracy(logits: Tensor, words: NextWords) -> Tensor:
    """Return the share of asked tokens that are the most likely answer, a scalar; arguments as above."""
    return masked_accuracy(logits, words.targets, words.asked)


def perplexity(loss: float) -> float:
    """Return exp(loss): among how many equally likely tokens one would hesitate with this loss, in nats.

    Raises:
        ValueError: a loss below 0.
    """
    if not loss >= 0:
        raise ValueError(f"a mean loss in nats is not below 0, got {loss}")
    return math.exp(loss)


def sharpen(logits: Tensor, temperature: float = 1.0, top_k: int = 0) -> Tensor:
    """Return the probabilities to draw a token from.

    The logits are divided by the temperature (below 1 the likely become likelier; 0: the likeliest is certain), and of
    what remains only the `top_k` likeliest are kept (Fan, Lewis and Dauphin 2018, section 5.1). Of equally likely
    tokens the first ones are kept.

    Args:
        logits: (…, vocab_size).
        temperature: not below 0.
        top_k: how many to draw from; 0: all.

    Shape: → the same, each row summing to 1.

    Raises:
        ValueError: a number out of range.
    """
    if not (temperature >= 0 and math.isfinite(temperature)):
        raise ValueError(f"temperature must be finite and not below 0, got {temperature}")
    if top_k < 0:
        raise ValueError(f"top_k must be at least 1, or 0 for all, got {top_k}")
    logits = logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits
    keep = 1 if temperature == 0 else min(top_k or logits.shape[-1], logits.shape[-1])
    order = logits.argsort(dim=-1, descending=True, stable=True)
    kept = torch.full_like(logits, -torch.inf).scatter(-1, order[..., :keep], 0.0)
    top = logits.amax(dim=-1, keepdim=True)  # taken off first: a small temperature must not overflow
    return ((logits - top) / (temperature or 1.0) + kept).softmax(dim=-1)
