"""Make views of an image and see what each alteration does."""

from collections.abc import Callable

import ipywidgets
import torch
from matplotlib.figure import Figure
from torch import Tensor

from course_utils import plotting
from course_utils.views import ViewSettings, simclr_views
from course_utils.widgets.sliders import explore

COLUMNS = 8
DrawViews = Callable[..., Figure]


def make_views_figure(images: Tensor, start: ViewSettings) -> DrawViews:
    """Return a function that draws an image and sixteen views of it.

    It takes the image's number, the smallest crop (share of the area), whether to flip, the color distortion's
    strength, the shares of gray and of blurred views, and the number of the draw. What is left out is as in `start`.

    Args:
        images: (N, 3, side, side) uint8, to choose from.
        start: the settings to begin with.
    """

    def draw(
        image: int = 0,
        crop: float = start.min_area,
        flip: bool = start.flip_prob > 0,
        color: float = start.color_strength,
        gray: float = start.gray_prob,
        blur: float = start.blur_prob,
        chance: int = 0,
    ) -> Figure:
        settings = ViewSettings(
            size=images.shape[-1],
            min_area=crop,
            max_aspect=start.max_aspect if crop < 1 else 1.0,
            flip_prob=0.5 if flip else 0.0,
            jitter_prob=start.jitter_prob,
            color_strength=color,
            gray_prob=gray,
            blur_prob=blur,
        )
        original = images[image][None].cpu()
        generator = torch.Generator().manual_seed(chance)
        views = simclr_views(original.expand(2 * COLUMNS, -1, -1, -1), settings, generator)
        rows = [("original", original), ("views", views[:COLUMNS]), ("", views[COLUMNS:])]
        return plotting.rows_of_images(rows, columns=COLUMNS, scale=0.75)

    return draw


def views_explorer(draw: DrawViews, num_images: int, start: ViewSettings) -> ipywidgets.VBox:
    """Return controls for `draw` with the picture below, and a button for another draw of chance."""

    def share(value: float, description: str, low: float = 0.0, high: float = 1.0) -> ipywidgets.FloatSlider:
        return ipywidgets.FloatSlider(
            value, min=low, max=high, step=0.05, description=description, continuous_update=False
        )

    number = ipywidgets.IntText(0, layout=ipywidgets.Layout(display="none"))
    box = explore(
        draw,
        "An image and sixteen views of it, each with its own draw of the alterations chosen above",
        image=ipywidgets.IntSlider(0, min=0, max=num_images - 1, description="image", continuous_update=False),
        crop=share(start.min_area, "least area", low=0.05),
        flip=ipywidgets.Checkbox(start.flip_prob > 0, description="flip half of them"),
        color=share(start.color_strength, "color"),
        gray=share(start.gray_prob, "gray share"),
        blur=share(start.blur_prob, "blur share"),
        chance=number,
    )
    button = ipywidgets.Button(description="draw again", icon="refresh")

    def draw_again(_: object) -> None:
        number.value += 1

    button.on_click(draw_again)
    *controls, picture = box.children
    return ipywidgets.VBox([*controls, button, picture])
