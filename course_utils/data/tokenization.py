"""Texts as pieces of words: a WordPiece vocabulary made from the texts at hand, and blocks of its tokens."""

import itertools
import json
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cached_property

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from torch import Tensor

from course_utils.data.corpus import Corpus
from course_utils.errors import DataError

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PAD, UNKNOWN, CLS, SEP, MASK = range(5)
NUM_SPECIAL = len(SPECIAL_TOKENS)
CONTINUES = "##"  # begins a piece that goes on with a word
NORMALIZER = normalizers.BertNormalizer(lowercase=True)
PIECES_AT_ONCE = 1000
LONGEST_PIECE = 100_000  # characters handed to the tokenizer at once: a line may be of any length


class WordPieces:
    """A WordPiece vocabulary (Schuster and Nakajima 2012, as in BERT), in lower case; tokens 0 to 4 are special.

    Args:
        tokenizer: of the tokenizers library, with `SPECIAL_TOKENS` first.

    Raises:
        ValueError: its first tokens are others.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        found = tuple(tokenizer.id_to_token(number) for number in range(NUM_SPECIAL))
        if found != SPECIAL_TOKENS:
            raise ValueError(f"the first tokens must be {', '.join(SPECIAL_TOKENS)}, got {found}")
        self._tokenizer = tokenizer

    def __len__(self) -> int:
        return int(self._tokenizer.get_vocab_size())

    @cached_property
    def tokens(self) -> list[str]:
        """All tokens by their numbers."""
        return [str(self._tokenizer.id_to_token(number)) for number in range(len(self))]

    @cached_property
    def continues(self) -> Tensor:
        """Whether a token continues a word, (vocab_size,) bool."""
        return torch.tensor([token.startswith(CONTINUES) for token in self.tokens])

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the numbers of each text's tokens, without [CLS] and [SEP]; "[MASK]" in a text is the mask."""
        numbers: list[list[int]] = [[] for _ in texts]
        parts = ((place, part) for place, text in enumerate(texts) for part in _cut_long(text))
        while batch := list(itertools.islice(parts, PIECES_AT_ONCE)):
            found = self._tokenizer.encode_batch_fast([part for _, part in batch], add_special_tokens=False)
            for (place, _), part in zip(batch, found, strict=True):
                numbers[place] += part.ids
        return numbers

    def decode(self, numbers: Sequence[int]) -> str:
        """Return tokens as text, special ones too."""
        return str(self._tokenizer.decode(list(numbers), skip_special_tokens=False))

    def to_json(self) -> dict[str, object]:
        """Return all there is to know as plain data."""
        content: dict[str, object] = json.loads(self._tokenizer.to_str())
        return content

    @classmethod
    def from_json(cls, content: object) -> "WordPieces":
        """Return what `to_json` gave.

        Raises:
            ValueError: it is no tokenizer.
        """
        try:
            tokenizer = Tokenizer.from_str(json.dumps(content))
        except Exception as error:  # the library raises nothing more precise
            raise ValueError(f"not a tokenizer: {error}") from None
        return cls(tokenizer)


def train_tokenizer(texts: Sequence[str], vocab_size: int) -> WordPieces:
    """Make a WordPiece vocabulary of at most `vocab_size` tokens, special ones counted, from training texts.

    The same texts give the same vocabulary: the library numbers the letters that continue words in an order that is
    new each time, and breaks ties by number, so these letters are numbered beforehand.

    Raises:
        ValueError: vocab_size leaves no room beside the special tokens.
        DataError: the texts hold no words, or more different letters than the vocabulary has room for.
    """
    if vocab_size <= NUM_SPECIAL:
        raise ValueError(f"vocab_size must be above {NUM_SPECIAL}, got {vocab_size}")
    parts = [part for text in texts for part in _cut_long(text)]
    letters = sorted(CONTINUES + letter for letter in _continuing_letters(parts))
    if NUM_SPECIAL + len(letters) > vocab_size:
        raise DataError(
            f"the texts hold {len(letters)} different letters inside words, more than a vocabulary of {vocab_size} has "
            "room for: choose a larger VOCAB_SIZE"
        )
    trained = _tokenizer(models.WordPiece(unk_token=SPECIAL_TOKENS[UNKNOWN]))
    trained.train_from_iterator(
        parts,
        trainers.WordPieceTrainer(
            vocab_size=vocab_size, special_tokens=[*SPECIAL_TOKENS, *letters], show_progress=False
        ),
    )
    vocabulary = trained.get_vocab()
    if len(vocabulary) <= NUM_SPECIAL:
        raise DataError("the texts hold no words to make a vocabulary from: is this the right folder?")
    tokenizer = _tokenizer(models.WordPiece(vocabulary, unk_token=SPECIAL_TOKENS[UNKNOWN]))
    tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    return WordPieces(tokenizer)


def _tokenizer(model: models.WordPiece) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = NORMALIZER
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix=CONTINUES)
    return tokenizer


def _continuing_letters(texts: Sequence[str]) -> set[str]:
    """Return the characters that stand inside words, behind another one."""
    raw: set[str] = set()
    for text in texts:
        raw.update(text.split())
    words = set(NORMALIZER.normalize_str(" ".join(raw)).split())  # it works letter by letter, so once a word will do
    pairs = {pair for word in words for pair in itertools.pairwise(word)}
    return {second for first, second in pairs if _is_letter(first) and _is_letter(second)}


def _is_letter(character: str) -> bool:
    """Tell whether BERT's rules keep a character inside a word: no blank, no punctuation, none of ASCII's signs."""
    if character.isspace() or unicodedata.category(character).startswith(("P", "C")):
        return False
    return character.isalnum() or not character.isascii()


def encode_blocks(texts: Sequence[str], pieces: WordPieces, length: int) -> Tensor:
    """Return texts as blocks of `length` tokens, [CLS] first and [SEP] last, none across two texts.

    What is left over at a text's end is not used; of a shorter text there is one block, with padding behind its [SEP].

    Shape: → (num_blocks, length) int64.

    Raises:
        ValueError: a block has no room for a word.
    """
    inside = length - 2
    if inside < 1:
        raise ValueError(f"a block needs at least 3 tokens, got {length}")
    blocks = [torch.empty(0, length, dtype=torch.int64)]
    for numbers in pieces.encode(texts):
        if len(numbers) < inside:
            blocks.append(pack_rows([numbers] if numbers else [], length))
            continue
        whole = torch.tensor(numbers[: len(numbers) // inside * inside]).view(-1, inside)
        ends = torch.tensor([CLS, SEP]).expand(len(whole), 2)
        blocks.append(torch.cat([ends[:, :1], whole, ends[:, 1:]], dim=1))
    return torch.cat(blocks)


def pack_rows(rows: Sequence[Sequence[int]], length: int) -> Tensor:
    """Put [CLS] before and [SEP] behind each row of at most `length` − 2 tokens, and padding behind that.

    Shape: → (len(rows), length) int64.
    """
    padded = [[CLS, *row, SEP, *[PAD] * (length - 2 - len(row))] for row in rows]
    return torch.tensor(padded, dtype=torch.int64).view(len(rows), length)


def corpus_blocks(corpus: Corpus, pieces: WordPieces, length: int) -> dict[str, Tensor]:
    """Return the blocks of "train", "validation" and "test".

    Raises:
        DataError: a split has none.
    """
    blocks = {}
    for name in ("train", "validation", "test"):
        blocks[name] = encode_blocks(getattr(corpus, name), pieces, length)
        if len(blocks[name]) == 0:
            raise DataError(f"the {name} texts hold no words: add longer ones")
    return blocks


def _cut_long(text: str) -> Iterator[str]:
    """Yield a text in pieces of bounded size, cut at a blank where there is one near."""
    start = 0
    while start < len(text):
        end = min(start + LONGEST_PIECE, len(text))
        if end < len(text):
            blank = text.rfind(" ", start, end)
            end = blank if blank > start else end
        yield text[start:end]
        start = end
