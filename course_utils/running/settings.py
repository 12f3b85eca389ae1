"""What each notebook's parameters may be: the UPPER_CASE names of its `parameters` cell, checked.

There are no default values here: they live in the notebooks, where a learner sees and changes them.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, create_model, field_validator

from course_utils.errors import SettingsError
from course_utils.running import parameter_types as types
from course_utils.running.complaints import describe_problems, suggest

_PLAIN = (bool, int, float, str, list)


class NotebookSettings(BaseModel):
    """The parameters of a notebook; the parameter `NUM_EPOCHS` is the field `num_epochs`."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, alias_generator=str.upper)

    seed: types.Seed
    run_dir: types.Path

    @field_validator("*", mode="before")
    @classmethod
    def _of_64_bits(cls, value: Any) -> Any:
        return types.of_64_bits(value)

    @classmethod
    def parameter_names(cls) -> list[str]:
        """Return the UPPER_CASE names, in order."""
        return [name.upper() for name in cls.model_fields]

    def parameters(self) -> dict[str, Any]:
        """Return the values by their UPPER_CASE names."""
        return self.model_dump(by_alias=True)


class ImageSettings(NotebookSettings):
    """What all notebooks on images share."""

    dataset: types.DatasetName
    image_size: types.ImageSize
    num_train_images: types.NumTrainExamples
    device: types.Device
    precision: types.Precision


class TextSettings(NotebookSettings):
    """What all notebooks on texts share."""

    text_dataset: types.TextDatasetName
    passage_length: types.PassageLength
    num_train_passages: types.NumTrainExamples


class StartHereSettings(ImageSettings):
    """Parameters of 00_start_here."""

    frame_width: types.Side
    hidden_side: types.Side
    speed_seconds: types.Seconds

    @field_validator("hidden_side")
    @classmethod
    def _leave_a_frame(cls, side: int, known: ValidationInfo) -> int:
        most = known.data.get("image_size", side) - 2 * known.data.get("frame_width", 0)
        if side > most:
            raise types.expected(f"at most {most}, so that the frame around the square fits into IMAGE_SIZE")
        return side


class SupervisedBaselinesSettings(ImageSettings, TextSettings):
    """Parameters of 01_supervised_baselines."""

    encoder: types.EncoderName
    num_centroids: types.NumFeatures
    num_words: types.NumFeatures
    num_text_epochs: types.NumEpochs
    view_sizes: types.ViewSizes
    min_area: types.AreaShare
    num_epochs: types.NumEpochs
    batch_size: types.BatchSize
    learning_rate: types.LearningRate
    weight_decay: types.WeightDecay
    label_smoothing: types.Probability
    optimizer: types.OptimizerName
    seeds: types.Seeds


class WhatLabelsCostSettings(ImageSettings, TextSettings):
    """Parameters of 02_what_labels_cost."""

    num_centroids: types.NumFeatures
    labels_per_class: types.LabelsPerClass
    hourly_wage: types.Money
    annotators: types.NumAnnotators
    error_rate: types.Probability
    noise_shares: types.Shares
    num_epochs: types.NumEpochs
    batch_size: types.BatchSize
    seeds: types.Seeds


class RotationSettings(ImageSettings):
    """Parameters of 03_predicting_rotations."""

    encoder: types.EncoderName
    view_sizes: types.ViewSizes
    min_area: types.AreaShare
    color_strength: types.Strength
    gray_prob: types.Probability
    num_epochs: types.NumEpochs
    batch_size: types.BatchSize
    optimizer: types.OptimizerName
    learning_rate: types.LearningRate
    weight_decay: types.WeightDecay
    grid: types.Grid
    labels_per_class: types.LabelsPerClass
    fine_tuned_labels: types.LabelsPerClass
    num_fine_tuning_steps: types.NumSteps
    seeds: types.Seeds


class MaskedWordsSettings(TextSettings):
    """Parameters of 04_masked_words."""

    corpus: types.CorpusName
    vocab_size: types.VocabSize
    block_length: types.BlockLength
    width: types.Width
    num_layers: types.NumLayers
    mask_rate: types.MaskRate
    mask_share: types.Probability
    random_share: types.Probability
    num_steps: types.NumSteps
    num_twin_steps: types.NumStepsOrNone
    batch_size: types.BatchSize
    learning_rate: types.LearningRate
    adamw_lr: types.LearningRate
    sentence: types.Sentence
    labels_per_class: types.LabelsPerClass
    num_tuning_steps: types.NumStepsOrNone
    finding: types.FindingName
    seeds: types.Seeds
    device: types.Device
    precision: types.Precision

    @field_validator("random_share")
    @classmethod
    def _leave_room(cls, share: float, known: ValidationInfo) -> float:
        room = 1 - known.data.get("mask_share", 0.0)
        if share > room + 1e-9:
            raise types.expected(f"at most {room:g}, what MASK_SHARE leaves of 1")
        return share


class SimCLRSettings(ImageSettings):
    """Parameters of 05_simclr."""

    encoder: types.EncoderName
    view_sizes: types.ViewSizes
    num_epochs: types.NumEpochs
    batch_size: types.BatchSize
    num_views: types.NumViews
    learning_rate: types.LearningRate
    weight_decay: types.WeightDecay
    optimizer: types.OptimizerName
    loss: types.ContrastiveLoss
    temperature: types.Temperature
    normalize: bool
    min_area: types.AreaShare
    color_strength: types.Strength
    gray_prob: types.Probability
    blur_prob: types.Probability
    head: types.HeadName
    hidden_dim: types.NumFeatures
    projection_dim: types.NumFeatures
    num_readings: types.NumSteps
    num_collapse_steps: types.NumStepsOrNone
    num_grid_steps: types.NumStepsOrNone
    num_supervised_epochs: types.NumStepsOrNone
    finding: types.FindingName
    seeds: types.Seeds


class LinearEvaluationSettings(ImageSettings):
    """Parameters of 06_linear_evaluation."""

    encoder_file: types.EncoderFile
    grid: types.Grid
    num_neighbors: types.NumNeighbors
    labels_per_class: types.LabelsPerClass
    fine_tuned_labels: types.LabelsPerClass
    num_fine_tuning_steps: types.NumSteps
    num_fine_tuning_passes: types.NumEpochs
    num_mapped_images: types.NumMappedImages
    hourly_wage: types.Money
    annotators: types.NumAnnotators
    seeds: types.Seeds
    fine_tuning_seeds: types.Seeds


class MissingPiecesSettings(ImageSettings):
    """Parameters of 08_missing_pieces."""

    patch_size: types.PatchSize
    hidden_share: types.HiddenShare
    width: types.Width
    num_layers: types.NumLayers
    num_epochs: types.NumEpochs
    batch_size: types.BatchSize
    learning_rate: types.LearningRate
    video: types.VideoName
    frame_size: types.FrameSize
    num_frames: types.NumFrames
    num_clips: types.NumClips
    num_steps: types.NumSteps
    clip_batch_size: types.BatchSize
    clip_learning_rate: types.LearningRate
    seeds: types.Seeds

    @field_validator("patch_size")
    @classmethod
    def _fill_the_image(cls, patch: int, known: ValidationInfo) -> int:
        size = known.data.get("image_size", patch * 2)
        if size % patch or size < 2 * patch:
            raise types.expected(f"a divisor of IMAGE_SIZE, {size}, and at most half of it")
        return patch


class WhatAndWhereSettings(ImageSettings):
    """Parameters of 09_what_and_where."""

    scenes: types.ScenesName
    scene_size: types.SceneSize
    most_objects: types.MostObjects
    labeled_scenes: types.LabeledScenes
    num_validation_scenes: types.NumScenes
    num_test_scenes: types.NumScenes
    width: types.Width
    num_steps: types.NumSteps
    num_scratch_steps: types.NumSteps
    batch_size: types.BatchSize
    learning_rate: types.LearningRate
    hourly_wage: types.Money
    annotators: types.NumAnnotators
    seeds: types.Seeds
    scratch_seeds: types.Seeds


class NextWordSettings(TextSettings):
    """Parameters of 07_next_word."""

    corpus: types.CorpusName
    num_steps: types.NumSteps
    batch_size: types.BatchSize
    learning_rate: types.LearningRate
    adamw_lr: types.LearningRate
    beginning: str
    temperature: types.Temperature
    top_k: types.TopK
    labels_per_class: types.LabelsPerClass
    num_prompt_steps: types.NumSteps
    num_prompts: types.BatchSize
    num_examples: types.NumExamples
    seeds: types.Seeds
    device: types.Device
    precision: types.Precision


SETTINGS: dict[str, type[NotebookSettings]] = {
    "00_start_here": StartHereSettings,
    "01_supervised_baselines": SupervisedBaselinesSettings,
    "02_what_labels_cost": WhatLabelsCostSettings,
    "03_predicting_rotations": RotationSettings,
    "04_masked_words": MaskedWordsSettings,
    "05_simclr": SimCLRSettings,
    "06_linear_evaluation": LinearEvaluationSettings,
    "07_next_word": NextWordSettings,
    "08_missing_pieces": MissingPiecesSettings,
    "09_what_and_where": WhatAndWhereSettings,
}


def settings_like(parameters: Mapping[str, Any]) -> type[NotebookSettings]:
    """Return settings that take these names with values of these types: for a notebook that is not the course's."""
    fields: dict[str, Any] = {
        name.lower(): (type(value), ...)
        for name, value in parameters.items()
        if name.lower() not in NotebookSettings.model_fields
    }
    return create_model("OwnSettings", __base__=NotebookSettings, **fields)


def validate(
    notebook: str, parameters: Mapping[str, Any], kind: type[NotebookSettings] | None = None
) -> NotebookSettings:
    """Return the notebook's settings.

    Args:
        notebook: its name, such as "05_simclr".
        parameters: all of its parameters by their UPPER_CASE names.
        kind: the settings' class, for a notebook that is not the course's.

    Raises:
        SettingsError: a name, type or value is wrong; one line, a sentence, for each.
    """
    kind = kind or SETTINGS[notebook]
    try:
        return kind.model_validate(dict(parameters))
    except ValidationError as error:
        problems = describe_problems(notebook, error, kind.parameter_names())
        raise SettingsError("\n".join(problems)) from None


def read_settings(notebook: str, namespace: Mapping[str, Any]) -> NotebookSettings:
    """Return the settings that a running notebook's variables make.

    papermill puts a misspelt parameter among the variables and only warns, so a name close to a parameter's is refused.

    Raises:
        SettingsError: a name, type or value is wrong; one line, a sentence, for each.
    """
    if notebook not in SETTINGS:
        raise SettingsError(f"there are no settings for a notebook {notebook!r}: it is one of {', '.join(SETTINGS)}")
    known = SETTINGS[notebook].parameter_names()
    given = {name: namespace[name] for name in known if name in namespace}
    misspelt = {
        name: value
        for name, value in namespace.items()
        if name.isupper() and name not in known and isinstance(value, _PLAIN) and suggest(name, known, 0.75)
    }
    return validate(notebook, {**given, **misspelt})
