"""What a detector is given: scenes as a frozen encoder's maps, read once, or as images."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from course_utils.data.scenes import NOTHING, Scenes
from course_utils.evaluation import Labeled
from course_utils.models.detector import STRIDE, MapReader, place_centers
from course_utils.models.vision import Encoder

CHUNK = 100  # scenes at a time where nothing is learned


@dataclass(frozen=True)
class SceneInputs:
    """What a detector is given, beside what is right.

    Args:
        inputs: (N, channels, rows, columns): a frozen encoder's maps in half precision, or images in uint8.
        scenes: the N scenes that they show.
    """

    inputs: Tensor
    scenes: Scenes

    def __len__(self) -> int:
        return len(self.scenes)

    def take(self, indices: Tensor) -> Self:
        """Return the scenes at `indices`."""
        return type(self)(self.inputs[indices], self.scenes.take(indices))

    def chunks(self, device: torch.device) -> Iterator[Tensor]:
        """Give the inputs as a network takes them, some scenes at a time."""
        for chunk in self.inputs.split(CHUNK):
            yield as_floats(chunk.to(device))


def as_floats(inputs: Tensor) -> Tensor:
    """Return images of uint8 in [0, 1], and maps of half precision as they are, in float32."""
    return inputs.float() / 255 if inputs.dtype == torch.uint8 else inputs.float()


def read_maps(encoder: Encoder, scenes: Scenes) -> SceneInputs:
    """Return the frozen encoder's maps of all blocks, in eval mode, on the CPU."""
    reader = MapReader(encoder).eval()
    with torch.inference_mode():
        chunks = SceneInputs(scenes.images, scenes).chunks(encoder.mean.device)
        maps = torch.cat([reader(chunk).half().cpu() for chunk in chunks])
    return SceneInputs(maps.clone(), scenes)


def draw_scenes(data: SceneInputs, count: int, seed: int) -> SceneInputs:
    """Return `count` random labeled scenes out of the first half, and the same scenes mirrored out of the second.

    Args:
        data: all scenes, and then each of them mirrored.
        count: how many are labeled; a mirrored scene costs no label.
        seed: decides which.

    Raises:
        ValueError: there are not so many.
    """
    half = len(data) // 2
    if not 1 <= count <= half:
        raise ValueError(f"count must be between 1 and the {half} labeled scenes, got {count}")
    chosen = torch.randperm(half, generator=torch.Generator().manual_seed(seed))[:count]
    return data.take(torch.cat([chosen, chosen + half]))


def object_features(data: SceneInputs, grid: int = 2) -> Labeled:
    """Return the maps within each object's true box, averaged over a grid: what is there, if one knows where.

    Shape: features (objects, channels · grid²).
    """
    from torchvision.ops import roi_align  # here, for it takes seconds to import

    boxes = [data.scenes.objects_of(index)[0] for index in range(len(data))]
    labels = data.scenes.labels[data.scenes.labels != NOTHING]  # scene by scene, as the boxes are
    pooled = [
        roi_align(as_floats(maps), boxes[start : start + CHUNK], grid, spatial_scale=1 / STRIDE, aligned=True)
        for start, maps in zip(range(0, len(data), CHUNK), data.inputs.split(CHUNK), strict=True)
    ]
    return Labeled(torch.cat(pooled).flatten(start_dim=1), labels)


def place_points(scenes: Scenes) -> Tensor:
    """Return the centers of the places of the scenes' maps, (places, 2) in pixels, x before y."""
    return place_centers(scenes.images.shape[2] // STRIDE, scenes.images.shape[3] // STRIDE)
