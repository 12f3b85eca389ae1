"""Widgets to label images with: by class, with buttons or keys, and with boxes drawn by the mouse."""

import base64
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image
from torch import Tensor

from course_utils import plotting
from course_utils.widgets.sessions import LabelingSession

CODE = Path(__file__).parent
SIDE = 288  # pixels of an image on the screen


class _ImageLabeler(anywidget.AnyWidget):
    """Shows images one after the other; the browser times each answer and sends it as (index, seconds, what)."""

    _esm = CODE / "labelers.js"
    _css = CODE / "labelers.css"

    mode = traitlets.Unicode().tag(sync=True)
    pictures = traitlets.List(traitlets.Unicode()).tag(sync=True)  # data URLs
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    size = traitlets.List(traitlets.Int()).tag(sync=True)  # width and height of an image in its own pixels
    side = traitlets.Int(SIDE).tag(sync=True)
    answers: traitlets.List[Any] = traitlets.List().tag(sync=True)

    def __init__(self, images: Tensor, **traits: Any) -> None:
        if images.ndim != 4 or images.shape[1] != 3 or len(images) == 0:
            raise ValueError(f"images must have the shape (N, 3, H, W) with N above 0, got {tuple(images.shape)}")
        self.images = images
        height, width = images.shape[2:]
        super().__init__(pictures=[_data_url(image) for image in images], size=[width, height], **traits)

    def _timed(self) -> list[tuple[int, float, Any]]:
        """Return the last sound answer to each image; what a browser can't have sent is left out."""
        sound: dict[int, tuple[int, float, Any]] = {}
        for answer in self.answers:
            match answer:
                case [int(index), int() | float() as seconds, what] if (
                    0 <= index < len(self.images) and math.isfinite(seconds) and seconds >= 0 and self._is_sound(what)
                ):
                    sound[index] = (index, float(seconds), what)
        return [sound[index] for index in sorted(sound)]

    def _is_sound(self, what: Any) -> bool:
        raise NotImplementedError


class ClassLabeler(_ImageLabeler):
    """Name what each image shows, with a button for each class or the keys 1 to 9 and 0.

    Args:
        images: (N, 3, H, W) uint8.
        class_names: of the buttons.
        labels: (N,) the true classes, to count errors; None if they are not known.

    Raises:
        ValueError: no images, fewer than two classes, or labels that don't fit.
    """

    def __init__(self, images: Tensor, class_names: Sequence[str], labels: Tensor | None = None) -> None:
        if len(class_names) < 2:
            raise ValueError(f"a choice needs at least 2 classes, got {len(class_names)}")
        if labels is not None and len(labels) != len(images):
            raise ValueError(f"{len(images)} images need as many labels, got {len(labels)}")
        self.labels = labels
        super().__init__(images, mode="class", names=list(class_names))

    def _is_sound(self, what: Any) -> bool:
        return isinstance(what, int) and not isinstance(what, bool) and 0 <= what < len(self.names)

    @property
    def session(self) -> LabelingSession:
        """What has been labeled so far."""
        timed = self._timed()
        errors = None
        if self.labels is not None:
            errors = sum(what != int(self.labels[index]) for index, _, what in timed)
        return LabelingSession("class", tuple(seconds for _, seconds, _ in timed), errors, "timed here")

    def static_figure(self, most: int = 8) -> Figure:
        """Draw the first images: what the widget shows, for readers without a browser."""
        return plotting.image_grid(self.images[:most], columns=min(most, len(self.images)))


class BoxLabeler(_ImageLabeler):
    """Draw a tight box around the object in each image with the mouse, a pen or a finger.

    Args:
        images: (N, 3, H, W) uint8.

    Raises:
        ValueError: no images.
    """

    def __init__(self, images: Tensor) -> None:
        super().__init__(images, mode="box", names=[])

    def _is_sound(self, what: Any) -> bool:
        match what:
            case [int() | float(), int() | float(), int() | float(), int() | float()]:
                left, top, right, bottom = what
                width, height = self.size
                return 0 <= left < right <= width and 0 <= top < bottom <= height
        return False

    @property
    def boxes(self) -> dict[int, tuple[float, float, float, float]]:
        """The boxes drawn so far: image → (left, top, right, bottom) in its pixels."""
        return {index: tuple(what) for index, _, what in self._timed()}

    @property
    def session(self) -> LabelingSession:
        """What has been labeled so far."""
        return LabelingSession("box", tuple(seconds for _, seconds, _ in self._timed()), None, "timed here")

    def static_figure(self, most: int = 6) -> Figure:
        """Draw the first images with the boxes drawn so far: for readers without a browser."""
        figure = plotting.image_grid(self.images[:most], columns=min(most, len(self.images)), scale=1.3)
        [axis] = figure.axes
        for index, (left, top, right, bottom) in self.boxes.items():
            if index < most:
                place = index * (1 + plotting.GAP)
                x, y = place + left / self.size[0], top / self.size[1]
                size = ((right - left) / self.size[0], (bottom - top) / self.size[1])
                axis.add_patch(Rectangle((x, y), *size, fill=False, edgecolor=plotting.ORANGE, linewidth=2))
        return figure


def _data_url(image: Tensor) -> str:
    content = io.BytesIO()
    Image.fromarray(image.permute(1, 2, 0).cpu().numpy()).save(content, format="PNG")
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()
