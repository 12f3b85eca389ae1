"""The linear probe, against scikit-learn's logistic regression."""

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.timing import Comparison, DisagreementError, compare_seconds
from course_utils.data.images import load_images
from course_utils.evaluation import FeatureSplits, extract_splits, fit_linear_probe
from course_utils.models.vision import build_encoder, channel_statistics

L2_STRENGTHS = (1e-4, 1e-2, 1.0)
LARGEST_DIFFERENCE = 0.003  # of the accuracies: 0.3 points
TURNS = 3  # the peer takes its time


def linear_probe_vs_sklearn() -> Comparison:
    """Seconds for probes of three strengths on an untrained encoder's features, standardized by either."""
    splits = load_images()
    torch.manual_seed(0)
    data = extract_splits(build_encoder("compact", *channel_statistics(splits.train.images)), splits)
    labels = data.test.labels.numpy()
    for predictions in zip(our_predictions(data), peer_predictions(data), strict=True):
        our_accuracy, peer_accuracy = ((predicted == labels).mean() for predicted in predictions)
        if abs(our_accuracy - peer_accuracy) > LARGEST_DIFFERENCE:
            raise DisagreementError(f"a probe is {our_accuracy:.4f} right and scikit-learn's {peer_accuracy:.4f}")

    def ours() -> int:
        our_predictions(data)
        return 1

    def peer() -> int:
        peer_predictions(data)
        return 1

    return compare_seconds("linear_probe_vs_sklearn", ours, peer, package="scikit-learn", turns=TURNS)


def our_predictions(data: FeatureSplits) -> list[np.ndarray]:
    """Fit a probe of each strength and return its predictions for the test images."""
    probes = [fit_linear_probe(data.train, 10, l2) for l2 in L2_STRENGTHS]
    return [probe.predict(data.test.features).numpy() for probe in probes]


def peer_predictions(data: FeatureSplits) -> list[np.ndarray]:
    """Do the same with scikit-learn, whose C is 1 / (N · l2)."""
    inputs, labels = data.train.features.numpy(), data.train.labels.numpy()
    models = [
        make_pipeline(StandardScaler(), LogisticRegression(C=1 / (len(inputs) * l2), max_iter=1000)).fit(inputs, labels)
        for l2 in L2_STRENGTHS
    ]
    return [model.predict(data.test.features.numpy()) for model in models]
