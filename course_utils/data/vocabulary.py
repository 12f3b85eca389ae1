"""Texts as numbers: a vocabulary of the commonest words, and each text as the places of its words in it."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from sklearn.feature_extraction.text import CountVectorizer
from torch import Tensor

PADDING = 0  # behind a text that is shorter than the longest, and for words that are not in the vocabulary


@dataclass(frozen=True)
class Vocabulary:
    """Words in lower case; `words[i]` has the number i + 1."""

    words: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, texts: Sequence[str]) -> Tensor:
        """Return the numbers of the words, 0 for unknown ones and as padding.

        Shape: N texts → (N, words of the longest) int64.
        """
        places = {word: number for number, word in enumerate(self.words, start=1)}
        rows = [torch.tensor([places.get(word, PADDING) for word in split_words(text)]) for text in texts]
        return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PADDING).long()


def build_vocabulary(texts: Sequence[str], max_words: int) -> Vocabulary:
    """Return the `max_words` commonest words of training texts, in alphabetical order.

    Raises:
        ValueError: max_words is below 1, or the texts hold no words.
    """
    if max_words < 1:
        raise ValueError(f"max_words must be at least 1, got {max_words}")
    if not any(split_words(text) for text in texts):
        raise ValueError(f"a vocabulary needs texts with words, got {len(texts)} without any")
    counter = CountVectorizer(max_features=max_words, analyzer=split_words)
    return Vocabulary(tuple(counter.fit(texts).get_feature_names_out().tolist()))


_ANALYZE = CountVectorizer(token_pattern=r"(?u)\b\w+\b").build_analyzer()


def split_words(text: str) -> list[str]:
    """Return a text's words in order, in lower case, without punctuation."""
    return _ANALYZE(text)
