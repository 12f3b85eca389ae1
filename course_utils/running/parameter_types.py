"""The kinds of value that a notebook's parameter can have, with their ranges."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

# Where a range is written twice, here and in a field's name, the name is the field's own (a batch of one image has
# no negatives and no variance for batch norm, hence two).
NumEpochs = Annotated[int, Field(ge=1)]
NumSteps = Annotated[int, Field(ge=1)]
NumStepsOrNone = Annotated[int, Field(ge=0)]
Grid = Annotated[int, Field(ge=1, le=8)]
NumTrainExamples = Annotated[int, Field(ge=0)]
"""0: all of them."""
NumNeighbors = Annotated[int, Field(ge=1)]
NumMappedImages = Annotated[int, Field(ge=50, le=5000)]
BatchSize = Annotated[int, Field(ge=2)]
NumExamples = Annotated[int, Field(ge=2, le=32)]
TopK = Annotated[int, Field(ge=0)]
"""0: all of them."""
NumViews = Annotated[int, Field(ge=2, le=16)]
ImageSize = Annotated[int, Field(ge=8, le=512)]
ViewSizes = Annotated[list[ImageSize], Field(min_length=1)]
"""One for each stage of training."""
NumFeatures = Annotated[int, Field(ge=2)]
Side = Annotated[int, Field(ge=1)]
"""Of a square, in pixels."""
Seconds = Annotated[float, Field(ge=0, le=600)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
LearningRate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
WeightDecay = Annotated[float, Field(ge=0, lt=1)]
Temperature = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Money = Annotated[float, Field(ge=0, allow_inf_nan=False)]
NumAnnotators = Annotated[int, Field(ge=1, le=99)]
Probability = Annotated[float, Field(ge=0, le=1)]
Strength = Annotated[float, Field(ge=0, le=2)]
AreaShare = Annotated[float, Field(gt=0, le=1)]
Path = Annotated[str, Field(min_length=1)]
DatasetName = Annotated[str, Field(min_length=1)]
"""A known data set or a folder of class folders."""
TextDatasetName = Annotated[str, Field(min_length=1)]
"""A known text data set or a folder of class folders of .txt files."""
CorpusName = Annotated[str, Field(min_length=1)]
"""A known text data set or any folder of .txt files."""
VocabSize = Annotated[int, Field(ge=100, le=100_000)]
BlockLength = Annotated[int, Field(ge=8, le=4096)]
Width = Annotated[int, Field(ge=32, multiple_of=32)]
NumLayers = Annotated[int, Field(ge=1, le=48)]
FindingName = Annotated[str, Field(pattern=r"^[\w-]*$")]
"""A recorded sweep in docs/findings/, or "" for none."""
EncoderFile = Annotated[str, Field(pattern=r"^(.+\.safetensors)?$")]
"""An encoder's weights, or "" for none."""
MaskRate = Annotated[float, Field(gt=0, le=1)]
PassageLength = Annotated[int, Field(ge=1)]
PatchSize = Annotated[int, Field(ge=2, le=64)]
HiddenShare = Annotated[float, Field(gt=0, lt=1)]
VideoName = Annotated[str, Field(min_length=1)]
"""The digits, an image data set, a folder of frames or a video file."""
FrameSize = Annotated[int, Field(ge=16, le=256, multiple_of=8)]
ScenesName = Annotated[str, Field(min_length=1)]
"""`scenes.MADE`, or a folder of pictures and boxes in COCO's format."""
SceneSize = Annotated[int, Field(ge=32, le=512, multiple_of=8)]
MostObjects = Annotated[int, Field(ge=1, le=20)]
NumScenes = Annotated[int, Field(ge=2)]
NumClips = Annotated[int, Field(ge=20)]
EncoderName = Literal["compact", "resnet18"]
OptimizerName = Literal["muon", "adamw", "sgd"]
ContrastiveLoss = Literal["dcl", "nt_xent"]
HeadName = Literal["mlp", "linear", "none"]
Precision = Literal["auto", "32-true", "bf16-mixed", "16-mixed"]


def expected(words: str) -> PydanticCustomError:
    """Return the error of a value that should be as `words` say."""
    return PydanticCustomError("expected", "{words}", {"words": words})


def of_64_bits(value: Any) -> Any:
    """Return a value in which no whole number is larger than what numpy, torch and JSON's readers take."""
    if isinstance(value, list):
        return [of_64_bits(item) for item in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise expected("a number of at most 64 bits")
    return value


def _without_repeats(seeds: list[int]) -> list[int]:
    if len(set(seeds)) < len(seeds):
        raise expected("a list of different seeds")
    return seeds


def _increasing(values: list[float]) -> list[float]:
    if sorted(set(values)) != values:
        raise expected("a list of numbers that increase")
    return values


def _with_a_blank(sentence: str) -> str:
    if "[MASK]" not in sentence:
        raise expected("a sentence with [MASK] where a word is to be guessed")
    return sentence


def _odd(number: int) -> int:
    if number % 2 == 0:
        raise expected("an odd number, so that there is a middle")
    return number


def _known_device(device: str) -> str:
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", device):
        raise expected("'auto', 'cpu', 'cuda', 'cuda:0' (or another number) or 'mps'")
    return device


Seeds = Annotated[list[Seed], Field(min_length=1), AfterValidator(_without_repeats)]
LabelsPerClass = Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1), AfterValidator(_increasing)]
LabeledScenes = Annotated[list[NumScenes], Field(min_length=1), AfterValidator(_increasing)]
Sentence = Annotated[str, AfterValidator(_with_a_blank)]
Shares = Annotated[list[Probability], Field(min_length=1), AfterValidator(_increasing)]
NumFrames = Annotated[int, Field(ge=3, le=31), AfterValidator(_odd)]
Device = Annotated[str, AfterValidator(_known_device)]
