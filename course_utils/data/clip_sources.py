"""Where clips come from: pictures set in motion, or stretches of one's own video; both in three splits."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from course_utils.data import sources
from course_utils.data.folders import list_files
from course_utils.data.image_files import IMAGES
from course_utils.data.images import dataset_fingerprint
from course_utils.data.splits import Splits
from course_utils.data.video import DIGITS, DIRECTIONS, Clips, Pictures, load_pictures, make_clips
from course_utils.data.video_files import read_frames
from course_utils.errors import DataError
from course_utils.paths import resolve

SplitName = Literal["train", "validation", "test"]
Questions = Mapping[str, tuple[Literal["labels", "directions"], tuple[str, ...]]]
SHARES = {"train": 0.7, "validation": 0.1, "test": 0.2}


@dataclass(frozen=True)
class ClipSource:
    """Clips on demand.

    `questions` are what can be asked of a clip: name → (which labels of `Clips`, their names).
    """

    name: str
    description: str
    channels: int
    num_train: int
    size: int
    num_frames: int
    pictures: Splits[Pictures] | None = None
    stretches: Mapping[str, Tensor] = field(default_factory=dict)
    questions: Questions = field(default_factory=dict)

    def draw(self, split: SplitName, count: int, generator: torch.Generator) -> Clips:
        """Return `count` random clips of a split; the generator's state decides them."""
        if self.pictures is not None:
            part = getattr(self.pictures, split)
            chosen = torch.randint(len(part), (count,), generator=generator)
            return make_clips(part, chosen, self.num_frames, self.size, generator)
        stretch = self.stretches[split]
        starts = torch.randint(len(stretch) - self.num_frames + 1, (count,), generator=generator)
        frames = stretch[starts[:, None] + torch.arange(self.num_frames)].float() / 255
        unknown = torch.zeros(count, dtype=torch.int64)
        return Clips(frames, unknown, unknown, torch.zeros(count, self.num_frames, 2))


def open_clips(name: str, size: int, num_frames: int) -> ClipSource:
    """Open a source of clips.

    Args:
        name: "digits", a known image data set, a folder of frames or a video file; a relative path counts from the
            project's root.
        size: pixels of a frame's side; pictures that move have half of it.
        num_frames: of a clip.

    Raises:
        DataError: it is not there, can't be decoded, its frames differ in size, or it is too short.
    """
    if name != DIGITS and not sources.is_known(name, "images"):
        return _open_video(name, size, num_frames)
    pictures = load_pictures(name, size // 2)
    what = "digit" if name == DIGITS else "class"
    questions: Questions = {what: ("labels", pictures.class_names), "direction": ("directions", DIRECTIONS)}
    channels, num_train = pictures.train.pictures.shape[1], len(pictures.train)
    return ClipSource(
        name, pictures.description, channels, num_train, size, num_frames, pictures=pictures, questions=questions
    )


def check_clips(name: str, size: int, num_frames: int) -> None:
    """Raise DataError, as `open_clips` would, unless clips can be made; pictures to set in motion are not opened."""
    if name == DIGITS:
        return
    if sources.is_known(name, "images"):
        sources.verify(name, quick=True)
    else:
        _open_video(name, size, num_frames)


def clips_fingerprint(name: str) -> str:
    """Return a hash that changes when the source does.

    Raises:
        DataError: it is not there.
    """
    if name == DIGITS:
        return DIGITS
    if sources.is_known(name, "images"):
        return dataset_fingerprint(name)
    path = resolve(name)
    files = list_files(path, IMAGES) if path.is_dir() else [path]
    try:
        status = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}") from None
    return hashlib.sha256(repr(status).encode()).hexdigest()


def _open_video(name: str, size: int, num_frames: int) -> ClipSource:
    frames = read_frames(resolve(name), size)
    stretches: dict[str, Tensor] = {}
    start = 0
    for split, share in SHARES.items():
        end = len(frames) if split == "test" else start + round(share * len(frames))
        stretches[split] = frames[start:end]
        start = end
    if min(len(stretch) for stretch in stretches.values()) < num_frames:
        raise DataError(
            f"{name} has {len(frames)} frames, too few for clips of {num_frames}: it takes "
            f"{round(num_frames / SHARES['validation'])} to hold a tenth out for validation"
        )
    words = (
        f"{name}: {len(frames):,} frames, in order: seven tenths to learn from, one for validation, two for the test; "
        f"the middle square, {size} × {size} pixels."
    )
    return ClipSource(name, words, 3, len(stretches["train"]), size, num_frames, stretches=stretches)
