"""Hidden patches against slow loops written from the paper, closed forms, and what must hold for any picture."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.pretext.patches import (
    draw_hidden,
    fill_from_neighbors,
    fill_with_mean_color,
    hidden_error,
    hidden_pixels,
    masked_patch_loss,
    num_kept,
    patchify,
    unpatchify,
)


def seeded(number=0):
    return torch.Generator().manual_seed(number)


pictures_of_any_kind = st.builds(
    lambda count, channels, rows, columns, patch, seed: (
        torch.rand(count, channels, rows * patch, columns * patch, generator=seeded(seed)),
        patch,
    ),
    st.integers(1, 3),
    st.sampled_from([1, 3]),
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(1, 5),
    st.integers(0, 99),
)


@settings(deadline=None)
@given(pictures_of_any_kind)
def test_patches_are_squares_row_by_row(drawn):
    images, patch = drawn
    columns = images.shape[3] // patch
    cut = patchify(images, patch)
    for number in range(cut.shape[1]):
        top, left = number // columns * patch, number % columns * patch
        assert torch.equal(cut[0, number], images[0, :, top : top + patch, left : left + patch].flatten())


@settings(deadline=None)
@given(pictures_of_any_kind)
def test_put_together_they_are_the_picture(drawn):
    images, patch = drawn
    assert torch.equal(unpatchify(patchify(images, patch), patch, tuple(images.shape[2:])), images)


def test_patches_that_do_not_fill_the_picture_are_refused():
    with pytest.raises(ValueError, match="patches of 5 pixels do not fill"):
        patchify(torch.zeros(1, 3, 32, 32), 5)


@settings(deadline=None)
@given(st.integers(1, 5), st.integers(2, 70), st.floats(0.01, 0.99), st.integers(0, 99))
def test_every_picture_hides_as_many_and_something_is_always_seen(count, num_patches, share, seed):
    hidden = draw_hidden(count, num_patches, share, seeded(seed))
    kept = (~hidden).sum(dim=1)
    assert set(kept.tolist()) == {num_kept(num_patches, share)}
    assert 1 <= kept[0] < num_patches
    assert abs(int(kept[0]) - (1 - share) * num_patches) <= 1
    assert torch.equal(hidden, draw_hidden(count, num_patches, share, seeded(seed)))


def test_every_patch_is_hidden_equally_often():
    often = draw_hidden(4000, 16, 0.75, seeded()).float().mean(dim=0)
    assert (often - 0.75).abs().max() < 0.03


@pytest.mark.parametrize(("num_patches", "share"), [(16, 0.0), (16, 1.0), (1, 0.5)])
def test_nothing_or_all_can_not_be_hidden(num_patches, share):
    with pytest.raises(ValueError, match="a share between 0 and 1 of at least 2 patches"):
        num_kept(num_patches, share)


@settings(deadline=None)
@given(st.integers(1, 4), st.integers(2, 9), st.integers(1, 6), st.integers(0, 99))
def test_the_loss_is_the_mean_over_hidden_pixels_only(count, num_patches, values, seed):
    generator = seeded(seed)
    predicted, patches = torch.rand(2, count, num_patches, values, generator=generator)
    hidden = draw_hidden(count, num_patches, 0.5, generator)
    total, number = 0.0, 0
    for row in range(count):
        for place in range(num_patches):
            if hidden[row, place]:
                for value in range(values):
                    total += (predicted[row, place, value].item() - patches[row, place, value].item()) ** 2
                    number += 1
    assert masked_patch_loss(predicted, patches, hidden).item() == pytest.approx(total / number, rel=1e-5)


def test_what_was_visible_has_no_gradient():
    predicted = torch.zeros(2, 4, 3, requires_grad=True)
    hidden = draw_hidden(2, 4, 0.5, seeded())
    masked_patch_loss(predicted, torch.ones(2, 4, 3), hidden).backward()
    assert torch.equal((predicted.grad != 0).all(dim=2), hidden)


def test_a_loss_of_nothing_is_refused():
    with pytest.raises(ValueError, match="nothing is hidden"):
        masked_patch_loss(torch.zeros(1, 4, 3), torch.zeros(1, 4, 3), torch.zeros(1, 4, dtype=torch.bool))


def test_hidden_pixels_are_those_of_hidden_patches():
    pixels = hidden_pixels(torch.tensor([[True, False, False, True]]), 2, (4, 4))
    assert pixels[0, 0].int().tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]


def test_the_mean_color_is_that_of_the_visible_pixels():
    images = torch.tensor([[[[0.0, 0.2], [0.4, 100.0]]]])
    hidden = torch.tensor([[[[False, False], [False, True]]]])
    filled = fill_with_mean_color(images, hidden)
    torch.testing.assert_close(filled[0, 0], torch.tensor([[0.0, 0.2], [0.4, 0.2]]))


def test_neighbors_restore_an_even_slope_exactly():
    ramp = torch.arange(16.0).expand(1, 1, 16, 16) / 16
    hidden = torch.zeros(1, 1, 16, 16, dtype=torch.bool)
    hidden[..., 4:8, 4:8] = True
    filled = fill_from_neighbors(ramp, hidden, 300)
    torch.testing.assert_close(filled, ramp, atol=1e-4, rtol=0)
    assert hidden_error(fill_with_mean_color(ramp, hidden), ramp, hidden) > hidden_error(filled, ramp, hidden)


def neighbors_by_hand(image, hidden, num_rounds):
    """Each hidden pixel in turn takes the mean of its four neighbors of the round before; edges see themselves."""
    height, width = len(image), len(image[0])
    for _ in range(num_rounds):
        before = [row[:] for row in image]
        for y in range(height):
            for x in range(width):
                if hidden[y][x]:
                    around = [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
                    seen = [before[min(max(a, 0), height - 1)][min(max(b, 0), width - 1)] for a, b in around]
                    image[y][x] = sum(seen) / 4
    return image


@settings(deadline=None)
@given(st.integers(0, 99), st.integers(1, 5))
def test_neighbors_are_averaged_as_by_hand(seed, num_rounds):
    generator = seeded(seed)
    image, hidden = torch.rand(1, 1, 5, 6, generator=generator), torch.rand(1, 1, 5, 6, generator=generator) < 0.5
    started = fill_with_mean_color(image, hidden)[0, 0].tolist()
    expected = torch.tensor(neighbors_by_hand(started, hidden[0, 0].tolist(), num_rounds))
    torch.testing.assert_close(fill_from_neighbors(image, hidden, num_rounds)[0, 0], expected)


def test_the_error_counts_hidden_pixels_only():
    images = torch.zeros(1, 3, 2, 2)
    hidden = torch.tensor([[[[True, False], [False, False]]]])
    assert hidden_error(torch.full_like(images, 0.5), images, hidden) == pytest.approx(0.25)
