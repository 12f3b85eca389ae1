"""A light one-stage detector without anchors: at every place of a feature map, what is here, and how far are its edges?

After FCOS (Tian et al. 2019), on one map in place of a pyramid.
"""

import copy
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.models.vision import Encoder

STRIDE = 4
"""Pixels of a scene between two places of the feature map."""
PRIOR = 0.01  # the probability of each class at the start (Lin et al. 2017, section 4.1)
GROUPS = 8  # of group normalization


class MapReader(nn.Module):
    """An encoder's maps of all blocks, side by side, at a quarter of the image's resolution.

    Args:
        encoder: whose maps are read.
    """

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, images: Tensor) -> Tensor:
        """Shape: (batch, 3, height, width), floats in [0, 1] → (batch, channels, height / 4, width / 4)."""
        height, width = images.shape[2] // STRIDE, images.shape[3] // STRIDE
        return join_maps(self.encoder.forward_blocks(images)[1:], height, width)


def join_maps(maps: Sequence[Tensor], height: int, width: int) -> Tensor:
    """Return maps side by side in one resolution: finer ones averaged, coarser ones stretched.

    Shape: each (batch, its channels, its height, its width) → (batch, all channels, height, width).
    """
    joined = []
    for each in maps:
        if each.shape[2] > height:
            joined.append(F.adaptive_avg_pool2d(each, (height, width)))
        elif each.shape[2] < height:
            joined.append(F.interpolate(each, size=(height, width), mode="bilinear", align_corners=False))
        else:
            joined.append(each)
    return torch.cat(joined, dim=1)


class DetectionHead(nn.Module):
    """What stands on the feature map: one layer for both questions, then a convolution for what and one for where.

    Args:
        in_channels: of the feature map.
        num_classes: how many kinds of objects.
        width: channels inside, a multiple of 8.
        typical_side: pixels; distances are exp(output) · typical_side / 2, so that an untrained head says this size.
    """

    def __init__(self, in_channels: int, num_classes: int, width: int = 64, typical_side: float = 24.0) -> None:
        super().__init__()
        self.typical_side = typical_side
        self.normalize = nn.BatchNorm2d(in_channels, affine=False)
        self.reduce = _layer(in_channels, width, size=1)
        self.what, self.where = (_layer(width, width, size=3) for _ in range(2))
        self.classes = _output(width, num_classes, size=1)
        self.distances = _output(width, 4, size=3)
        self.centerness = _output(width, 1, size=3)
        nn.init.constant_(self.classes.bias, -math.log((1 - PRIOR) / PRIOR))  # type: ignore[arg-type]

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return for each place of the map, row by row, logits of the classes, distances in pixels, and centerness.

        Shape: (batch, in_channels, rows, columns) → (batch, places, num_classes), (batch, places, 4: left, top, right,
        bottom), (batch, places).
        """
        maps = self.reduce(self.normalize(maps))
        what, where = self.what(maps), self.where(maps)
        distances = self.distances(where).clamp(-4, 4).exp() * (self.typical_side / 2)
        by_place = [each.flatten(start_dim=2).transpose(1, 2) for each in (self.classes(what), distances)]
        return by_place[0], by_place[1], self.centerness(where).flatten(start_dim=1)

    def hidden_kernels(self) -> list[nn.Parameter]:
        """Return the kernels that a norm follows; the outputs' are not among them."""
        layers = (self.reduce, self.what, self.where)
        return [parameter for layer in layers for parameter in layer.parameters() if parameter.ndim == 4]


class Detector(nn.Module):
    """A head, and before it an encoder that learns along, or none where the inputs are a frozen encoder's maps.

    Args:
        head: what answers.
        encoder: whose maps the head is given.
    """

    def __init__(self, head: DetectionHead, encoder: Encoder | None = None) -> None:
        super().__init__()
        self.head = head
        self.reader = None if encoder is None else MapReader(encoder)

    @property
    def num_classes(self) -> int:
        """How many kinds of objects it tells apart."""
        return self.head.classes.out_channels

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return what `DetectionHead` returns, for maps or, with an encoder, for images, floats in [0, 1]."""
        maps = inputs if self.reader is None else self.reader(inputs)
        answers: tuple[Tensor, Tensor, Tensor] = self.head(maps)
        return answers


def map_channels(encoder: Encoder) -> int:
    """Return how many channels `MapReader` gives for an encoder."""
    with torch.inference_mode():
        return MapReader(copy.deepcopy(encoder).cpu().eval())(torch.zeros(1, 3, 32, 32)).shape[1]


def place_centers(rows: int, columns: int, stride: int = STRIDE) -> Tensor:
    """Return the point in the image that each place of a map stands for, row by row, (rows · columns, 2) as x, y."""
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    return (torch.stack([x, y], dim=2).flatten(end_dim=1) + 0.5) * stride


def boxes_from_distances(points: Tensor, distances: Tensor) -> Tensor:
    """Return the corners of the boxes whose edges lie so far from points.

    Shape: points (places, 2), distances (…, places, 4: left, top, right, bottom) → (…, places, 4: x1, y1, x2, y2).
    """
    return torch.cat([points - distances[..., :2], points + distances[..., 2:]], dim=-1)


def _layer(in_channels: int, width: int, size: int) -> nn.Sequential:
    convolution = nn.Conv2d(in_channels, width, size, padding=size // 2, bias=False)
    return nn.Sequential(convolution, nn.GroupNorm(GROUPS, width), nn.ReLU())


def _output(width: int, channels: int, size: int) -> nn.Conv2d:
    layer = nn.Conv2d(width, channels, size, padding=size // 2)
    nn.init.normal_(layer.weight, std=0.01)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer
