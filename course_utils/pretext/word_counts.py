"""What counting alone knows of a hidden word: how frequent each word is, and what follows the word before it."""

import torch
from torch import Tensor

from course_utils.pretext.masking import MaskedTokens

PRIOR = 20.0  # what the frequencies weigh against a word's own followers: as much as seeing it so many times


def token_frequencies(tokens: Tensor, vocab_size: int, num_special: int) -> Tensor:
    """Return each token's share of a text, (vocab_size,): one more than counted, so that none is 0; special ones once.

    Args:
        tokens: of any shape, int64.
        vocab_size: how many different ones there are.
        num_special: tokens below are special.
    """
    counts = torch.bincount(tokens.flatten(), minlength=vocab_size).float()
    counts[:num_special] = 0
    return (counts + 1) / (counts + 1).sum()


class WordBefore:
    """A model that knows the word to the left and nothing else: P(word | left) from counts, mixed with frequencies.

    P(word | left) = (count(left, word) + PRIOR · frequency(word)) / (count(left) + PRIOR).

    Args:
        tokens: the training blocks, (num_blocks, length) int64.
        frequencies: of the tokens, (vocab_size,).
    """

    def __init__(self, tokens: Tensor, frequencies: Tensor) -> None:
        self.frequencies, self.vocab_size = frequencies, len(frequencies)
        left, right = tokens[:, :-1].flatten(), tokens[:, 1:].flatten()
        self.pairs, self.counts = (left * self.vocab_size + right).unique(return_counts=True)  # sorted
        self.left_counts = torch.bincount(left, minlength=self.vocab_size)
        scores = self.counts + PRIOR * frequencies[self.pairs % self.vocab_size]
        order = scores.argsort()  # so that the likeliest follower of each word is written last
        order = order[(self.pairs[order] // self.vocab_size).argsort(stable=True)]
        lefts = self.pairs[order] // self.vocab_size
        last = torch.cat([lefts[1:] != lefts[:-1], torch.ones(1, dtype=torch.bool)])
        last &= scores[order] > PRIOR * frequencies.max()  # else the commonest token is likelier, follower or not
        self.likeliest = torch.full((self.vocab_size,), int(frequencies.argmax()))
        self.likeliest[lefts[last]] = self.pairs[order][last] % self.vocab_size

    def score(self, masked: MaskedTokens, tokens: Tensor) -> tuple[float, float]:
        """Return loss in nats and accuracy at the chosen places.

        Args:
            masked: what is shown, from `hide_tokens`; the word before may be hidden too.
            tokens: what was there, (batch, tokens).
        """
        left, target = masked.inputs[:, :-1][masked.chosen[:, 1:]], tokens[:, 1:][masked.chosen[:, 1:]]
        wanted = left * self.vocab_size + target
        place = torch.searchsorted(self.pairs, wanted).clamp_max(len(self.pairs) - 1)
        count = torch.where(self.pairs[place] == wanted, self.counts[place], 0)
        share = (count + PRIOR * self.frequencies[target]) / (self.left_counts[left] + PRIOR)
        return -share.log().mean().item(), (self.likeliest[left] == target).float().mean().item()


def frequency_score(frequencies: Tensor, targets: Tensor) -> tuple[float, float]:
    """Return loss in nats and accuracy of answering by frequency alone: the commonest token, wherever one is hidden."""
    return -frequencies[targets].log().mean().item(), (targets == frequencies.argmax()).float().mean().item()
