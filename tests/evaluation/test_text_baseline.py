"""TF-IDF and logistic regression find the words that tell classes apart."""

import pytest
import torch

from course_utils.data.text import LabeledTexts
from course_utils.evaluation.text_baseline import TfidfFeatures, evaluate_tfidf


def texts_of(words, count=12):
    """For each class, texts of its own word among common ones."""
    texts = tuple(f"the {word} of {word} and number{i}" for word in words for i in range(count))
    return LabeledTexts(texts, torch.arange(len(words)).repeat_interleave(count))


@pytest.mark.parametrize("words", [("apple", "pear"), ("apple", "pear", "plum")])
def test_telling_words_are_found(words):
    data = texts_of(words)
    result = evaluate_tfidf(data, data, data, num_words_shown=1)
    assert result.test_accuracy == result.validation_accuracy == 1.0
    assert torch.equal(result.predictions, data.labels)
    assert result.words == {label: [word] for label, word in enumerate(words)}


def test_validation_chooses_and_test_is_not_looked_at():
    data = texts_of(("apple", "pear"))
    turned = LabeledTexts(data.texts, 1 - data.labels)
    result = evaluate_tfidf(data, data, turned)
    assert (result.validation_accuracy, result.test_accuracy) == (1.0, 0.0)


def test_features_of_other_texts_can_be_used():
    data = texts_of(("apple", "pear"))
    features = TfidfFeatures([*data.texts, "zebra", "zebra"])
    assert "zebra" in features.words
    assert features(["zebra"]).shape == (1, len(features.words))
    few = data.take(torch.tensor([0, 12]))
    assert evaluate_tfidf(few, data, data, features=features).test_accuracy == 1.0


def test_one_class_is_refused():
    data = texts_of(("apple",))
    with pytest.raises(ValueError, match="at least 2 classes, got 1"):
        evaluate_tfidf(data, data, data)
