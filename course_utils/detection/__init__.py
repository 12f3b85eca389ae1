"""Detecting objects on a frozen encoder's maps: read once, train many heads, choose on validation, score once."""

from course_utils.detection.answers import (
    detect,
    surest_only,
)
from course_utils.detection.inputs import (
    SceneInputs,
    as_floats,
    draw_scenes,
    object_features,
    read_maps,
)
from course_utils.detection.training import (
    DetectorRecipe,
    TrainedDetector,
    train_detector,
)

__all__ = [
    "DetectorRecipe",
    "SceneInputs",
    "TrainedDetector",
    "as_floats",
    "detect",
    "draw_scenes",
    "object_features",
    "read_maps",
    "surest_only",
    "train_detector",
]
