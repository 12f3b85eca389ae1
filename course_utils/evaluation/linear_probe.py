"""A linear probe: what a frozen encoder's features are worth to the simplest classifier there is.

The protocol is the same for every encoder: features h in eval mode, standardized; the probe's L2 strength chosen on
validation and the probe then fitted again on train and validation together; the test images are scored once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from course_utils.evaluation.features import FeatureSplits, Labeled
from course_utils.evaluation.scores import accuracy

L2_STRENGTHS = tuple(10 ** (exponent / 1.5) for exponent in range(-9, 4))  # 1e-6 … 1e2, 13 values
CURVATURE = 10.0  # of cross-entropy: p (1 − p) is about a tenth
PATH_STEPS, FINAL_STEPS = 25, 100  # of L-BFGS at most: for a strength that is only tried, for the one that is chosen


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


def fit_linear_probe(data: Labeled, num_classes: int, l2: float) -> LinearProbe:
    """Minimize mean cross-entropy + l2/2 · ‖weight‖² (the bias is free) by L-BFGS, on the features' device.

    scikit-learn's LogisticRegression on standardized features has the same minimum at C = 1 / (N · l2).

    Args:
        data: what to fit to.
        num_classes: how many logits.
        l2: strength of the penalty, not below 0.

    Raises:
        ValueError: no examples, labels out of range, or l2 below 0.
    """
    return _ProbeProblem(data, num_classes).fit(l2)


def evaluate_linear(
    data: FeatureSplits, num_classes: int, strengths: Sequence[float] = L2_STRENGTHS, *, refit: bool = True
) -> ProbeResult:
    """Choose L2 on validation, fit again on train and validation, score the test split once.

    Every second strength is tried, from strong to weak, and then the best one's neighbors. Once two in a row are more
    than 2 points below the best, the probe only learns by heart, and weaker ones, which take longest, are not tried.
    What is tried is fitted roughly, for it only has to be compared; what is chosen is fitted to the end.

    Args:
        data: features of all splits.
        num_classes: how many logits.
        strengths: of L2, to choose from.
        refit: False to score the probe that was fitted on train alone, where the labels learned from are counted.
    """
    problem = _ProbeProblem(data.train, num_classes)
    chosen, validation_accuracy = _choose_strength(problem, data.validation, sorted(strengths, reverse=True))
    if refit:
        problem = _ProbeProblem(data.train.joined(data.validation), num_classes)
    final = problem.fit(chosen)
    predictions = final.predict(data.test.features)
    return ProbeResult(accuracy(predictions, data.test.labels), validation_accuracy, chosen, predictions, final)


def evaluate_linear_over_seeds(
    data: FeatureSplits | Sequence[FeatureSplits], num_classes: int, seeds: Sequence[int], share: float = 0.9
) -> list[ProbeResult]:
    """Repeat `evaluate_linear`, each seed with its own random share of the training labels of every class.

    The fit itself has one minimum and no chance in it; the spread says how much the answer depends on which
    images happened to be labeled.

    Args:
        data: features; a sequence if each seed has its own, as those of networks that differ.
        num_classes: how many logits.
        seeds: one repetition each.
        share: of the labels that a repetition gets.
    """
    versions = [data] * len(seeds) if isinstance(data, FeatureSplits) else list(data)
    results: list[ProbeResult] = []
    for version, seed in zip(versions, seeds, strict=True):
        train = version.train.take(draw_stratified(version.train.labels, share, seed))
        strengths = strengths_near(results[0].l2) if results else L2_STRENGTHS
        results.append(evaluate_linear(FeatureSplits(train, version.validation, version.test), num_classes, strengths))
    return results


def strengths_near(l2: float, strengths: Sequence[float] = L2_STRENGTHS) -> Sequence[float]:
    """Return those of the strengths, increasing, that are at most two steps from `l2`.

    They are enough for a repetition, whose best strength hardly differs, and take half the time.
    """
    place = strengths.index(l2)
    return strengths[max(place - 2, 0) : place + 3]


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


def quick_probe_accuracy(train: Labeled, validation: Labeled, num_classes: int, l2: float = 1e-2) -> float:
    """Return the validation accuracy of one probe of fixed strength: a reading to watch training by, not a result."""
    return accuracy(fit_linear_probe(train, num_classes, l2).predict(validation.features), validation.labels)


class _ProbeProblem:
    """One data set's probes of several strengths, prepared once.

    L-BFGS needs few steps where the loss is about as curved in all directions. So the weights are written in
    coordinates in which it is: those of the features' covariance, which cross-entropy's curvature follows, plus l2.
    """

    def __init__(self, data: Labeled, num_classes: int) -> None:
        _check(data, num_classes)
        self.mean = data.features.mean(dim=0)
        self.std = data.features.std(dim=0, unbiased=False).clamp_min(1e-6)
        self.inputs = (data.features - self.mean) / self.std  # (N, dim)
        self.span: Tensor | None = None
        if len(self.inputs) < self.inputs.shape[1]:  # the solution lies in the span of the examples
            self.span = torch.linalg.qr(self.inputs.T).Q  # (dim, N)
            self.inputs = self.inputs @ self.span
        self.covariance = (self.inputs.T @ self.inputs / len(self.inputs)).double()  # (rank, rank)
        self.targets = F.one_hot(data.labels.to(self.inputs.device), num_classes).float()
        self.weights = self.inputs.new_zeros(num_classes, self.inputs.shape[1])  # where the last fit ended
        self.bias = self.inputs.new_zeros(num_classes)

    def fit(self, l2: float, max_steps: int = FINAL_STEPS) -> LinearProbe:
        """Return the probe of this strength; starts where the last fit ended."""
        if l2 < 0:
            raise ValueError(f"l2 must not be below 0, got {l2}")
        unit = torch.eye(len(self.covariance), dtype=torch.float64, device=self.covariance.device)
        factor = torch.linalg.cholesky(self.covariance / CURVATURE + (l2 + 1e-6) * unit)
        inverse = torch.linalg.solve_triangular(factor, unit, upper=False).float()
        evened = torch.cat([self.weights @ factor.float(), self.bias[:, None]], dim=1)  # (num_classes, rank + 1)
        _minimize(evened, self.inputs, self.targets, inverse, l2, max_steps)
        self.weights, self.bias = evened[:, :-1] @ inverse, evened[:, -1].clone()
        weights = self.weights if self.span is None else self.weights @ self.span.T
        return LinearProbe(weights, self.bias, self.mean, self.std)


def _choose_strength(problem: _ProbeProblem, validation: Labeled, strengths: Sequence[float]) -> tuple[float, float]:
    """Return the strength, of those given from strong to weak, that serves validation best, and its accuracy."""
    accuracies: dict[float, float] = {}

    def attempt(l2: float) -> None:
        probe = problem.fit(l2, PATH_STEPS)  # starts where the one before ended
        accuracies[l2] = accuracy(probe.predict(validation.features), validation.labels)

    for l2 in strengths[::2]:
        attempt(l2)
        latest = list(accuracies.values())[-2:]
        if len(accuracies) > 2 and max(latest) < max(accuracies.values()) - 0.02:
            break
    best = strengths.index(max(accuracies, key=lambda l2: accuracies[l2]))
    for l2 in strengths[max(best - 1, 0) : best + 2]:
        if l2 not in accuracies:
            attempt(l2)
    return max(accuracies.items(), key=lambda pair: pair[1])


def _minimize(evened: Tensor, inputs: Tensor, targets: Tensor, inverse: Tensor, l2: float, max_steps: int) -> None:
    """L-BFGS on `evened` in place; the gradient is written out, which is twice as fast as autograd."""
    optimizer = torch.optim.LBFGS(
        [evened], max_iter=max_steps, tolerance_grad=1e-5, tolerance_change=1e-7, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        weights = evened[:, :-1] @ inverse
        log_probabilities = torch.addmm(evened[:, -1], inputs, weights.T).log_softmax(dim=1)  # (N, num_classes)
        error = (log_probabilities.exp() - targets) / len(inputs)
        gradient = (error.T @ inputs).add_(weights, alpha=l2) @ inverse.T
        evened.grad = torch.cat([gradient, error.sum(dim=0)[:, None]], dim=1)
        return l2 / 2 * weights.square().sum() - (targets * log_probabilities).sum() / len(inputs)

    with torch.no_grad():
        optimizer.step(closure)


def _check(data: Labeled, num_classes: int) -> None:
    if len(data.features) == 0:
        raise ValueError("a probe needs at least one example, got none")
    if int(data.labels.min()) < 0 or int(data.labels.max()) >= num_classes:
        raise ValueError(
            f"labels must lie between 0 and {num_classes - 1}, got {data.labels.min()} … {data.labels.max()}"
        )
