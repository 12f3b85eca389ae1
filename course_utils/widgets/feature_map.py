"""A map of features: each image a point, and the image itself where the mouse or the arrow keys are."""

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from course_utils.plotting import features as feature_plotting

CODE = Path(__file__).parent
COLUMNS = 32  # of the sheet that holds all images
QUALITY = 90  # of the sheet's JPEG: a tenth of the size, and no difference to the eye


class FeatureMap(anywidget.AnyWidget):
    """Points on a plane, one encoder's or another's; the nearest one's image is shown large, with its class.

    Args:
        maps: name → positions (N, 2).
        images: (N, 3, H, W) uint8.
        labels: (N,) classes, which give the colors.
        class_names: of the labels.

    Raises:
        ValueError: no map, or positions that are not (N, 2) for N images and labels.
    """

    _esm = CODE / "feature_map.js"
    _css = CODE / "feature_map.css"

    maps: "traitlets.Dict[str, Any]" = traitlets.Dict().tag(sync=True)  # name → [[x, y], …], in [0, 1]
    labels: traitlets.List[Any] = traitlets.List(traitlets.Int()).tag(sync=True)
    names: traitlets.List[Any] = traitlets.List(traitlets.Unicode()).tag(sync=True)
    colors: traitlets.List[Any] = traitlets.List(traitlets.Unicode()).tag(sync=True)
    sheet = traitlets.Unicode().tag(sync=True)  # data URL of all images, `columns` in a row
    columns = traitlets.Int(COLUMNS).tag(sync=True)

    def __init__(self, maps: Mapping[str, Tensor], images: Tensor, labels: Tensor, class_names: Sequence[str]) -> None:
        count, shapes = len(images), [tuple(points.shape) for points in maps.values()]
        if not maps or set(shapes) != {(count, 2)} or len(labels) != count:
            raise ValueError(
                f"{count} images need as many labels and maps of ({count}, 2), got {len(labels)} and {shapes}"
            )
        self._points, self._labels = dict(maps), labels
        super().__init__(
            maps={name: _in_unit_square(points).tolist() for name, points in maps.items()},
            labels=labels.tolist(),
            names=list(class_names),
            colors=[feature_plotting.class_color(label) for label in range(len(class_names))],
            sheet=_sheet(images),
        )

    def static_figure(self) -> Figure:
        """Draw the maps side by side: for readers without a browser."""
        return feature_plotting.feature_maps(self._points, self._labels, self.names)


def _in_unit_square(points: Tensor) -> Tensor:
    low, high = points.min(dim=0).values, points.max(dim=0).values
    return ((points - low) / (high - low).clamp_min(1e-9)).float()


def _sheet(images: Tensor) -> str:
    """Return all images as one picture, COLUMNS in a row, as a data URL."""
    count, channels, height, width = images.shape
    rows = -(-count // COLUMNS)
    sheet = np.zeros((rows * COLUMNS, height, width, channels), dtype=np.uint8)
    sheet[:count] = images.permute(0, 2, 3, 1).cpu().numpy()
    sheet = sheet.reshape(rows, COLUMNS, height, width, channels).transpose(0, 2, 1, 3, 4)  # (rows, H, COLUMNS, W, C)
    content = io.BytesIO()
    Image.fromarray(sheet.reshape(rows * height, COLUMNS * width, channels)).save(content, "JPEG", quality=QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode()
