"""What counting alone knows of the next word: how often it followed the one word, or the two words, before it."""

from dataclasses import dataclass

import torch
from torch import Tensor

MOST_BITS = 62  # of a number that stands for a word and its context
EM_STEPS = 40
NUM_BUCKETS = 12  # contexts seen 0, 1, 2–3, 4–7, … times: how far to trust a count depends on how many there are


@dataclass(frozen=True)
class _Counts:
    """How often each context of a certain length was seen, and each word after it; sorted keys."""

    order: int  # words of context
    grams: Tensor  # (num_grams,) int64, context and word as one number
    gram_counts: Tensor
    contexts: Tensor  # (num_contexts,) int64
    context_counts: Tensor


class Ngrams:
    """An interpolated n-gram model (Jelinek and Mercer 1980), its weights chosen on text that was not counted.

    P_n(w | context) = λ · count(context, w) / count(context) + (1 − λ) · P_{n−1}(w | shorter context), down to the
    words' frequencies. λ is another one for contexts seen never, once, 2–3, 4–7, … times (Chen and Goodman 1999,
    section 2.3), and each is where the validation text is likeliest, found by expectation maximization.

    Args:
        train: blocks to count, (num_blocks, length) int64; no context reaches over a block's start.
        validation: blocks to choose the weights on.
        frequencies: of the tokens, (vocab_size,), above 0, summing to 1.
        num_special: tokens below are contexts, but never asked for.
        size: words of the longest piece: 2 for a bigram model, 3 for a trigram model, which holds the bigram model.

    Raises:
        ValueError: a size below 2, or a vocabulary too large to count such contexts.
    """

    def __init__(self, train: Tensor, validation: Tensor, frequencies: Tensor, num_special: int, size: int) -> None:
        if size < 2:
            raise ValueError(f"an n-gram model needs at least 2 words, got {size}")
        if size * len(frequencies).bit_length() > MOST_BITS:
            raise ValueError(f"{size} words of a vocabulary of {len(frequencies)} are too many to count")
        self.frequencies, self.num_special, self.size = frequencies.double(), num_special, size
        self.counts = [self._count(train, order) for order in range(1, size)]
        self.weights: list[Tensor] = []  # for each order, (NUM_BUCKETS,)
        contexts, words = self._windows(validation, size - 1)
        shares = self.frequencies[words]
        for counts in self.counts:
            share, bucket = self._look_up(counts, contexts, words)
            self.weights.append(_choose_weights(share, shares, bucket))
            shares = _mix(self.weights[-1], share, shares, bucket)

    def probabilities(self, contexts: Tensor, words: Tensor, size: int = 0) -> Tensor:
        """Return P(word | context), (N,) float64.

        Args:
            contexts: the words before, the nearest last, (N, size − 1) int64.
            words: (N,) int64.
            size: of the model to ask: 1 for the frequencies, 2 for the bigram model and so on; 0: the longest.
        """
        shares = self.frequencies[words]
        for counts, weights in list(zip(self.counts, self.weights, strict=True))[: (size or self.size) - 1]:
            share, bucket = self._look_up(counts, contexts, words)
            shares = _mix(weights, share, shares, bucket)
        return shares

    def next_word(self, context: Tensor) -> Tensor:
        """Return the probability of each token after one context, (size − 1,) → (vocab_size,)."""
        words = torch.arange(len(self.frequencies))
        return self.probabilities(context.expand(len(words), -1), words)

    def loss(self, tokens: Tensor, size: int = 0) -> float:
        """Return the mean cross-entropy, in nats, at the places that `shift_tokens` asks for; `size` as above."""
        return -self.probabilities(*self._windows(tokens, self.size - 1), size).log().mean().item()

    def _windows(self, tokens: Tensor, order: int) -> tuple[Tensor, Tensor]:
        """Return each asked token and the `order` tokens before it, (N, order) and (N,).

        Before a block's start there is nothing, written as its first token again.
        """
        padded = torch.cat([tokens[:, :1].expand(-1, order - 1), tokens], dim=1)
        windows = padded.unfold(1, order + 1, 1)  # (blocks, tokens − 1, order + 1)
        flat = windows[windows[..., -1] >= self.num_special]
        return flat[:, :-1], flat[:, -1]

    def _key(self, words: Tensor) -> Tensor:
        """Return each row of words as one number, (N, n) → (N,)."""
        key = torch.zeros(len(words), dtype=torch.int64)
        for column in words.T:
            key = key * len(self.frequencies) + column
        return key

    def _count(self, tokens: Tensor, order: int) -> _Counts:
        contexts, words = self._windows(tokens, order)
        key = self._key(contexts)
        return _Counts(order, *_tally(key * len(self.frequencies) + words), *_tally(key))

    def _look_up(self, counts: _Counts, contexts: Tensor, words: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the counts alone say of each word, 0 where the context is new, and the context's bucket."""
        key = self._key(contexts[:, -counts.order :])
        seen = _find(counts.contexts, counts.context_counts, key)
        together = _find(counts.grams, counts.gram_counts, key * len(self.frequencies) + words)
        bucket = torch.where(seen > 0, 1 + seen.clamp_min(1).log2().long(), 0)
        return together / seen.clamp_min(1).double(), bucket.clamp_max(NUM_BUCKETS - 1)


def _tally(keys: Tensor) -> tuple[Tensor, Tensor]:
    """Return the different keys, sorted, and how often each is there."""
    return keys.sort().values.unique_consecutive(return_counts=True)


def _find(keys: Tensor, counts: Tensor, wanted: Tensor) -> Tensor:
    """Return the count of each wanted key, 0 for one that is not among the sorted keys."""
    place = torch.searchsorted(keys, wanted).clamp_max(len(keys) - 1)
    return torch.where(keys[place] == wanted, counts[place], 0)


def _mix(weights: Tensor, share: Tensor, shorter: Tensor, bucket: Tensor) -> Tensor:
    weight = weights[bucket]
    return weight * share + (1 - weight) * shorter


def _choose_weights(share: Tensor, shorter: Tensor, bucket: Tensor) -> Tensor:
    """Return the weight of each bucket at which the text is likeliest; a context never seen has weight 0.

    Each bucket counts one word more for either side, so that no word becomes impossible by one with few words in it.

    Shape: three times (N,) → (NUM_BUCKETS,).
    """
    weights = torch.full((NUM_BUCKETS,), 0.5, dtype=torch.float64)
    weights[0] = 0.0
    totals = torch.bincount(bucket, minlength=NUM_BUCKETS)
    for _ in range(EM_STEPS):
        from_counts = (
            weights[bucket] * share / _mix(weights, share, shorter, bucket)
        )  # probability that they were right
        sums = torch.zeros(NUM_BUCKETS, dtype=torch.float64).index_add(0, bucket, from_counts)
        weights[1:] = ((sums + 1) / (totals + 2))[1:]
    return weights
