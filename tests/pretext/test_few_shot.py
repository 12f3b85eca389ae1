"""Prompts are checked by reading them pair by pair, as a person would."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.pretext.few_shot import (
    CATEGORIES,
    LABELS,
    NAMES,
    RuleTask,
    ask_for_labels,
    category_task,
    ceiling,
    draw_prompts,
    symbol_task,
)

CATEGORY_OF = {word: name for name, words in CATEGORIES.items() for word in words}
TASKS = {"symbols": symbol_task(), "words": category_task()}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def group_of(name):
    return CATEGORY_OF.get(name, name)


def test_every_name_is_one_token():
    assert len(set(NAMES)) == len(NAMES)


@settings(deadline=None)
@given(task=st.sampled_from(list(TASKS)), count=st.integers(1, 5), pairs=st.integers(1, 14), seed=st.integers(0, 999))
def test_a_prompt_read_pair_by_pair_keeps_to_its_rule(task, count, pairs, seed):
    prompts = draw_prompts(TASKS[task], count, pairs, seeded(seed))
    assert prompts.tokens.shape == (count, 2 * pairs)
    for row, shown, repeated in zip(*(part.tolist() for part in prompts), strict=True):
        rule, keys = {}, set()
        for place in range(pairs):
            key, label = (NAMES[number] for number in row[2 * place : 2 * place + 2])
            assert label in LABELS
            assert (key in CATEGORY_OF) == (task == "words")
            assert shown[place] == (group_of(key) in rule)
            assert repeated[place] == (key in keys)
            assert rule.setdefault(group_of(key), label) == label
            keys.add(key)
        assert len(rule) <= 6


def test_every_prompt_has_its_own_rule_and_all_labels_come_up_as_often():
    prompts = draw_prompts(TASKS["words"], 4000, 12, seeded())
    rules = {tuple(row) for row in prompts.tokens.tolist()}
    assert len(rules) == 4000
    counts = torch.bincount(prompts.tokens[:, 1], minlength=len(NAMES))[[NAMES.index(name) for name in LABELS]]
    assert ((counts - 250).abs() < 5 * 250**0.5).all()


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_the_ceiling_has_a_closed_form(task):
    prompts = draw_prompts(task, 20_000, 12, seeded())
    places = torch.arange(12)
    expected = 1 - (5 / 6) ** places * (
        1 - 1 / 16
    )  # none of the examples was of the asked group, and the guess is wrong
    torch.testing.assert_close(ceiling(task, prompts), expected, atol=0.012, rtol=0)
    assert ceiling(task, prompts)[0].item() == pytest.approx(1 / 16)


def test_only_labels_are_asked_for():
    prompts = draw_prompts(TASKS["symbols"], 3, 4, seeded())
    words = ask_for_labels(prompts.tokens)
    assert torch.equal(words.targets[words.asked].view(3, 4), prompts.tokens[:, 1::2])
    assert torch.equal(words.inputs[words.asked].view(3, 4), prompts.tokens[:, ::2])


def test_the_seed_decides():
    one, other, third = (draw_prompts(TASKS["words"], 4, 5, seeded(seed)).tokens for seed in (1, 1, 2))
    assert torch.equal(one, other)
    assert not torch.equal(one, third)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RuleTask(torch.ones(5, 1).long(), torch.arange(3)), r"a rule of 6 groups needs .* got \(5, 1\)"),
        (lambda: RuleTask(torch.arange(9), torch.arange(3)), r"got \(9,\)"),
        (lambda: RuleTask(torch.ones(6, 1).long(), torch.arange(1)), "at least 2 labels, got 1"),
        (lambda: draw_prompts(symbol_task(), 0, 3, seeded()), "at least one prompt and one pair, got 0 and 3"),
        (lambda: draw_prompts(symbol_task(), 2, 0, seeded()), "got 2 and 0"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
