"""Rotations against their definition, pixel by pixel, and the loss against the paper's formula."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_utils.pretext.rotation import (
    TURN_SETS,
    degrees,
    rotate,
    rotate_all,
    rotation_accuracy,
    rotation_loss,
)

images_of_any_kind = st.builds(
    lambda count, channels, side, seed: torch.randint(
        256, (count, channels, side, side), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8
    ),
    st.integers(1, 4),
    st.sampled_from([1, 3, 5]),
    st.integers(1, 17),
    st.integers(0, 99),
)
turn_sets = st.sampled_from(list(TURN_SETS.values()))


def turned_by_hand(image, quarter_turns):
    """A quarter turn against the clock: the last column becomes the first row."""
    pixels = image.tolist()
    for _ in range(quarter_turns):
        side = len(pixels)
        pixels = [[pixels[column][side - 1 - row] for column in range(side)] for row in range(side)]
    return torch.tensor(pixels, dtype=image.dtype)


@given(images_of_any_kind, st.integers(0, 3))
def test_it_turns_every_pixel_as_by_hand(images, quarter_turns):
    expected = turned_by_hand(images[0, 0], quarter_turns)
    assert torch.equal(rotate(images, quarter_turns)[0, 0], expected)


def test_it_turns_against_the_clock():
    assert rotate(torch.tensor([[1, 2], [3, 4]]), 1).tolist() == [[2, 4], [1, 3]]


@given(images_of_any_kind)
def test_four_quarters_are_the_identity_and_two_are_a_half(images):
    once = rotate(images, 1)
    assert torch.equal(rotate(rotate(rotate(once, 1), 1), 1), images)
    assert torch.equal(rotate(once, 1), rotate(images, 2))
    assert torch.equal(rotate(once, 3), images)


@given(images_of_any_kind, turn_sets)
def test_every_image_comes_once_in_every_turn_and_its_label_says_which(images, turns):
    rotated, labels = rotate_all(images, turns)
    assert rotated.dtype == images.dtype
    assert rotated.shape == (len(turns) * len(images), *images.shape[1:])
    for position, (image, label) in enumerate(zip(rotated, labels.tolist(), strict=True)):
        assert torch.equal(image, rotate(images[position % len(images)], turns[label]))
    assert torch.bincount(labels, minlength=len(turns)).tolist() == [len(images)] * len(turns)


@given(images_of_any_kind, turn_sets)
def test_turning_back_by_the_label_gives_the_image(images, turns):
    rotated, labels = rotate_all(images, turns)
    back = torch.stack([rotate(image, -turns[label]) for image, label in zip(rotated, labels.tolist(), strict=True)])
    assert torch.equal(back, images.repeat(len(turns), 1, 1, 1))


def test_large_images_and_floats():
    images = torch.rand(2, 3, 224, 224)
    assert torch.equal(rotate_all(images)[0][-1], torch.rot90(images[-1], 3, (1, 2)))


@pytest.mark.parametrize("shape", [(2, 3, 8, 9), (1, 1, 2, 1), (5,)])
def test_images_that_are_not_square(shape):
    with pytest.raises(ValueError, match=r"only square images keep their shape when turned, got \("):
        rotate_all(torch.zeros(shape))


@pytest.mark.parametrize("turns", [(), (0, 0), (1, 5)])
def test_turns_that_are_not_different(turns):
    with pytest.raises(ValueError, match="turns must be different quarters"):
        rotate_all(torch.zeros(1, 1, 2, 2), turns)


def test_names():
    assert degrees() == ["0°", "90°", "180°", "270°"]
    assert degrees(TURN_SETS["quarter"]) == ["90°", "270°"]


@given(st.integers(1, 6), turn_sets, st.integers(0, 99))
def test_loss_is_the_papers(num_images, turns, seed):
    """Equations 2 and 3: the mean over images of the mean over turns of −log of the turn's probability."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(len(turns) * num_images, len(turns), generator=generator, dtype=torch.float64)
    labels = rotate_all(torch.zeros(num_images, 1, 1, 1), turns)[1]
    total = 0.0
    for image in range(num_images):
        of_image = 0.0
        for turn in range(len(turns)):
            row = logits[turn * num_images + image].tolist()
            probability = math.exp(row[turn]) / sum(math.exp(value) for value in row)
            of_image -= math.log(probability) / len(turns)
        total += of_image / num_images
    assert rotation_loss(logits, labels).item() == pytest.approx(total, abs=1e-5)


def test_chance_and_certainty():
    labels = torch.arange(4)
    assert rotation_loss(torch.zeros(4, 4), labels).item() == pytest.approx(math.log(4))
    assert rotation_loss(100 * torch.eye(4), labels).item() == pytest.approx(0)
    assert rotation_loss(torch.zeros(4, 4, dtype=torch.bfloat16), labels).item() == pytest.approx(math.log(4))
    assert rotation_accuracy(torch.eye(4)[[0, 1, 2, 0]], labels).item() == 0.75
