"""Turn an image and watch what the rotation network makes of it."""

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets
from matplotlib.figure import Figure
from torch import Tensor, nn

from course_utils import plotting
from course_utils.data.image_files import decode_image
from course_utils.errors import DataError
from course_utils.evaluation import extract_features
from course_utils.pretext.rotation import FOUR_TURNS, degrees, rotate
from course_utils.widgets.sliders import explore

MOST_BYTES = 10 * 2**20  # of an uploaded picture
DrawTurn = Callable[[int, int, Sequence[dict[str, Any]]], Figure]


def make_turn_figure(model: nn.Module, images: Tensor) -> DrawTurn:
    """Return a function of (image's number, quarter turns, upload) that draws a turned image and the answer to it.

    Args:
        model: images in [0, 1] to four logits.
        images: (N, 3, side, side) uint8, to choose from.
    """

    def draw(image: int, turn: int, upload: Sequence[dict[str, Any]] = ()) -> Figure:
        chosen = _uploaded(upload[0], images.shape[-1]) if upload else images[image]
        turned = rotate(chosen, turn)
        probabilities = extract_features(model, turned[None])[0].softmax(dim=0)
        names = degrees()
        return plotting.answer(turned, dict(zip(names, probabilities.tolist(), strict=True)), right=names[turn])

    return draw


def turn_explorer(draw: DrawTurn, num_images: int) -> ipywidgets.VBox:
    """Return controls for `draw` with the picture below: which image, which turn, or a picture of one's own."""
    turns = list(zip(degrees(), FOUR_TURNS, strict=True))
    return explore(
        draw,
        "An image, turned, and the four probabilities that the network gives to its turn",
        image=ipywidgets.IntSlider(0, min=0, max=num_images - 1, description="image"),
        turn=ipywidgets.ToggleButtons(options=turns, value=0, description="turn"),
        upload=ipywidgets.FileUpload(accept="image/*", multiple=False, description="your own"),
    )


def _uploaded(upload: dict[str, Any], side: int) -> Tensor:
    if upload["size"] > MOST_BYTES:
        raise DataError(f"{upload['name']} has {upload['size'] / 2**20:.0f} MiB: choose one of at most 10")
    return decode_image(bytes(upload["content"]), upload["name"], side)
