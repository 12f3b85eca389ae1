"""What a frozen model makes of texts and prompts, against one pass over all and a reader that knows the answer."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_utils.data.tokenization import CLS, NUM_SPECIAL, PAD, SEP
from course_utils.language.prompting import answer_prompts, loss_by_place, predict_frozen, score_next
from course_utils.models.language import LanguageShape, build_language_model
from course_utils.pretext.few_shot import NAMES, ask_for_labels, category_task, draw_prompts, symbol_task
from course_utils.pretext.next_word import next_word_accuracy, next_word_loss, shift_tokens

VOCAB = 12


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    shape = LanguageShape(VOCAB, max_tokens=10, width=16, head_dim=8, causal=True, quiet_start=False)
    return build_language_model(shape)


@pytest.fixture
def tokens():
    tokens = torch.randint(NUM_SPECIAL, VOCAB, (7, 9), generator=torch.Generator().manual_seed(0))
    tokens[:, 0], tokens[:, -1] = CLS, SEP
    tokens[-1, 4:] = torch.tensor([SEP, PAD, PAD, PAD, PAD])
    return tokens


def test_the_model_is_left_as_it_was(model, tokens):
    words = shift_tokens(tokens, NUM_SPECIAL)
    model.train()
    logits = predict_frozen(model, words.inputs, words.asked)
    assert model.training
    assert not logits.requires_grad
    torch.testing.assert_close(logits, model.eval()(words.inputs, words.asked).detach())


@pytest.mark.parametrize("batch_size", [1, 3, 50])
def test_the_score_is_that_of_all_at_once(model, tokens, batch_size):
    words = shift_tokens(tokens, NUM_SPECIAL)
    logits = model.eval()(words.inputs, words.asked)
    loss, share = score_next(model, words, batch_size)
    assert loss == pytest.approx(next_word_loss(logits, words).item(), rel=1e-5)
    assert share == pytest.approx(next_word_accuracy(logits, words).item())


def test_the_loss_of_each_place_is_the_mean_of_the_blocks_that_ask_there(model, tokens):
    words = shift_tokens(tokens, NUM_SPECIAL)
    logits = model.eval()(words.inputs, torch.ones_like(words.asked)).view(7, 8, VOCAB)
    places = loss_by_place(model, tokens, batch_size=2)
    assert places.shape == (8,)
    for place in range(7):
        rows = words.asked[:, place]
        expected = F.cross_entropy(logits[rows, place], words.targets[rows, place])
        assert places[place].item() == pytest.approx(expected.item(), rel=1e-5)
    assert places[7].isnan(), "only [SEP] and padding stand there"


class KnowsTheRule(nn.Module):
    """Reads a prompt as its author would: the label that an equal key had, else the one named last."""

    def __init__(self, group_of):
        super().__init__()
        self.group_of, self.any = group_of, nn.Parameter(torch.zeros(1))

    def forward(self, tokens, asked):
        rows = []
        for row, places in zip(tokens.tolist(), asked.tolist(), strict=True):
            for place in [place for place, flag in enumerate(places) if flag]:
                scores = torch.zeros(len(NAMES))
                scores[NAMES.index("z")] = 9.0  # likelier than any label, but no answer
                for before in range(place % 2, place, 2):
                    if self.group_of[row[before]] == self.group_of[row[place]]:
                        scores[row[before + 1]] = 5.0
                rows.append(scores)
        return torch.stack(rows)


@pytest.mark.parametrize("before", [[], [0]], ids=["bare", "after a token"])
@pytest.mark.parametrize("task", [symbol_task(), category_task()], ids=["symbols", "categories"])
def test_a_reader_that_keeps_to_the_rule_is_right_wherever_it_was_shown(task, before):
    group_of = {int(key): group for group, keys in enumerate(task.groups) for key in keys}
    prompts = draw_prompts(task, 30, 6, torch.Generator().manual_seed(0))
    words = ask_for_labels(prompts.tokens)
    answers = answer_prompts(KnowsTheRule(group_of), words, task.labels, before, batch_size=7)
    assert answers.shape == (30, 6)
    assert torch.isin(answers, task.labels).all()
    is_right = answers == prompts.tokens[:, 1::2]
    assert is_right[prompts.is_shown].all()
    assert is_right[~prompts.is_shown].float().mean() < 0.4
