"""What a frozen left-to-right model makes of what it reads: its loss, place by place, and its answers to prompts."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from course_utils.data.tokenization import NUM_SPECIAL
from course_utils.models.language import MaskedLanguageModel
from course_utils.pretext.next_word import NextWords, shift_tokens


def predict_frozen(model: MaskedLanguageModel, inputs: Tensor, asked: Tensor) -> Tensor:
    """Return the logits at the asked places in eval mode; the model is left as it was.

    Shape: inputs (batch, tokens) int64, asked (batch, tokens) bool → (num_asked, vocab_size) float32, on the CPU.
    """
    device, was_training = next(model.parameters()).device, model.training
    model.eval()
    try:
        with torch.inference_mode():
            logits = model(inputs.to(device), asked.to(device)).float().cpu()
    finally:
        model.train(was_training)
    return logits.clone()  # an ordinary tensor again


def score_next(model: MaskedLanguageModel, words: NextWords, batch_size: int = 50) -> tuple[float, float]:
    """Return a model's mean loss in nats and its accuracy at the asked places, in eval mode.

    Args:
        model: left as it was.
        words: from `shift_tokens`, (N, tokens).
        batch_size: rows at a time.
    """
    losses, right = [], []
    for loss, is_right, asked in _each_place(model, words, batch_size):
        losses.append(loss[asked])
        right.append(is_right[asked])
    return torch.cat(losses).mean().item(), torch.cat(right).float().mean().item()


def loss_by_place(model: MaskedLanguageModel, tokens: Tensor, batch_size: int = 50) -> Tensor:
    """Return the mean loss at each place of blocks, (tokens − 1,), in nats; NaN where no block asks for a word.

    Shape: tokens (N, tokens) int64; entry i is about the token at place i + 1, with i + 1 tokens before it.
    """
    words = shift_tokens(tokens, NUM_SPECIAL)
    losses = torch.cat([loss for loss, _, _ in _each_place(model, words, batch_size)])  # 0 where nothing is asked
    return losses.sum(dim=0) / words.asked.cpu().sum(dim=0)


def answer_prompts(
    model: MaskedLanguageModel, words: NextWords, labels: Tensor, before: Sequence[int] = (), batch_size: int = 100
) -> Tensor:
    """Return which label a frozen model finds likeliest at each question, with all examples left of it in the prompt.

    Args:
        model: left as it was; nothing is trained.
        words: from `ask_for_labels`, as many asked places in each row.
        labels: the tokens that may be answered, (num_labels,).
        before: tokens to put before each prompt, such as [CLS].
        batch_size: prompts at a time.

    Shape: → (num_prompts, questions) int64, tokens.
    """
    start = torch.tensor(list(before), dtype=torch.int64)
    answers = []
    for inputs, _, asked in _in_batches(words, batch_size):
        rows = torch.cat([start.expand(len(inputs), -1), inputs], dim=1)
        places = torch.cat([torch.zeros(len(inputs), len(start), dtype=torch.bool), asked], dim=1)
        logits = predict_frozen(model, rows, places)[:, labels]  # (questions of all rows, num_labels)
        answers.append(labels[logits.argmax(dim=1)].view(len(inputs), -1))
    return torch.cat(answers)


def _each_place(
    model: MaskedLanguageModel, words: NextWords, batch_size: int
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield for each batch the loss, whether the answer is right, and where it was asked; all (batch, tokens)."""
    for inputs, targets, asked in _in_batches(words, batch_size):
        logits = predict_frozen(model, inputs, asked)
        loss, right = torch.zeros(asked.shape), torch.zeros_like(asked)
        loss[asked] = F.cross_entropy(logits, targets[asked], reduction="none")
        right[asked] = logits.argmax(dim=1) == targets[asked]
        yield loss, right, asked


def _in_batches(words: NextWords, batch_size: int) -> Iterator[tuple[Tensor, ...]]:
    return zip(*(part.cpu().split(batch_size) for part in words), strict=True)
