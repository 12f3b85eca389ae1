"""Every alteration of a batch equals torchvision's of each image by itself."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms.v2 import functional as tv

from course_utils import transforms

COUNT = 5
SEEDS = st.integers(0, 10_000)


def draw(seed: int, height: int = 9, width: int = 12, count: int = COUNT):
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(count, 3, height, width, generator=generator)
    images[0] = images[0].mul(4).round().div(4)  # ties between channels, black, white and gray pixels
    return images, generator


def uniform(low, high, generator, count=COUNT):
    return low + (high - low) * torch.rand(count, generator=generator)


def one_by_one(function, images, *parameters):
    rows = zip(images, *(p.tolist() for p in parameters), strict=True)
    return torch.stack([function(image, *values) for image, *values in rows])


@settings(deadline=None, max_examples=40)
@given(height=st.integers(4, 20), width=st.integers(4, 20), size=st.integers(1, 25), seed=SEEDS)
def test_resized_crop(height, width, size, seed):
    images, generator = draw(seed, height, width)
    box_height = torch.randint(1, height + 1, (COUNT,), generator=generator)
    box_width = torch.randint(1, width + 1, (COUNT,), generator=generator)
    top = (torch.rand(COUNT, generator=generator) * (height - box_height + 1)).long()
    left = (torch.rand(COUNT, generator=generator) * (width - box_width + 1)).long()
    flip = torch.rand(COUNT, generator=generator) < 0.5
    ours = transforms.resized_crop(images, top, left, box_height, box_width, size, flip)

    def theirs(image, t, w, h, b, f):
        cut = tv.resized_crop(image, t, w, h, b, [size, size], antialias=True)
        return tv.horizontal_flip(cut) if f else cut

    torch.testing.assert_close(
        ours, one_by_one(theirs, images, top, left, box_height, box_width, flip), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("name", ["adjust_brightness", "adjust_contrast", "adjust_saturation"])
@settings(deadline=None, max_examples=20)
@given(seed=SEEDS)
def test_color_factors(name, seed):
    images, generator = draw(seed)
    factors = uniform(0, 2.5, generator)
    theirs = one_by_one(getattr(tv, name), images, factors)
    torch.testing.assert_close(getattr(transforms, name)(images, factors), theirs, rtol=1e-5, atol=1e-5)


@settings(deadline=None, max_examples=25)
@given(seed=SEEDS)
def test_hue(seed):
    images, generator = draw(seed)
    shifts = uniform(-0.5, 0.5, generator)
    theirs = one_by_one(tv.adjust_hue, images, shifts)
    torch.testing.assert_close(transforms.adjust_hue(images, shifts), theirs, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize(
    "color", [(0, 0, 0), (1, 1, 1), (0.3, 0.3, 0.3), (1, 1, 0), (0, 1, 1), (1, 0, 1), (0.2, 0.7, 0.7)]
)
def test_hue_of_gray_and_of_ties(color):
    image = torch.tensor(color).view(1, 3, 1, 1).expand(COUNT, 3, 2, 2).float()
    shifts = torch.tensor([-0.5, -0.2, 0.0, 0.3, 0.5])
    torch.testing.assert_close(
        transforms.adjust_hue(image, shifts), one_by_one(tv.adjust_hue, image, shifts), rtol=1e-5, atol=1e-5
    )


@settings(deadline=None, max_examples=20)
@given(seed=SEEDS)
def test_color_jitter_is_the_sequence(seed):
    images, generator = draw(seed)
    factors = [uniform(0.2, 1.8, generator) for _ in range(3)]
    shift = uniform(-0.2, 0.2, generator)

    def theirs(image, brightness, contrast, saturation, hue):
        image = tv.adjust_contrast(tv.adjust_brightness(image, brightness), contrast)
        return tv.adjust_hue(tv.adjust_saturation(image, saturation), hue)

    torch.testing.assert_close(
        transforms.color_jitter(images, *factors, shift),
        one_by_one(theirs, images, *factors, shift),
        rtol=1e-4,
        atol=5e-5,
    )


def test_gray():
    images, _ = draw(0)
    torch.testing.assert_close(transforms.to_gray(images), tv.rgb_to_grayscale(images, num_output_channels=3))


def test_images_do_not_change_each_other():
    images, generator = draw(0)
    factors = [uniform(0.2, 1.8, generator) for _ in range(3)]
    shift = uniform(-0.2, 0.2, generator)
    together = transforms.color_jitter(images, *factors, shift)
    apart = [
        transforms.color_jitter(images[i : i + 1], *(f[i : i + 1] for f in (*factors, shift))) for i in range(COUNT)
    ]
    torch.testing.assert_close(torch.cat(apart), together, rtol=0, atol=1e-6)


def test_the_images_given_stay_as_they_are():
    images, generator = draw(0)
    before = images.clone()
    transforms.color_jitter(images, *(uniform(0.2, 1.8, generator) for _ in range(3)), uniform(-0.2, 0.2, generator))
    transforms.gaussian_blur(images, uniform(0.1, 2, generator), 3)
    assert torch.equal(images, before)


@pytest.mark.parametrize("count", [0, 1])
def test_no_image_and_one_image(count):
    images, _ = draw(0, count=max(count, 1))
    images, ones = images[:count], torch.ones(count)
    box = (torch.zeros(count).long(), torch.zeros(count).long(), torch.full((count,), 9), torch.full((count,), 12))
    assert transforms.resized_crop(images, *box, 7).shape == (count, 3, 7, 7)
    jittered = transforms.color_jitter(images, ones, ones, ones, 0 * ones)
    torch.testing.assert_close(jittered, images, rtol=0, atol=1e-6)
    assert transforms.gaussian_blur(images, ones, 3).shape == images.shape


@settings(deadline=None, max_examples=10)
@given(kernel_size=st.sampled_from([3, 5, 7]), seed=SEEDS)
def test_gaussian_blur(kernel_size, seed):
    images, generator = draw(seed)
    sigma = uniform(0.1, 2, generator)
    theirs = one_by_one(lambda image, s: tv.gaussian_blur(image, [kernel_size] * 2, [s, s]), images, sigma)
    torch.testing.assert_close(transforms.gaussian_blur(images, sigma, kernel_size), theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kernel_size", [0, 2, 4, 25])
def test_a_kernel_that_does_not_fit_is_named(kernel_size):
    with pytest.raises(ValueError, match=f"kernel_size must be odd.*got {kernel_size}"):
        transforms.gaussian_blur(torch.rand(1, 3, 8, 8), torch.ones(1), kernel_size)
