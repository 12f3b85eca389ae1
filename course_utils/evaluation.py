"""What a frozen encoder is worth: its features, a linear probe and nearest neighbors on them.

The protocol is the same for every encoder: features h in eval mode, standardized; the probe's L2 strength chosen on
validation and the probe then fitted again on train and validation together; the test images are scored once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.data.images import ImageSplits

L2_STRENGTHS = tuple(10 ** (exponent / 2) for exponent in range(-12, 5))  # 1e-6 … 1e2, 17 values
KNN_TEMPERATURE = 0.07  # of the votes (Wu et al. 2018, section 3.4)


@dataclass(frozen=True)
class Labeled:
    """Feature vectors (N, dim) float32 with their labels (N,) int64."""

    features: Tensor
    labels: Tensor

    def take(self, indices: Tensor) -> "Labeled":
        """Return the examples at `indices`."""
        return Labeled(self.features[indices], self.labels[indices])

    def joined(self, other: "Labeled") -> "Labeled":
        """Return these examples and then the other's."""
        return Labeled(torch.cat([self.features, other.features]), torch.cat([self.labels, other.labels]))


@dataclass(frozen=True)
class FeatureSplits:
    """A data set's features in its three splits."""

    train: Labeled
    validation: Labeled
    test: Labeled


@dataclass(frozen=True)
class LinearProbe:
    """A linear classifier on standardized features: logits = weight · (features − mean) / std + bias."""

    weight: Tensor  # (num_classes, dim)
    bias: Tensor  # (num_classes,)
    mean: Tensor  # (dim,)
    std: Tensor  # (dim,)

    def logits(self, features: Tensor) -> Tensor:
        """Shape: (N, dim) → (N, num_classes)."""
        standardized = (features.to(self.weight.device) - self.mean) / self.std
        return F.linear(standardized, self.weight, self.bias)

    def predict(self, features: Tensor) -> Tensor:
        """Return the most likely class of each row, (N, dim) → (N,) int64 on the CPU."""
        return self.logits(features).argmax(dim=1).cpu()


@dataclass(frozen=True)
class ProbeResult:
    """One run of the protocol."""

    test_accuracy: float
    validation_accuracy: float  # of the chosen strength, before the last fit
    l2: float
    predictions: Tensor  # (num_test,) int64
    probe: LinearProbe


def extract_features(encoder: nn.Module, images: Tensor, batch_size: int = 500) -> Tensor:
    """Return the frozen encoder's features of uint8 images, in eval mode; the encoder is left as it was.

    Shape: (N, C, H, W) uint8 → (N, dim) float32, on the CPU.
    """
    device = next((parameter.device for parameter in encoder.parameters()), torch.device("cpu"))
    modes = [(module, module.training) for module in encoder.modules()]
    encoder.eval()
    try:
        with torch.inference_mode():
            batches = [
                encoder(batch.to(device).float() / 255).float().flatten(1).cpu() for batch in images.split(batch_size)
            ]
    finally:
        for module, mode in modes:
            module.training = mode
    return torch.cat(batches).clone()


def extract_splits(encoder: nn.Module, splits: ImageSplits) -> FeatureSplits:
    """Return the features of all three splits."""
    return FeatureSplits(
        *(
            Labeled(extract_features(encoder, part.images), part.labels)
            for part in (splits.train, splits.validation, splits.test)
        )
    )


def fit_linear_probe(data: Labeled, num_classes: int, l2: float, start: LinearProbe | None = None) -> LinearProbe:
    """Minimize mean cross-entropy + l2/2 · ‖weight‖² (the bias is free) by L-BFGS, on the features' device.

    scikit-learn's LogisticRegression on standardized features has the same minimum at C = 1 / (N · l2).

    Args:
        data: what to fit to.
        num_classes: how many logits.
        l2: strength of the penalty, not below 0.
        start: a probe to start from; only its weight and bias matter.

    Raises:
        ValueError: no examples, labels out of range, or l2 below 0.
    """
    _check(data, num_classes, l2)
    mean, std = data.features.mean(dim=0), data.features.std(dim=0, unbiased=False).clamp_min(1e-6)
    inputs = torch.cat([(data.features - mean) / std, torch.ones_like(data.features[:, :1])], dim=1)
    targets = F.one_hot(data.labels.to(inputs.device), num_classes).float()
    weights = inputs.new_zeros(num_classes, inputs.shape[1])  # the bias is the last column
    if start is not None:
        weights.copy_(torch.cat([start.weight, start.bias[:, None]], dim=1))
    _minimize(weights, inputs, targets, l2)
    return LinearProbe(weights[:, :-1].clone(), weights[:, -1].clone(), mean, std)


def evaluate_linear(data: FeatureSplits, num_classes: int, strengths: Sequence[float] = L2_STRENGTHS) -> ProbeResult:
    """Choose L2 on validation, fit again on train and validation, score the test split once."""
    best_accuracy, best_l2, best_probe, probe = -1.0, 0.0, None, None
    for l2 in sorted(strengths, reverse=True):  # from strong to weak: each fit starts near its end
        probe = fit_linear_probe(data.train, num_classes, l2, start=probe)
        validation_accuracy = accuracy(probe.predict(data.validation.features), data.validation.labels)
        if validation_accuracy > best_accuracy:
            best_accuracy, best_l2, best_probe = validation_accuracy, l2, probe
    final = fit_linear_probe(data.train.joined(data.validation), num_classes, best_l2, start=best_probe)
    predictions = final.predict(data.test.features)
    return ProbeResult(accuracy(predictions, data.test.labels), best_accuracy, best_l2, predictions, final)


def evaluate_linear_over_seeds(
    data: FeatureSplits, num_classes: int, seeds: Sequence[int], share: float = 0.9
) -> list[ProbeResult]:
    """Repeat `evaluate_linear`, each seed with its own random share of the training labels of every class.

    The fit itself has one minimum and no chance in it; the spread says how much the answer depends on which
    images happened to be labeled.
    """
    return [
        evaluate_linear(
            FeatureSplits(data.train.take(draw_stratified(data.train.labels, share, seed)), data.validation, data.test),
            num_classes,
        )
        for seed in seeds
    ]


def draw_stratified(labels: Tensor, share: float, seed: int) -> Tensor:
    """Return sorted indices of a random share of every class, at least one each.

    Shape: labels (N,) → about (share · N,) int64.
    """
    if not 0 < share <= 1:
        raise ValueError(f"share must be in (0, 1], got {share}")
    generator = torch.Generator().manual_seed(seed)
    chosen = []
    for label in labels.unique():
        members = (labels == label).nonzero()[:, 0]
        order = torch.randperm(len(members), generator=generator)
        chosen.append(members[order[: max(1, round(share * len(members)))]])
    return torch.cat(chosen).sort().values


def nearest_neighbors(bank: Tensor, queries: Tensor, k: int, chunk_size: int = 1024) -> tuple[Tensor, Tensor]:
    """Return cosine similarities and indices of each query's k nearest rows of `bank`, nearest first.

    Shape: bank (N, dim), queries (Q, dim) → (Q, k) twice. Memory: one (chunk_size, N) block at a time.

    Raises:
        ValueError: k is not between 1 and the bank's size.
    """
    if not 1 <= k <= len(bank):
        raise ValueError(f"k must be between 1 and the {len(bank)} features to search in, got {k}")
    bank = F.normalize(bank, dim=1)
    found = [(F.normalize(chunk, dim=1) @ bank.T).topk(k, dim=1) for chunk in queries.split(chunk_size)]
    return torch.cat([values for values, _ in found]), torch.cat([indices for _, indices in found])


def knn_predict(bank: Labeled, queries: Tensor, k: int, num_classes: int) -> Tensor:
    """Classify by the k nearest neighbors' votes, weighted exp(cosine / 0.07) (Wu et al. 2018, section 3.4).

    Shape: queries (Q, dim) → (Q,) int64.
    """
    similarities, indices = nearest_neighbors(bank.features, queries, k)
    votes = F.one_hot(bank.labels[indices], num_classes) * (similarities / KNN_TEMPERATURE).exp()[..., None]
    return votes.sum(dim=1).argmax(dim=1)


def knn_accuracy(bank: Labeled, queries: Labeled, k: int, num_classes: int) -> float:
    """Return the share of queries that their neighbors in `bank` classify right."""
    return accuracy(knn_predict(bank, queries.features, k, num_classes), queries.labels)


def quick_probe_accuracy(train: Labeled, validation: Labeled, num_classes: int, l2: float = 1e-2) -> float:
    """Return the validation accuracy of one probe of fixed strength: a reading to watch training by, not a result."""
    return accuracy(fit_linear_probe(train, num_classes, l2).predict(validation.features), validation.labels)


def accuracy(predictions: Tensor, labels: Tensor) -> float:
    """Return the share of predictions (N,) that equal the labels (N,)."""
    return (predictions.cpu() == labels.cpu()).double().mean().item()


def confusion_matrix(labels: Tensor, predictions: Tensor, num_classes: int) -> Tensor:
    """Return counts (num_classes, num_classes): rows are the true classes, columns the predicted ones."""
    return torch.bincount(labels * num_classes + predictions, minlength=num_classes**2).view(num_classes, num_classes)


def _minimize(weights: Tensor, inputs: Tensor, targets: Tensor, l2: float) -> None:
    """L-BFGS on `weights` in place; the gradient is written out, which is twice as fast as autograd."""
    optimizer = torch.optim.LBFGS(
        [weights], max_iter=100, tolerance_grad=1e-4, tolerance_change=1e-6, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        log_probabilities = (inputs @ weights.T).log_softmax(dim=1)  # (N, num_classes)
        error = (log_probabilities.exp() - targets) / len(inputs)
        penalized = torch.cat([weights[:, :-1], torch.zeros_like(weights[:, -1:])], dim=1)
        weights.grad = error.T @ inputs + l2 * penalized
        return l2 / 2 * penalized.square().sum() - (targets * log_probabilities).sum() / len(inputs)

    with torch.no_grad():
        optimizer.step(closure)


def _check(data: Labeled, num_classes: int, l2: float) -> None:
    if len(data.features) == 0:
        raise ValueError("a probe needs at least one example, got none")
    if l2 < 0:
        raise ValueError(f"l2 must not be below 0, got {l2}")
    if int(data.labels.min()) < 0 or int(data.labels.max()) >= num_classes:
        raise ValueError(
            f"labels must lie between 0 and {num_classes - 1}, got {data.labels.min()} … {data.labels.max()}"
        )
