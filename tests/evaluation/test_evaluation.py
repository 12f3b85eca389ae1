"""The protocol: against scikit-learn, against slow loops, and that it leaves the encoder alone."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix as sklearn_confusion_matrix
from sklearn.preprocessing import StandardScaler

from course_utils.evaluation import (
    L2_STRENGTHS,
    FeatureSplits,
    Labeled,
    confusion_matrix,
    draw_stratified,
    evaluate_linear,
    evaluate_linear_over_seeds,
    extract_features,
    fit_linear_probe,
    knn_accuracy,
    knn_predict,
    nearest_neighbors,
    strengths_near,
)
from course_utils.models.vision import build_encoder


def blobs(num_examples: int, num_classes: int = 4, dim: int = 12, spread: float = 1.6, seed: int = 0) -> Labeled:
    """Overlapping Gaussian clouds around fixed centers."""
    centers = torch.randn(num_classes, dim, generator=torch.Generator().manual_seed(42))
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(num_examples) % num_classes
    noise = spread * torch.randn(num_examples, dim, generator=generator)
    return Labeled((centers[labels] + noise) * torch.linspace(0.1, 30, dim) + 5, labels)


SPLITS = FeatureSplits(blobs(1200, seed=0), blobs(400, seed=1), blobs(2000, seed=2))


@pytest.mark.parametrize("l2", [1e-4, 1e-2, 1.0, 100.0])
def test_probe_has_scikit_learns_minimum(l2):
    probe = fit_linear_probe(SPLITS.train, 4, l2)
    scaler = StandardScaler().fit(SPLITS.train.features.numpy())
    peer = LogisticRegression(C=1 / (l2 * 1200), max_iter=2000, tol=1e-8).fit(
        scaler.transform(SPLITS.train.features.numpy()), SPLITS.train.labels.numpy()
    )
    ours = probe.logits(SPLITS.test.features).softmax(dim=1).numpy()
    theirs = peer.predict_proba(scaler.transform(SPLITS.test.features.numpy()))
    np.testing.assert_allclose(ours, theirs, atol=5e-3)
    accuracy = (probe.predict(SPLITS.test.features) == SPLITS.test.labels).float().mean().item()
    peer_accuracy = peer.score(scaler.transform(SPLITS.test.features.numpy()), SPLITS.test.labels.numpy())
    assert accuracy == pytest.approx(peer_accuracy, abs=0.003)


def test_strengths_span_what_is_promised():
    assert len(L2_STRENGTHS) >= 10
    assert min(L2_STRENGTHS) == pytest.approx(1e-6)
    assert max(L2_STRENGTHS) == pytest.approx(1e2)


def test_strength_is_chosen_on_validation_and_the_last_fit_uses_both_splits():
    result = evaluate_linear(SPLITS, 4)
    accuracies = {}
    for l2 in L2_STRENGTHS:
        probe = fit_linear_probe(SPLITS.train, 4, l2)
        accuracies[l2] = (probe.predict(SPLITS.validation.features) == SPLITS.validation.labels).double().mean().item()
    assert result.validation_accuracy >= max(accuracies.values()) - 0.006  # warm starts end a hair elsewhere
    expected = fit_linear_probe(SPLITS.train.joined(SPLITS.validation), 4, result.l2)
    torch.testing.assert_close(result.probe.mean, expected.mean)
    agreement = (expected.predict(SPLITS.test.features) == result.predictions).float().mean()
    assert agreement > 0.99
    assert result.test_accuracy == (result.predictions == SPLITS.test.labels).double().mean().item()


def test_without_refit_the_validation_labels_are_not_learned_from():
    result = evaluate_linear(SPLITS, 4, refit=False)
    expected = fit_linear_probe(SPLITS.train, 4, result.l2)
    torch.testing.assert_close(result.probe.mean, expected.mean)
    assert result.l2 == evaluate_linear(SPLITS, 4).l2
    agreement = (expected.predict(SPLITS.test.features) == result.predictions).float().mean()
    assert agreement > 0.99


def test_test_labels_decide_nothing():
    shuffled = Labeled(SPLITS.test.features, SPLITS.test.labels.roll(1))
    result = evaluate_linear(FeatureSplits(SPLITS.train, SPLITS.validation, shuffled), 4)
    honest = evaluate_linear(SPLITS, 4)
    assert result.l2 == honest.l2
    assert torch.equal(result.predictions, honest.predictions)


def test_useless_features_give_chance():
    generator = torch.Generator().manual_seed(0)
    noise = FeatureSplits(
        *(Labeled(torch.randn(n, 8, generator=generator), torch.arange(n) % 4) for n in (800, 200, 2000))
    )
    assert evaluate_linear(noise, 4).test_accuracy == pytest.approx(0.25, abs=0.04)


def test_constant_and_few_features_are_no_obstacle():
    features = torch.cat([torch.ones(4, 1), torch.arange(4.0)[:, None]], dim=1)
    probe = fit_linear_probe(Labeled(features, torch.tensor([0, 0, 1, 1])), 2, 1e-3)
    assert probe.predict(features).tolist() == [0, 0, 1, 1]


def test_seeds_draw_their_own_labels():
    results = evaluate_linear_over_seeds(SPLITS, 4, [0, 1, 0])
    assert torch.equal(results[0].probe.weight, results[2].probe.weight)
    assert not torch.equal(results[0].probe.weight, results[1].probe.weight)


@settings(deadline=None, max_examples=30)
@given(counts=st.lists(st.integers(1, 30), min_size=1, max_size=5), share=st.floats(0.05, 1), seed=st.integers(0, 99))
def test_draw_is_stratified_and_without_repeats(counts, share, seed):
    labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    chosen = draw_stratified(labels, share, seed)
    assert len(chosen.unique()) == len(chosen)
    for label, count in enumerate(counts):
        assert (labels[chosen] == label).sum() == max(1, round(share * count))


def test_encoder_is_left_bit_identical():
    encoder = build_encoder("compact", [0.5] * 3, [0.2] * 3)
    encoder.train()
    encoder.blocks[0].eval()  # a mix of modes must come back too
    before = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
    modes = [module.training for module in encoder.modules()]
    images = torch.randint(0, 256, (30, 3, 32, 32), dtype=torch.uint8)
    features = extract_features(encoder, images, batch_size=7)
    assert [module.training for module in encoder.modules()] == modes
    for name, tensor in encoder.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    assert features.shape == (30, 128)
    assert features.dtype == torch.float32
    assert not features.requires_grad
    torch.testing.assert_close(extract_features(encoder, images, batch_size=30), features, rtol=1e-4, atol=1e-5)


def slow_knn(bank, labels, queries, k, num_classes):
    predictions = []
    for query in queries:
        similarities = [float(query @ row / (query.norm() * row.norm())) for row in bank]
        nearest = sorted(range(len(bank)), key=lambda i: -similarities[i])[:k]
        votes = [0.0] * num_classes
        for i in nearest:
            votes[labels[i]] += np.exp(similarities[i] / 0.07)
        predictions.append(int(np.argmax(votes)))
    return predictions


@settings(deadline=None, max_examples=25)
@given(k=st.integers(1, 20), num_queries=st.integers(1, 9), seed=st.integers(0, 99))
def test_knn_equals_the_slow_loop(k, num_queries, seed):
    bank = blobs(20, seed=seed)
    queries = blobs(num_queries, seed=seed + 1).features
    assert knn_predict(bank, queries, k, 4).tolist() == slow_knn(bank.features, bank.labels, queries, k, 4)


def test_neighbors_do_not_depend_on_chunks_and_find_themselves():
    bank = blobs(50).features
    similarities, indices = nearest_neighbors(bank, bank, 3, chunk_size=7)
    assert torch.equal(indices, nearest_neighbors(bank, bank, 3)[1])
    assert indices[:, 0].tolist() == list(range(50))
    torch.testing.assert_close(similarities[:, 0], torch.ones(50))


def test_knn_accuracy_on_apart_clouds():
    bank, queries = blobs(80, spread=0.01), blobs(40, spread=0.01, seed=1)
    assert knn_accuracy(bank, queries, 5, 4) == 1


def test_confusion_matrix_equals_scikit_learns():
    labels, predictions = torch.tensor([0, 0, 1, 2, 2, 2]), torch.tensor([0, 1, 1, 2, 0, 2])
    expected = sklearn_confusion_matrix(labels, predictions, labels=range(4))
    assert confusion_matrix(labels, predictions, 4).tolist() == expected.tolist()


def test_wrong_input_is_named():
    data = blobs(8)
    with pytest.raises(ValueError, match="at least one example"):
        fit_linear_probe(data.take(torch.tensor([], dtype=torch.int64)), 4, 0.1)
    with pytest.raises(ValueError, match="l2 must not be below 0, got -1"):
        fit_linear_probe(data, 4, -1)
    with pytest.raises(ValueError, match="labels must lie between 0 and 2, got 0 … 3"):
        fit_linear_probe(data, 3, 0.1)
    with pytest.raises(ValueError, match="k must be between 1 and the 8 features to search in, got 9"):
        nearest_neighbors(data.features, data.features, 9)
    with pytest.raises(ValueError, match=r"share must be in \(0, 1\], got 0"):
        draw_stratified(data.labels, 0, 0)


def test_strengths_near_one_are_its_neighbors():
    assert strengths_near(3, (1, 2, 3, 4, 5, 6)) == (1, 2, 3, 4, 5)
    assert strengths_near(1, (1, 2, 3, 4)) == (1, 2, 3)
    assert L2_STRENGTHS[6] in strengths_near(L2_STRENGTHS[7])
