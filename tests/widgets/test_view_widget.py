"""The views explorer driven as a browser drives it."""

import ipywidgets
import numpy as np
import pytest
import torch

from course_utils.views import ViewSettings
from course_utils.widgets import make_views_figure, views_explorer

START = ViewSettings(size=8, min_area=0.3)
IMAGES = torch.randint(0, 256, (3, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
STILL = {"crop": 1.0, "flip": False, "color": 0.0, "gray": 0.0, "blur": 0.0}


@pytest.fixture
def draw():
    return make_views_figure(IMAGES, START)


def pictures(figure):
    original, *views = (image.get_array() for image in figure.axes[0].images)
    return original / 255, views


def test_sixteen_views_of_the_images_own_size(draw):
    original, views = pictures(draw(1))
    assert (original * 255 == IMAGES[1].permute(1, 2, 0).numpy()).all()
    assert len(views) == 16
    assert {view.shape for view in views} == {(16, 16, 3)}


def test_with_all_turned_off_views_are_the_image(draw):
    original, views = pictures(draw(2, **STILL))
    for view in views:
        np.testing.assert_allclose(view, original, atol=1e-5)


def test_each_alteration_does_what_it_says(draw):
    original, views = pictures(draw(0, **{**STILL, "flip": True}))
    flipped = [np.allclose(view, original[:, ::-1], atol=1e-5) for view in views]
    assert 0 < sum(flipped) < 16
    _, views = pictures(draw(0, **{**STILL, "gray": 1.0}))
    assert all(np.allclose(view[..., 0], view[..., 2], atol=1e-5) for view in views)
    for what in ({"blur": 1.0}, {"color": 1.0}, {"crop": 0.2}):
        _, views = pictures(draw(0, **{**STILL, **what}))
        assert sum(np.allclose(view, original, atol=1e-3) for view in views) < 8, what


def test_the_same_chance_gives_the_same_views(draw):
    first, again, other = (pictures(draw(0, chance=chance))[1] for chance in (4, 4, 5))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert not all((a == b).all() for a, b in zip(first, other, strict=True))


def test_controls_redraw_the_picture(draw):
    box = views_explorer(draw, len(IMAGES), START)
    *controls, button, picture = box.children
    assert isinstance(button, ipywidgets.Button)
    names = [control.description for control in controls]
    assert names[:-1] == ["image", "least area", "flip half of them", "color", "gray share", "blur share"]
    assert picture.value.startswith('<img alt="An image and sixteen views')
    for control, value in zip(controls, [1, 0.6, False, 1.0, 0.5, 0.5], strict=False):
        before = picture.value
        control.value = value
        assert picture.value != before, control.description


def test_the_button_draws_again_and_its_counter_is_hidden(draw):
    *controls, button, picture = views_explorer(draw, len(IMAGES), START).children
    seen = {picture.value}
    for _ in range(2):
        button.click()
        seen.add(picture.value)
    assert len(seen) == 3
    assert controls[-1].layout.display == "none"


def test_sliders_wait_until_they_are_let_go(draw):
    sliders = [
        control
        for control in views_explorer(draw, len(IMAGES), START).children
        if isinstance(control, ipywidgets.IntSlider | ipywidgets.FloatSlider)
    ]
    assert len(sliders) == 5
    assert not any(slider.continuous_update for slider in sliders)
