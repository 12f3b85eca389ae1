"""Views: each image its own draw, repeatable, in range, and drawn as torchvision draws."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as tv

from course_utils import views as views_module
from course_utils.views import (
    ViewDraws,
    ViewSettings,
    apply_draws,
    blur_kernel_size,
    draw_crops,
    draw_views,
    simclr_views,
)

ALL = ViewSettings(size=16, blur_prob=0.5)
NOTHING = {"flip_prob": 0.0, "jitter_prob": 0.0, "gray_prob": 0.0, "min_area": 1.0, "max_aspect": 1.0}


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_images(count: int, side: int = 16, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 256, (count, 3, side, side), dtype=torch.uint8, generator=seeded(seed))


def alter_as_torchvision(image: torch.Tensor, draw: ViewDraws, size: int) -> torch.Tensor:
    """Make one view, one call after the other."""
    box = (int(draw.top), int(draw.left), int(draw.height), int(draw.width))
    view = tv.resized_crop(image.float() / 255, *box, [size, size], antialias=True)
    view = tv.horizontal_flip(view) if draw.flipped else view
    if draw.jittered:
        view = tv.adjust_brightness(view, float(draw.brightness))
        view = tv.adjust_contrast(view, float(draw.contrast))
        view = tv.adjust_saturation(view, float(draw.saturation))
        view = tv.adjust_hue(view, float(draw.hue))
    view = tv.rgb_to_grayscale(view, num_output_channels=3) if draw.gray else view
    if draw.blurred:
        view = tv.gaussian_blur(view, [blur_kernel_size(size)] * 2, [float(draw.sigma)] * 2)
    return view


@pytest.mark.parametrize(("side", "size"), [(16, 16), (16, 11), (11, 30)])
def test_views_are_what_torchvision_makes_of_the_same_draws(side, size):
    chosen = ViewSettings(size=size, flip_prob=0.5, jitter_prob=0.5, gray_prob=0.5, blur_prob=0.5)
    images = random_images(40, side)
    draws = draw_views(40, side, side, chosen, seeded(3))
    theirs = [alter_as_torchvision(image, draws.take(i), size) for i, image in enumerate(images)]
    torch.testing.assert_close(simclr_views(images, chosen, seeded(3)), torch.stack(theirs), rtol=1e-4, atol=5e-5)


@pytest.mark.parametrize("images_per_chunk", [1, 7, 50])
def test_how_a_batch_is_cut_does_not_matter(images_per_chunk, monkeypatch):
    images = random_images(20)
    whole = simclr_views(images, ALL, seeded(0))
    monkeypatch.setattr(views_module, "PIXELS_PER_CHUNK", images_per_chunk * 16 * 16)
    torch.testing.assert_close(simclr_views(images, ALL, seeded(0)), whole, rtol=0, atol=1e-6)


def test_part_of_a_batch_gives_part_of_its_views():
    images = random_images(20)
    draws = draw_views(20, 16, 16, ALL, seeded(0))
    some = torch.tensor([3, 17, 4])
    ours = apply_draws(images[some], draws.take(some), 16)
    torch.testing.assert_close(ours, apply_draws(images, draws, 16)[some], rtol=0, atol=1e-6)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("drawn_on", ["cpu", "cuda"])
def test_a_gpu_gives_the_same_views(drawn_on):
    images, generator = random_images(50), torch.Generator(drawn_on).manual_seed(0)
    draws = draw_views(50, 16, 16, ALL, generator)
    ours = apply_draws(images.cuda(), draws, 16)
    torch.testing.assert_close(ours.cpu(), apply_draws(images, draws.to(images.device), 16), rtol=1e-4, atol=5e-5)


def test_each_image_has_its_own_draw():
    copies = random_images(1).expand(100, -1, -1, -1)
    views = simclr_views(copies, ALL, seeded(0))
    assert len(views.flatten(1).unique(dim=0)) == 100


def test_same_seed_same_views_and_the_next_draw_differs():
    images, generator = random_images(70), seeded(1)
    first, second = (simclr_views(images, ALL, generator) for _ in range(2))
    assert torch.equal(simclr_views(images, ALL, seeded(1)), first)
    assert not torch.equal(first, second)
    assert not torch.equal(simclr_views(images, ALL, seeded(2)), first)


@settings(deadline=None, max_examples=25)
@given(
    count=st.integers(0, 70),
    side=st.integers(6, 20),
    size=st.integers(6, 20),
    strength=st.floats(0, 2),
    min_area=st.floats(0.05, 1),
)
def test_shape_and_range(count, side, size, strength, min_area):
    chosen = ViewSettings(size=size, min_area=min_area, color_strength=strength, blur_prob=0.5, gray_prob=0.5)
    views = simclr_views(random_images(count, side), chosen, seeded(0))
    assert views.shape == (count, 3, size, size)
    assert views.dtype == torch.float32
    assert torch.isfinite(views).all()
    assert ((views >= 0) & (views <= 1)).all()


def test_nothing_asked_nothing_changed():
    images = random_images(5)
    views = simclr_views(images, ViewSettings(size=16, **NOTHING), seeded(0))
    torch.testing.assert_close(views, images.float() / 255)


def test_bytes_and_floats_give_the_same_views():
    images = random_images(9)
    assert torch.equal(simclr_views(images, ALL, seeded(0)), simclr_views(images.float() / 255, ALL, seeded(0)))


def test_flips_at_their_rate():
    images = random_images(1).expand(2000, -1, -1, -1)
    views = simclr_views(images, ViewSettings(size=16, **{**NOTHING, "flip_prob": 0.3}), seeded(0))
    mirrored = (views - (images[0].float() / 255).flip(-1)).abs().amax(dim=(1, 2, 3)) < 1e-5
    assert mirrored.float().mean().item() == pytest.approx(0.3, abs=0.04)
    torch.testing.assert_close(views[~mirrored][0], images[0].float() / 255)


@pytest.mark.parametrize("prob", [0.0, 0.25, 1.0])
def test_gray_at_its_rate(prob):
    views = simclr_views(random_images(1000), ViewSettings(size=16, **{**NOTHING, "gray_prob": prob}), seeded(0))
    gray = (views[:, 0] == views[:, 1]).all(dim=2).all(dim=1)
    assert gray.float().mean().item() == pytest.approx(prob, abs=0.05 * (0 < prob < 1))


@pytest.mark.parametrize("prob", [0.0, 0.4, 1.0])
def test_blur_at_its_rate(prob):
    images, chosen = random_images(1000), ViewSettings(size=16, **{**NOTHING, "blur_prob": prob})
    draws = draw_views(1000, 16, 16, chosen, seeded(0))
    changed = (apply_draws(images, draws, 16) - images / 255).abs().amax(dim=(1, 2, 3)) > 1e-4
    seen = draws.sigma > 0.3  # a smaller blur reaches no neighbor
    assert torch.equal(changed[seen], draws.blurred[seen])
    assert changed[seen].float().mean().item() == pytest.approx(prob, abs=0.05 * (0 < prob < 1))


@pytest.mark.parametrize("prob", [0.0, 0.8, 1.0])
def test_jitter_at_its_rate(prob):
    images = random_images(1000)
    views = simclr_views(images, ViewSettings(size=16, **{**NOTHING, "jitter_prob": prob}), seeded(0))
    changed = (views - images / 255).abs().amax(dim=(1, 2, 3)) > 1e-3
    assert changed.float().mean().item() == pytest.approx(prob, abs=0.05 * (0 < prob < 1))


def test_the_two_views_of_a_batch_belong_together():
    images = random_images(6)
    one = ViewSettings(size=16, **{**NOTHING, "gray_prob": 1.0})
    first, second = simclr_views(images.repeat(2, 1, 1, 1), one, seeded(0)).chunk(2)
    torch.testing.assert_close(first, second)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (20, 50), (64, 9)])
def test_crops_are_drawn_as_torchvision_draws_them(height, width):
    count = 4000
    ours = torch.stack(draw_crops(count, height, width, ViewSettings(size=8, min_area=0.2), seeded(0)), dim=1).double()
    torch.manual_seed(0)
    crop = v2.RandomResizedCrop(8, scale=(0.2, 1.0))
    image = torch.empty(3, height, width)
    drawn = [crop.make_params([image]) for _ in range(count)]
    theirs = torch.tensor([[p["top"], p["left"], p["height"], p["width"]] for p in drawn]).double()
    tolerance = 5 * (theirs.std(dim=0) + 0.1) * (2 / count) ** 0.5
    assert ((ours.mean(dim=0) - theirs.mean(dim=0)).abs() < tolerance).all()
    assert torch.allclose(ours.std(dim=0), theirs.std(dim=0), rtol=0.08, atol=0.1)
    assert (ours.amax(dim=0) - theirs.amax(dim=0)).abs().max() <= 1
    assert (ours[:, 0] + ours[:, 2]).max() <= height
    assert (ours[:, 1] + ours[:, 3]).max() <= width


def test_kernel_of_the_blur():
    assert [blur_kernel_size(size) for size in (8, 32, 48, 96, 224)] == [3, 3, 5, 9, 23]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"size": 0}, "size must be at least 1 pixel, got 0"),
        ({"min_area": 0.0}, "0 < min_area <= max_area <= 1 must hold, got 0.0 and 1.0"),
        ({"min_area": 0.9, "max_area": 0.5}, "got 0.9 and 0.5"),
        ({"max_aspect": 0.5}, "max_aspect must be at least 1, got 0.5"),
        ({"color_strength": -1.0}, r"color_strength must be in \[0, 2\], got -1.0"),
        ({"blur_prob": 1.5}, r"blur_prob must be in \[0, 1\], got 1.5"),
    ],
)
def test_settings_out_of_range_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        ViewSettings(**{"size": 16, **wrong})


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(3, 8, 8), r"shape \(N, 3, H, W\), got \(3, 8, 8\)"),
        (torch.zeros(2, 1, 8, 8), r"got \(2, 1, 8, 8\)"),
        (torch.zeros(2, 3, 0, 8), r"got \(2, 3, 0, 8\)"),
        (torch.zeros(2, 3, 8, 8, dtype=torch.int64), "uint8, or floats in .*, got torch.int64"),
    ],
)
def test_images_of_another_kind_are_named(images, message):
    with pytest.raises(ValueError, match=message):
        simclr_views(images, ALL, seeded(0))
