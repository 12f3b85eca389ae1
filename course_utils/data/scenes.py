"""Scenes to find objects in: real pictures of a data set, laid out by the course, so that all boxes are known exactly.

Pixels are real, the layout is made up: pictures of a data set are shrunk or enlarged and laid on a background at random
places. Each split's scenes are made of that split's pictures only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor
from torch.nn import functional as F

from course_utils.data.images import ImageSplits, LabeledImages

NOTHING = -1
"""The label of a place in `Scenes.labels` that holds no object."""
TRIES = 40  # to find a place for an object before it is left out


@dataclass(frozen=True)
class Scenes:
    """Scenes with the boxes of their objects.

    Args:
        images: (N, 3, height, width) uint8.
        boxes: (N, most, 4) float32, corners x1, y1, x2, y2 in pixels; zeros where there is no object.
        labels: (N, most) int64; `NOTHING` where there is no object.
    """

    images: Tensor
    boxes: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.images)

    @property
    def num_objects(self) -> int:
        """How many objects there are in all scenes together."""
        return int((self.labels != NOTHING).sum())

    @property
    def size(self) -> int:
        """Pixels of a scene's side."""
        return self.images.shape[-1]

    def take(self, indices: Tensor) -> Self:
        """Return the scenes at `indices`."""
        return type(self)(self.images[indices], self.boxes[indices], self.labels[indices])

    def joined(self, other: "Scenes") -> Self:
        """Return these scenes and then the other's."""
        pairs = ((self.images, other.images), (self.boxes, other.boxes), (self.labels, other.labels))
        return type(self)(*(torch.cat(pair) for pair in pairs))

    def objects_of(self, index: int) -> tuple[Tensor, Tensor]:
        """Return one scene's boxes (objects, 4) and labels (objects,)."""
        there = self.labels[index] != NOTHING
        return self.boxes[index][there], self.labels[index][there]

    def mirrored(self) -> Self:
        """Return the scenes with left and right exchanged, boxes included."""
        width = self.images.shape[-1]
        x1, y1, x2, y2 = self.boxes.unbind(dim=2)
        flipped = torch.stack([width - x2, y1, width - x1, y2], dim=2)
        flipped[self.labels == NOTHING] = 0
        return type(self)(self.images.flip(3), flipped, self.labels)


@dataclass(frozen=True)
class SceneSplits:
    """Scenes to learn from, to choose by and to look at once; `description` says where they are from."""

    train: Scenes
    validation: Scenes
    test: Scenes
    class_names: tuple[str, ...]
    description: str

    @property
    def num_classes(self) -> int:
        """How many classes there are."""
        return len(self.class_names)


@dataclass(frozen=True)
class Layout:
    """How scenes are laid out.

    Args:
        size: pixels of a scene's side.
        sides: least and most pixels of an object's longer side.
        most_objects: in a scene; there is at least one.
        most_covered: share of an object that others, laid on later, may hide.
    """

    size: int = 64
    sides: tuple[int, int] = (16, 36)
    most_objects: int = 4
    most_covered: float = 0.3

    def __post_init__(self) -> None:
        least, most = self.sides
        if not 4 <= least <= most <= self.size:
            raise ValueError(
                f"sides must be between 4 and the scene's {self.size} pixels, the smaller one first, got {self.sides}"
            )
        if self.most_objects < 1:
            raise ValueError(f"most_objects must be at least 1, got {self.most_objects}")
        if not 0 <= self.most_covered < 1:
            raise ValueError(f"most_covered must be a share in [0, 1), got {self.most_covered}")


def make_scene_splits(
    pictures: ImageSplits, layout: Layout, *, num_train: int, num_validation: int, num_test: int, seed: int
) -> SceneSplits:
    """Return scenes of all three splits, each made of its own split's pictures; the seed decides everything."""
    counts = {"train": num_train, "validation": num_validation, "test": num_test}
    parts = {
        split: make_scenes(getattr(pictures, split), count, layout, torch.Generator().manual_seed(seed * 10 + number))
        for number, (split, count) in enumerate(counts.items())
    }
    low, high = layout.sides
    description = (
        f"Scenes of {layout.size} × {layout.size} pixels with 1 to {layout.most_objects} objects of {low} to {high} "
        f"pixels: real pictures of {pictures.name} in a made-up layout. {num_train:,} training, {num_validation:,} "
        f"validation and {num_test:,} test scenes, each made of its own split's pictures."
    )
    return SceneSplits(**parts, class_names=pictures.class_names, description=description)


def make_scenes(pictures: LabeledImages, count: int, layout: Layout, generator: torch.Generator) -> Scenes:
    """Return `count` scenes made of random pictures; the generator's state decides them.

    Raises:
        ValueError: no scenes are asked for, or there are no pictures.
    """
    if count < 1 or len(pictures) < 1:
        raise ValueError(f"scenes need pictures and a count above 0, got {len(pictures)} pictures and count {count}")
    made = [_make_scene(pictures, layout, generator) for _ in range(count)]
    boxes = torch.zeros(count, layout.most_objects, 4)
    labels = torch.full((count, layout.most_objects), NOTHING)
    for row, (_, found, names) in enumerate(made):
        boxes[row, : len(found)] = torch.tensor(found).float()
        labels[row, : len(names)] = torch.tensor(names)
    return Scenes(torch.stack([image for image, _, _ in made]), boxes, labels)


Box = tuple[int, int, int, int]


def _make_scene(
    pictures: LabeledImages, layout: Layout, generator: torch.Generator
) -> tuple[Tensor, list[Box], list[int]]:
    scene = _draw_background(pictures.images, layout.size, generator)
    owner = torch.full((layout.size, layout.size), NOTHING)  # which object is seen at each pixel
    boxes: list[Box] = []
    labels: list[int] = []
    for _ in range(_whole(1, layout.most_objects, generator)):
        box = _find_place(owner, boxes, layout, generator)
        if box is None:
            continue
        x1, y1, x2, y2 = box
        chosen = _whole(0, len(pictures) - 1, generator)
        scene[:, y1:y2, x1:x2] = _resize(pictures.images[chosen].float(), y2 - y1, x2 - x1, generator)
        owner[y1:y2, x1:x2] = len(boxes)
        boxes.append(box)
        labels.append(int(pictures.labels[chosen]))
    return scene.round().clamp(0, 255).byte(), boxes, labels


def _find_place(owner: Tensor, boxes: list[Box], layout: Layout, generator: torch.Generator) -> Box | None:
    """Return a box that leaves enough of every earlier one to be seen, or None if none was found."""
    for _ in range(TRIES):
        longer = _whole(*layout.sides, generator)
        shorter = max(4, round(longer * _share(0.7, 1.0, generator)))
        width, height = (longer, shorter) if _share(0, 1, generator) < 0.5 else (shorter, longer)
        x, y = _whole(0, layout.size - width, generator), _whole(0, layout.size - height, generator)
        after = owner.clone()
        after[y : y + height, x : x + width] = len(boxes)
        seen = torch.bincount(after.flatten() + 1, minlength=len(boxes) + 2)[1:].tolist()
        areas = [(x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in boxes]
        if all(part >= (1 - layout.most_covered) * area for part, area in zip(seen, areas, strict=False)):
            return x, y, x + width, y + height
    return None


def _resize(picture: Tensor, height: int, width: int, generator: torch.Generator) -> Tensor:
    """Return a picture (3, H, W) in another size, every second one mirrored."""
    if _share(0, 1, generator) < 0.5:
        picture = picture.flip(2)
    return F.interpolate(picture[None], size=(height, width), mode="bilinear", antialias=True)[0]


def _draw_background(images: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Return one of four kinds of background, (3, size, size) floats from 0 to 255."""
    kinds: list[Callable[[Tensor, int, torch.Generator], Tensor]] = [_slope, _clouds, _stripes, _blurred]
    return kinds[_whole(0, len(kinds) - 1, generator)](images, size, generator)


def _slope(images: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """One color passes into another."""
    corners = torch.rand(1, 3, 2, 2, generator=generator) * 255
    return _enlarge(corners, size)


def _clouds(images: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Smooth spots around a color, coarse and fine."""
    color = torch.rand(3, 1, 1, generator=generator) * 155 + 50
    coarse, fine = (_enlarge(torch.randn(1, 3, n, n, generator=generator), size) for n in (4, size // 3))
    return color + 35 * coarse + 18 * fine


def _stripes(images: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Stripes of two colors at any angle."""
    first, second = torch.rand(2, 3, 1, 1, generator=generator) * 255
    angle, width = torch.tensor(_share(0, 3.1416, generator)), _share(3, 12, generator)
    rows, columns = torch.meshgrid(torch.arange(size).float(), torch.arange(size).float(), indexing="ij")
    wave = 0.5 + 0.5 * torch.sin((rows * angle.sin() + columns * angle.cos()) * torch.pi / width)
    return first + (second - first) * wave


def _blurred(images: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """A picture of the same split, blurred until nothing can be told but its colors."""
    chosen = images[_whole(0, len(images) - 1, generator)].float()[None]
    return _enlarge(F.adaptive_avg_pool2d(chosen, 5), size)


def _enlarge(small: Tensor, size: int) -> Tensor:
    return F.interpolate(small, size=(size, size), mode="bilinear", align_corners=True)[0]


def _whole(least: int, most: int, generator: torch.Generator) -> int:
    return int(torch.randint(least, most + 1, (), generator=generator))


def _share(least: float, most: float, generator: torch.Generator) -> float:
    return least + (most - least) * float(torch.rand((), generator=generator))
