"""A learner at notebook 04: types a sentence with a blank and sees words with their probabilities."""

import re

import pytest
from pages import STDERR, run_down_to

NAME = "04_masked_words"
pytestmark = [pytest.mark.notebook, pytest.mark.browser]


def test_a_learner_fills_in_a_blank(page, lab, tmp_path):
    lab.prepare(NAME, tmp_path / "run", NUM_TWIN_STEPS=0)
    lab.open(page, f"{NAME}.ipynb")
    cell = run_down_to(page, "widget = FillInTheBlank(")
    assert page.locator(STDERR).all_inner_texts() == []

    line = cell.get_by_label("A sentence with [MASK]")
    assert "[MASK]" in line.input_value()
    line.fill("peace with [MASK] and war with [MASK]")
    line.press("Enter")
    tables = cell.locator(".blanks-table")
    tables.nth(1).wait_for()
    for place in range(2):
        words = tables.nth(place).locator(".blanks-word").all_inner_texts()
        shares = [
            float(text.removesuffix(" %")) for text in tables.nth(place).locator(".blanks-share").all_inner_texts()
        ]
        assert len(words) == len(shares) == 5
        assert all(words)
        assert shares == sorted(shares, reverse=True)
        assert 0 < sum(shares) <= 100

    line.fill("<b>nothing</b> is hidden here")
    line.press("Enter")
    cell.locator(".blanks-problem", has_text=re.compile(r"there is no \[MASK\] in the sentence: put it")).wait_for()
    assert tables.count() == 0
