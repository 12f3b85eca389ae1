"""Checks of the data behind a notebook's parameters, made before anything runs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from course_utils.errors import CourseError
from course_utils.running.settings import (
    ImageSettings,
    MaskedWordsSettings,
    MissingPiecesSettings,
    NextWordSettings,
    NotebookSettings,
    TextSettings,
    WhatAndWhereSettings,
)

if TYPE_CHECKING:
    from course_utils.data.splits import DatasetSummary


def data_problems(wanted: Sequence[tuple[str, NotebookSettings]]) -> list[str]:
    """Return one sentence for each thing that is wrong with the data, none if all is well.

    Args:
        wanted: notebooks' names and settings.
    """
    on_images = [(name, settings) for name, settings in wanted if isinstance(settings, ImageSettings)]
    summaries: dict[str, DatasetSummary] = {}
    problems = []
    for dataset in dict.fromkeys(settings.dataset for _, settings in on_images):
        try:
            summaries[dataset] = _describe(dataset)
        except CourseError as error:
            problems.append(str(error))
    for name, settings in on_images:
        if settings.dataset in summaries:
            problems += _size_problems(name, settings, summaries[settings.dataset])
    problems += _video_problems([settings for _, settings in wanted])
    problems += _scene_problems([settings for _, settings in wanted])
    return problems + _text_problems([settings for _, settings in wanted])


def _video_problems(wanted: Sequence[NotebookSettings]) -> list[str]:
    problems = []
    for settings in wanted:
        if isinstance(settings, MissingPiecesSettings):
            from course_utils.data.clip_sources import check_clips  # late, as below

            try:
                check_clips(settings.video, settings.frame_size, settings.num_frames)
            except CourseError as error:
                problems.append(str(error))
    return problems


def _scene_problems(wanted: Sequence[NotebookSettings]) -> list[str]:
    names = (settings.scenes for settings in wanted if isinstance(settings, WhatAndWhereSettings))
    problems = []
    for name in dict.fromkeys(names):  # a sweep's jobs share a folder, whose pictures are opened
        from course_utils.data.scene_sources import check_scenes  # late, as below

        try:
            check_scenes(name)
        except CourseError as error:
            problems.append(str(error))
    return problems


def _text_problems(wanted: Sequence[NotebookSettings]) -> list[str]:
    on_texts = [settings for settings in wanted if isinstance(settings, TextSettings)]
    problems = []
    for dataset, length in dict.fromkeys((settings.text_dataset, settings.passage_length) for settings in on_texts):
        from course_utils.data.text import describe_text_dataset  # late, as below

        try:
            describe_text_dataset(dataset, length)
        except CourseError as error:
            problems.append(str(error))
    with_corpus = [settings for settings in on_texts if isinstance(settings, MaskedWordsSettings | NextWordSettings)]
    for corpus in dict.fromkeys(settings.corpus for settings in with_corpus):
        from course_utils.data.corpus import load_corpus

        try:
            load_corpus(corpus)
        except CourseError as error:
            problems.append(str(error))
    return list(dict.fromkeys(problems))


def _describe(dataset: str) -> "DatasetSummary":
    from course_utils.data.images import describe_dataset  # late: it may load torch, which takes seconds

    return describe_dataset(dataset)


def _size_problems(notebook: str, settings: ImageSettings, data: "DatasetSummary") -> list[str]:
    problems = []
    if settings.num_train_images > data.num_train:
        problems.append(
            f"{notebook}: NUM_TRAIN_IMAGES must be at most {data.num_train}, the training images of {data.name}, "
            f"got {settings.num_train_images}; 0 takes all of them"
        )
    num_images = min(settings.num_train_images or data.num_train, data.num_train)
    batch_size = getattr(settings, "batch_size", 0)
    if batch_size > num_images:
        problems.append(
            f"{notebook}: BATCH_SIZE must be at most {num_images}, the number of training images, got {batch_size}; "
            f"`-p BATCH_SIZE {2 ** (num_images.bit_length() - 1)}` sets it"
        )
    return problems
