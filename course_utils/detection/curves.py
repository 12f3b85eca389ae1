"""Average precision against labeled scenes: every detector gets the same draws of scenes and one protocol."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric

from course_utils.data.scenes import Scenes, SceneSplits
from course_utils.detection.answers import detect, surest_only
from course_utils.detection.inputs import SceneInputs, draw_scenes, read_maps
from course_utils.detection.scores import BoxScores, Detections, average_precision
from course_utils.detection.training import DetectorRecipe, train_detector
from course_utils.models.detector import DetectionHead, Detector, map_channels
from course_utils.models.vision import Encoder


@dataclass(frozen=True)
class DetectorData:
    """What a detector is given in all three splits; the training scenes are there twice, the second time mirrored."""

    train: SceneInputs
    validation: SceneInputs
    test: SceneInputs


@dataclass(frozen=True)
class BoxRun:
    """One training, chosen on validation and scored on the test scenes once."""

    seed: int
    scores: BoxScores  # on test
    where50: float  # average precision on test at .5 if classes don't count
    detections: list[Detections]  # on test, as they are scored
    shown: list[Detections]  # on test, one name for each object
    shown_on_validation: list[Detections]  # the same on validation, to choose a threshold by
    kept_round: int


BoxCurve = dict[int, list[BoxRun]]
"""Labeled scenes → a run for each seed."""


def read_scenes(splits: SceneSplits, encoder: Encoder | None = None) -> DetectorData:
    """Return all scenes as a frozen encoder's maps, or as images where there is none."""

    def read(scenes: Scenes) -> SceneInputs:
        return SceneInputs(scenes.images, scenes) if encoder is None else read_maps(encoder, scenes)

    return DetectorData(read(splits.train.joined(splits.train.mirrored())), read(splits.validation), read(splits.test))


def build_detector(encoder: Encoder, num_classes: int, width: int, seed: int, *, frozen: bool) -> Detector:
    """Return a new detector for an encoder's maps; with `frozen` false a copy of the encoder is part of it, and learns.

    Args:
        encoder: whose maps it reads.
        num_classes: how many kinds of objects.
        width: of the head.
        seed: decides the head's start.
        frozen: whether its inputs will be cached maps.
    """
    torch.manual_seed(seed)
    head = DetectionHead(map_channels(encoder), num_classes, width)
    return Detector(head, None if frozen else copy.deepcopy(encoder))


def box_curve(
    build: Callable[[int], Detector],
    data: DetectorData,
    counts: Sequence[int],
    seeds: Sequence[int],
    *,
    recipe: DetectorRecipe,
    fabric: Fabric,
    title: str,
) -> BoxCurve:
    """Train and score a detector for each number of labeled scenes and each seed.

    Args:
        build: makes a new detector; is given the seed.
        data: what it reads.
        counts: how many scenes are labeled.
        seeds: one draw of scenes and one start each.
        recipe: how long and how fast.
        fabric: device and precision.
        title: for the progress bar.
    """
    return {
        count: [
            run_detector(build(seed), data, count, seed, recipe=recipe, fabric=fabric, title=f"{title}, {count} scenes")
            for seed in seeds
        ]
        for count in counts
    }


def run_detector(
    model: Detector, data: DetectorData, count: int, seed: int, *, recipe: DetectorRecipe, fabric: Fabric, title: str
) -> BoxRun:
    """Train on `count` scenes, choose the round on validation, score the test scenes once."""
    few = draw_scenes(data.train, count, seed)
    trained = train_detector(model, few, data.validation, recipe=recipe, fabric=fabric, seed=seed, title=title)
    on_validation, found = (detect(trained.model, part) for part in (data.validation, data.test))
    shown = surest_only(found)
    scores = average_precision(data.test.scenes, found, model.num_classes)
    where = average_precision(data.test.scenes, shown, model.num_classes, ignore_class=True)
    return BoxRun(seed, scores, where.map50, found, shown, surest_only(on_validation), trained.kept_round)


def within(counts: Sequence[int], num_scenes: int) -> list[int]:
    """Return the counts that there are scenes for; all scenes if there are fewer than the smallest."""
    return [count for count in counts if count <= num_scenes] or [num_scenes]
