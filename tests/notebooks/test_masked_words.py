"""Notebook 04 as a sweep runs it, without what it is compared with, on somebody's own texts."""

import random

import pytest

from course_utils.running import run_notebook

SUBJECTS = {"gold": ["gold", "silver", "coin", "bank", "tax"], "sea": ["ship", "sail", "harbor", "wave", "fleet"]}
COMMON = ["the", "of", "and", "our", "a", "is", "to", "great"]
SMALL = {
    "VOCAB_SIZE": 150,
    "BLOCK_LENGTH": 16,
    "BATCH_SIZE": 8,
    "PASSAGE_LENGTH": 20,
    "NUM_TWIN_STEPS": 0,
    "NUM_TUNING_STEPS": 0,
    "FINDING": "",
    "SENTENCE": "the [MASK] of our great fleet",
}


@pytest.fixture
def own_texts(tmp_path):
    """Return a folder of two classes of small texts."""
    generator = random.Random(0)
    for name, words in SUBJECTS.items():
        for number in range(12):
            path = tmp_path / "texts" / name / f"{number}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(" ".join(generator.choice(words + COMMON) for _ in range(200)))
    return str(tmp_path / "texts")


@pytest.mark.notebook
def test_what_it_is_compared_with_can_be_left_out(own_texts, tmp_path):
    values = {**SMALL, "CORPUS": own_texts, "TEXT_DATASET": own_texts}
    summary = run_notebook("04", values, profile="smoke", name=f"{tmp_path}/run/")
    [entry] = summary["notebooks"]
    assert entry["error"] is None
    assert entry["metrics"]["text/masked_words/loss"] < entry["metrics"]["text/masked_words/uniform_loss"]
    assert not [name for name in entry["metrics"] if "twin" in name or "left_only" in name or "tuned" in name]
    assert [claim["id"] for claim in entry["claims"]] == ["hidden-words-from-context", "features-transfer"]
