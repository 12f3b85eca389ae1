"""Every encoder gets the same labels, and all of them at the end."""

import torch

from course_utils.data.images import LabeledImages
from course_utils.evaluation import FeatureSplits, Labeled, evaluate_linear
from course_utils.labeling.curves import counts_within, draw_labels, probe_curve, tuning_curve

LABELS = torch.arange(3).repeat(20)


def blobs(count, seed):
    labels = torch.arange(count) % 3
    noise = torch.randn(count, 4, generator=torch.Generator().manual_seed(seed))
    return Labeled(noise + 8 * torch.eye(3, 4)[labels], labels)


def test_the_last_count_is_all_labels():
    assert counts_within([1, 5, 10, 50], LABELS, 3) == [1, 5, 10, 20]
    assert counts_within([20], LABELS, 3) == [20]
    assert counts_within([50], LABELS, 3) == [20]
    assert counts_within([1, 2], torch.tensor([0, 0, 0, 1]), 2) == [2]


def test_draws_depend_on_the_seed_alone():
    few, same, other = (draw_labels(Labeled(torch.arange(60.0)[:, None], LABELS), 5, seed) for seed in (0, 0, 1))
    assert torch.equal(few.features, same.features)
    assert not torch.equal(few.features, other.features)
    assert torch.bincount(few.labels).tolist() == [5, 5, 5]


def test_probes_with_few_labels():
    data = FeatureSplits(blobs(60, 0), blobs(30, 1), blobs(60, 2))
    curve = probe_curve([data] * 3, [1, 5], [0, 1, 2], 3)
    assert [len(curve[count]) for count in (1, 5)] == [3, 3]
    assert min(curve[5]) > 0.9
    few = FeatureSplits(draw_labels(data.train, 1, 0), data.validation, data.test)
    assert curve[1][0] == evaluate_linear(few, 3, refit=False).test_accuracy


def test_networks_get_the_same_labels_as_probes():
    images = LabeledImages(torch.arange(60, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, 2, 2), LABELS)
    seen = []

    def tune(few, seed, title):
        seen.append((few.images[:, 0, 0, 0].tolist(), seed, title))
        return len(few) / 60

    assert tuning_curve(tune, images, [2, 20], [4, 5]) == {2: [0.1, 0.1], 20: [1.0, 1.0]}
    features = draw_labels(Labeled(torch.arange(60.0)[:, None], LABELS), 2, 5).features
    assert seen[1] == (features[:, 0].long().tolist(), 5, "2 labels a class")
