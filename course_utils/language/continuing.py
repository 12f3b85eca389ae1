"""Going on from a beginning: the next words that a left-to-right model finds likely, and texts drawn from them."""

import torch
from torch import Tensor

from course_utils.data.tokenization import CLS, CONTINUES, NUM_SPECIAL, UNKNOWN, WordPieces
from course_utils.errors import DataError
from course_utils.language.filling import Blank
from course_utils.language.prompting import predict_frozen
from course_utils.models.language import MaskedLanguageModel
from course_utils.pretext.next_word import sharpen


def next_logits(model: MaskedLanguageModel, rows: Tensor) -> Tensor:
    """Return the logits of what follows each row, in eval mode; special tokens have −∞, the model is left as it was.

    Of a row longer than the model reads, the last tokens are read.

    Shape: (batch, tokens) int64, [CLS] first → (batch, vocab_size) float32, on the CPU.
    """
    most = model.encoder.shape.max_tokens
    if rows.shape[1] > most:
        rows = torch.cat([rows[:, :1], rows[:, -most + 1 :]], dim=1)
    asked = torch.zeros_like(rows, dtype=torch.bool)
    asked[:, -1] = True
    logits = predict_frozen(model, rows, asked)
    logits[:, :NUM_SPECIAL] = -torch.inf
    return logits


def begin(pieces: WordPieces, text: str) -> Tensor:
    """Return a text's beginning as a row of tokens, [CLS] first, (1, tokens).

    Raises:
        DataError: the text has a special token's name in it, which no continuation has.
    """
    [numbers] = pieces.encode([text])
    if special := [number for number in numbers if number < NUM_SPECIAL and number != UNKNOWN]:
        raise DataError(f"{pieces.tokens[special[0]]} is no word: write how the sentence begins")
    return torch.tensor([[CLS, *numbers]])


def guess_next(
    model: MaskedLanguageModel, pieces: WordPieces, text: str, count: int = 5, temperature: float = 1.0, top_k: int = 0
) -> Blank:
    """Return the `count` likeliest next tokens with the probabilities that they are drawn with.

    Raises:
        DataError: see `begin`.
        ValueError: see `sharpen`.
    """
    [probabilities] = sharpen(next_logits(model, begin(pieces, text)), temperature, top_k)
    likeliest = probabilities.topk(min(count, int((probabilities > 0).sum())))
    words = tuple(pieces.tokens[number] for number in likeliest.indices.tolist())
    return Blank(words, tuple(likeliest.values.tolist()))


def draw_next(
    model: MaskedLanguageModel,
    pieces: WordPieces,
    text: str,
    generator: torch.Generator,
    temperature: float = 1.0,
    top_k: int = 0,
) -> str:
    """Return one next token, drawn with the probabilities that `guess_next` tells; `generator` is on the CPU."""
    [probabilities] = sharpen(next_logits(model, begin(pieces, text)), temperature, top_k)
    return pieces.tokens[int(probabilities.multinomial(1, generator=generator))]


def append_word(text: str, word: str) -> str:
    """Return a text with a token behind it; one that continues a word is joined to it."""
    if word.startswith(CONTINUES) and len(word) > len(CONTINUES):
        return text.rstrip() + word.removeprefix(CONTINUES)
    return f"{text.rstrip()} {word}".lstrip()


def continue_texts(
    model: MaskedLanguageModel,
    pieces: WordPieces,
    text: str,
    *,
    num_tokens: int,
    num_texts: int = 1,
    temperature: float = 1.0,
    top_k: int = 0,
    seed: int = 0,
) -> list[str]:
    """Return how a text goes on, several times, each token drawn after the one before it; the beginning not repeated.

    Raises:
        DataError: see `begin`.
        ValueError: see `sharpen`.
    """
    generator = torch.Generator().manual_seed(seed)
    rows = begin(pieces, text).repeat(num_texts, 1)
    start = rows.shape[1]
    for _ in range(num_tokens):
        probabilities = sharpen(next_logits(model, rows), temperature, top_k)
        rows = torch.cat([rows, probabilities.multinomial(1, generator=generator)], dim=1)
    return [pieces.decode(row) for row in rows[:, start:].tolist()]
