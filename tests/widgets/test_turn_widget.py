"""The turn explorer driven as a browser drives it."""

import datetime
import io

import ipywidgets
import pytest
import torch
from PIL import Image
from torch import nn

from course_utils.errors import DataError
from course_utils.widgets import make_turn_figure, turn_explorer

TODAY = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
IMAGES = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
IMAGES[1, :, :4] = 255  # bright above


class BrightAbove(nn.Module):
    """Knows which side of the image is the bright one; that side is up."""

    def forward(self, images):
        sides = [images[..., :4, :], images[..., :4], images[..., 4:, :], images[..., 4:]]
        return torch.stack([20 * side.mean(dim=(1, 2, 3)) for side in sides], dim=1)


@pytest.fixture
def draw():
    return make_turn_figure(BrightAbove(), IMAGES)


def picture_file(color):
    content = io.BytesIO()
    Image.new("RGB", (30, 20), color).save(content, format="PNG")
    return content.getvalue()


def upload(content, name="mine.png"):
    return (
        {
            "name": name,
            "size": len(content),
            "content": memoryview(content),
            "type": "image/png",
            "last_modified": TODAY,
        },
    )


@pytest.mark.parametrize("turn", range(4))
def test_the_network_sees_the_turned_image(draw, turn):
    bars = draw(1, turn).axes[1].patches
    assert [bar.get_width() > 0.9 for bar in bars] == [index == turn for index in range(4)]


def test_turning_draws_another_picture(draw):
    box = turn_explorer(draw, num_images=2)
    image, turns, _, picture = box.children
    assert isinstance(turns, ipywidgets.ToggleButtons)
    image.value = 1
    before = picture.value
    turns.value = 2
    assert picture.value.startswith('<img alt="An image, turned')
    assert picture.value != before


def test_an_upload_takes_the_images_place(draw):
    shown = draw(0, 0, upload(picture_file("red"))).axes[0].images[0].get_array()
    assert shown.shape == (8, 8, 3)
    assert (shown == [255, 0, 0]).all()


@pytest.mark.parametrize("content", [b"", b"no picture", picture_file("red")[:40]], ids=["empty", "text", "cut"])
def test_an_upload_that_is_no_picture_is_told_in_the_pictures_place(draw, content):
    with pytest.raises(DataError, match=r"mine.png can't be read as a picture: choose a PNG or JPEG file"):
        draw(0, 0, upload(content))
    box = turn_explorer(draw, num_images=2)
    box.children[2].value = upload(content)
    assert box.children[3].value == "<p>mine.png can&#x27;t be read as a picture: choose a PNG or JPEG file</p>"


def test_an_upload_that_is_too_large(draw):
    [file] = upload(picture_file("red"), "<b>.png")
    with pytest.raises(DataError, match=r"<b>.png has 11 MiB: choose one of at most 10"):
        draw(0, 0, ({**file, "size": 11 * 2**20},))
