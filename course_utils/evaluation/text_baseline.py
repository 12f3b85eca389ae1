"""The classical way to classify texts: words weighted by TF-IDF, then logistic regression; both from scikit-learn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from course_utils.data.text import LabeledTexts

STRENGTHS = (0.1, 1.0, 10.0, 100.0)  # scikit-learn's C: large is weak regularization


@dataclass(frozen=True)
class TfidfResult:
    """One run of the protocol: validation chooses, test is scored once."""

    test_accuracy: float
    validation_accuracy: float
    inverse_l2: float
    predictions: Tensor  # (num_test,) int64
    words: dict[int, list[str]]  # for each class, the words that speak most for it


class TfidfFeatures:
    """Texts as sparse rows: a word counts more the more often it is in the text and the rarer it is elsewhere."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.vectorizer = TfidfVectorizer(sublinear_tf=True, min_df=2, dtype=np.float32)
        self.vectorizer.fit(texts)

    def __call__(self, texts: Sequence[str]):  # type: ignore[no-untyped-def]  # scipy has no types
        """Return (N, words) as a sparse matrix of scipy."""
        return self.vectorizer.transform(texts)

    @property
    def words(self) -> list[str]:
        """The word of each column."""
        return list(self.vectorizer.get_feature_names_out())


def evaluate_tfidf(
    train: LabeledTexts,
    validation: LabeledTexts,
    test: LabeledTexts,
    *,
    features: TfidfFeatures | None = None,
    num_words_shown: int = 8,
) -> TfidfResult:
    """Fit on `train`, choose the strength on `validation`, score `test` once.

    Args:
        train, validation, test: of the same classes.
        features: made from other texts of the same kind, or None to make them from `train`.
        num_words_shown: how many words of each class to return.

    Raises:
        ValueError: fewer than two classes to learn from.
    """
    if len(train.labels.unique()) < 2:
        raise ValueError(f"a classifier needs examples of at least 2 classes, got {len(train.labels.unique())}")
    features = features or TfidfFeatures(train.texts)
    rows, validation_rows = features(train.texts), features(validation.texts)
    scored = []
    for inverse_l2 in STRENGTHS:
        model = LogisticRegression(C=inverse_l2, max_iter=300).fit(rows, train.labels.numpy())
        scored.append((float((model.predict(validation_rows) == validation.labels.numpy()).mean()), inverse_l2, model))
    validation_accuracy, inverse_l2, model = max(scored, key=lambda entry: entry[0])
    predictions = torch.from_numpy(model.predict(features(test.texts)))
    accuracy = (predictions == test.labels).double().mean().item()
    return TfidfResult(
        accuracy, validation_accuracy, inverse_l2, predictions, _telling_words(model, features, num_words_shown)
    )


def _telling_words(model: LogisticRegression, features: TfidfFeatures, count: int) -> dict[int, list[str]]:
    weights = model.coef_ if len(model.coef_) > 1 else np.concatenate([-model.coef_, model.coef_])  # (classes, words)
    words = features.words
    return {
        int(label): [words[column] for column in row.argsort()[::-1][:count]]
        for label, row in zip(model.classes_, weights, strict=True)
    }
