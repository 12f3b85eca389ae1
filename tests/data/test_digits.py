"""Digits in color: whole, split by class, and not to be told by brightness."""

import torch

from course_utils.data.digits import load_colored_digits


def test_digits_are_there_in_color():
    splits = load_colored_digits(16)
    parts = (splits.train, splits.validation, splits.test)
    assert sum(len(part) for part in parts) == 1797
    assert splits.train.images.shape[1:] == (3, 16, 16)
    assert splits.train.images.dtype == torch.uint8
    for part in parts:
        counts = torch.bincount(part.labels, minlength=10)
        assert counts.min() >= 0.9 * counts.max()
    assert abs(len(splits.train) / 1797 - 0.6) < 0.01
    assert "digits" in splits.description


def test_the_seed_decides_the_colors_and_nothing_else():
    first, same, other = (load_colored_digits(8, seed).train for seed in (0, 0, 1))
    assert torch.equal(first.images, same.images)
    assert torch.equal(first.labels, other.labels)
    assert not torch.equal(first.images, other.images)


def test_ink_is_as_often_the_lighter_as_the_darker():
    images = load_colored_digits(8).train.images.float().mean(dim=1)  # (N, 8, 8)
    paper, ink = images[:, :, 0].mean(dim=1), images[:, 2:6, 3:5].amax(dim=(1, 2))
    darkest = images[:, 2:6, 3:5].amin(dim=(1, 2))
    lighter = (ink - paper > paper - darkest).float().mean()
    assert 0.4 < lighter < 0.6
