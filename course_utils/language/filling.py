"""Fill in the blank: what a masked-word model says stands at [MASK]."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from course_utils.data.tokenization import MASK, NUM_SPECIAL, SPECIAL_TOKENS, WordPieces, pack_rows
from course_utils.errors import DataError
from course_utils.models.language import MaskedLanguageModel
from course_utils.pretext.masking import MaskedTokens

MASK_WORD = SPECIAL_TOKENS[MASK]


@dataclass(frozen=True)
class Blank:
    """The likeliest tokens at one [MASK], most likely first; a piece that continues a word begins with ##."""

    words: tuple[str, ...]
    probabilities: tuple[float, ...]

    def describe(self) -> str:
        """Return it in one line."""
        return ", ".join(f"{word} {percent(p)}" for word, p in zip(self.words, self.probabilities, strict=True))


def percent(share: float) -> str:
    """Return a share as a whole percentage; one that would round to 0 as "<1 %", for it is not impossible."""
    return f"{100 * share:.0f} %" if share >= 0.005 else "<1 %"


def fill_in(model: MaskedLanguageModel, pieces: WordPieces, sentence: str, count: int = 5) -> list[Blank]:
    """Return for each [MASK] of a sentence, in order, the `count` likeliest tokens that are not special.

    Several blanks are filled each by itself, none knowing of the others' answers.

    Raises:
        DataError: the sentence has no [MASK], or is longer than the model reads.
    """
    [numbers] = pieces.encode([sentence])
    room = _room(model)
    if MASK not in numbers:
        raise DataError(f"there is no {MASK_WORD} in the sentence: put it where a word is to be guessed")
    if len(numbers) > room:
        raise DataError(f"the sentence has {len(numbers)} tokens, but the model reads {room}: make it shorter")
    device = next(model.parameters()).device
    tokens = pack_rows([numbers], len(numbers) + 2).to(device)
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            probabilities = model(tokens, tokens == MASK).float().softmax(dim=1)[:, NUM_SPECIAL:]  # (blanks, words)
    finally:
        model.train(was_training)
    likeliest = probabilities.topk(min(count, probabilities.shape[1]), dim=1)
    return [
        Blank(tuple(pieces.tokens[number + NUM_SPECIAL] for number in row), tuple(values))
        for row, values in zip(likeliest.indices.tolist(), likeliest.values.tolist(), strict=True)
    ]


def keep_readable(model: MaskedLanguageModel, pieces: WordPieces, sentences: Sequence[str]) -> list[str]:
    """Return those sentences that are not longer than the model reads; a vocabulary of other texts cuts words small."""
    lengths = [len(numbers) for numbers in pieces.encode(list(sentences))]
    return [sentence for sentence, length in zip(sentences, lengths, strict=True) if length <= _room(model)]


def _room(model: MaskedLanguageModel) -> int:
    """Return how many tokens of a sentence have room between [CLS] and [SEP]."""
    return model.encoder.shape.max_tokens - 2


def score_masked(
    model: MaskedLanguageModel, tokens: Tensor, masked: MaskedTokens, batch_size: int = 50
) -> tuple[float, float]:
    """Return a model's loss in nats and accuracy at the chosen places, in eval mode.

    Args:
        model: left as it was.
        tokens: what was there, (N, tokens).
        masked: what is shown, from `hide_tokens` with a fixed seed.
        batch_size: sequences at a time.
    """
    device = next(model.parameters()).device
    was_training, losses, num_right = model.training, 0.0, 0
    model.eval()
    try:
        with torch.inference_mode():
            parts = (part.split(batch_size) for part in (tokens, *masked))
            for true, inputs, chosen in zip(*parts, strict=True):
                logits = model(inputs.to(device), chosen.to(device)).float()
                targets = true[chosen].to(device)
                losses += torch.nn.functional.cross_entropy(logits, targets, reduction="sum").item()
                num_right += int((logits.argmax(dim=1) == targets).sum())
    finally:
        model.train(was_training)
    total = max(int(masked.chosen.sum()), 1)
    return losses / total, num_right / total


def nearest_words(vectors: Tensor, pieces: WordPieces, words: Sequence[str], count: int = 6) -> dict[str, list[str]]:
    """Return the whole words whose vectors point most nearly the same way, for each word that is in the vocabulary.

    Args:
        vectors: one for each token, (vocab_size, width).
        pieces: the vocabulary.
        words: what to look up; those that are not tokens are left out.
        count: neighbors of each.
    """
    whole = torch.tensor([token.isalpha() and len(token) > 1 for token in pieces.tokens])
    units = torch.nn.functional.normalize(vectors.detach().float().cpu(), dim=1)
    places = {token: number for number, token in enumerate(pieces.tokens)}
    found = {}
    for word in words:
        if word in places:
            similar = (units @ units[places[word]]).masked_fill(~whole, -torch.inf)
            similar[places[word]] = -torch.inf
            found[word] = [pieces.tokens[number] for number in similar.topk(count).indices.tolist()]
    return found
