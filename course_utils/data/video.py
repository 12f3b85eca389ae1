"""Clips of real pictures that bounce in a dark box, made as they are needed, with all that is known about them."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from course_utils.data.splits import LabeledExamples, Splits

DIGITS = "digits"
DIRECTIONS = ("right", "down right", "down", "down left", "left", "up left", "up", "up right")
SLOWEST, FASTEST = 1.0, 3.0  # pixels a frame


@dataclass(frozen=True)
class Clips(LabeledExamples):
    """Clips (N, frames, C, H, W), floats in [0, 1], with what is known about them.

    `places` (N, frames, 2) are the pictures' upper left corners, x and y in pixels; `directions` (N,) int64 say which
    of the eight `DIRECTIONS` the picture moves in right after the middle frame, as seen on a screen.
    """

    frames: Tensor
    labels: Tensor
    directions: Tensor
    places: Tensor

    def take(self, indices: Tensor) -> "Clips":
        """Return the clips at `indices`."""
        return Clips(self.frames[indices], self.labels[indices], self.directions[indices], self.places[indices])


@dataclass(frozen=True)
class Pictures(LabeledExamples):
    """Pictures to set in motion, (N, C, side, side) floats in [0, 1], black where the box shows, with labels (N,)."""

    pictures: Tensor
    labels: Tensor

    def take(self, indices: Tensor) -> "Pictures":
        """Return the pictures at `indices`."""
        return Pictures(self.pictures[indices], self.labels[indices])


def load_pictures(name: str = DIGITS, side: int = 16) -> Splits[Pictures]:
    """Load pictures to set in motion; none is in two splits, so what moves in a test clip was never seen before.

    Args:
        name: "digits" (scikit-learn's 1,797 handwritten digits) or an image data set as for `load_images`, of which
            round pieces are cut out.
        side: pixels of a picture's side.

    Raises:
        DataError: as for `load_images`.
    """
    if name == DIGITS:
        return _load_digits(side)
    from course_utils.data.images import load_images

    images = load_images(name, side)
    disk = _disk(side)
    parts = [
        Pictures(part.images.float() / 255 * disk, part.labels)
        for part in (images.train, images.validation, images.test)
    ]
    words = f"{images.description} Resized to {side} × {side}, and a disk cut out."
    train, validation, test = parts
    return Splits(name, train, validation, test, images.class_names, words)


def make_clips(pictures: Pictures, indices: Tensor, num_frames: int, size: int, generator: torch.Generator) -> Clips:
    """Set pictures in motion: each starts anywhere in a square box, keeps its speed and bounces off the walls.

    Args:
        pictures: what can move.
        indices: which of them do, (N,) int64.
        num_frames: of a clip, odd, so that there is a middle.
        size: pixels of the box's side.
        generator: of all chance; its state decides the clips.

    Raises:
        ValueError: the pictures do not fit into the box, or the clips are too short.
    """
    side = pictures.pictures.shape[-1]
    room = size - side
    if room < FASTEST or num_frames < 3 or num_frames % 2 == 0:
        raise ValueError(
            f"clips need an odd number of at least 3 frames and {FASTEST:.0f} pixels beside a picture, got "
            f"{num_frames} frames of {size} pixels for pictures of {side}"
        )
    count = len(indices)
    chance = torch.rand(count, 4, generator=generator)
    angle, speed = chance[:, 0] * 2 * math.pi, SLOWEST + chance[:, 1] * (FASTEST - SLOWEST)
    velocity = torch.stack([angle.cos(), angle.sin()], dim=1) * speed[:, None]  # (N, 2), y points down
    times = torch.arange(num_frames)
    places, _ = bounce(chance[:, None, 2:] * room + times[None, :, None] * velocity[:, None], room)
    after_middle = bounce(chance[:, 2:] * room + (num_frames // 2 + 0.01) * velocity, room)[1] * velocity
    moving = pictures.take(indices)
    return Clips(render(moving.pictures, places, size), moving.labels, direction_of(after_middle), places)


def bounce(way: Tensor, room: float) -> tuple[Tensor, Tensor]:
    """Fold a straight way into a box: return where one is between walls at 0 and `room`, and the direction's sign.

    Shape: any → the same twice; the second is 1 where one moves as at first and −1 after an odd number of walls.
    """
    phase = way.remainder(2 * room)
    return room - (phase - room).abs(), torch.where(phase < room, 1.0, -1.0)


def direction_of(velocity: Tensor) -> Tensor:
    """Return which of `DIRECTIONS` is nearest, (N, 2) x and y (down) → (N,) int64."""
    return (torch.atan2(velocity[:, 1], velocity[:, 0]) / (math.pi / 4)).round().long() % len(DIRECTIONS)


def render(pictures: Tensor, places: Tensor, size: int) -> Tensor:
    """Draw each picture at each of its places, which may lie between pixels (bilinear).

    Shape: pictures (N, C, side, side), places (N, frames, 2) of the upper left corners → (N, frames, C, size, size).
    """
    count, num_frames = places.shape[:2]
    side = pictures.shape[-1]
    pixels = torch.arange(size, dtype=pictures.dtype, device=pictures.device)
    flat = places.to(pictures).flatten(0, 1)  # (N · frames, 2)
    x, y = pixels - flat[:, :1], pixels - flat[:, 1:]  # (N · frames, size): where in the picture each pixel looks
    # a picture moves as a whole, so columns and rows are mixed one after the other, each by one small matrix
    across, down = _tent(x, side), _tent(y, side)  # (N · frames, size, side)
    repeated = pictures.repeat_interleave(num_frames, dim=0)
    drawn = torch.einsum("nyi,ncij,nxj->ncyx", down, repeated, across)
    return drawn.view(count, num_frames, -1, size, size)


def _tent(positions: Tensor, side: int) -> Tensor:
    """Return how much each position takes from each pixel, (N, size) → (N, size, side): linear in between."""
    return (1 - (positions[..., None] - torch.arange(side).to(positions)).abs()).clamp_min(0)


def _load_digits(side: int) -> Splits[Pictures]:
    from sklearn.datasets import load_digits

    found = load_digits()
    small = torch.from_numpy(found.images).float()[:, None] / 16  # (1797, 1, 8, 8)
    large = F.interpolate(small, size=(side, side), mode="bilinear").clamp(0, 1)
    labels = torch.from_numpy(found.target).long()
    place = torch.arange(len(labels)) % 10  # seven tenths to learn from, one to choose by, two for the test
    chosen = [place < 7, place == 7, place > 7]
    parts = [Pictures(large[each], labels[each]) for each in chosen]
    words = (
        f"digits: scikit-learn's handwritten digits (E. Alpaydin, C. Kaynak, UCI repository 1998). {len(parts[0]):,} "
        f"training, {len(parts[1]):,} validation and {len(parts[2]):,} test pictures, enlarged from 8 × 8 to "
        f"{side} × {side} pixels."
    )
    train, validation, test = parts
    return Splits(DIGITS, train, validation, test, tuple(str(digit) for digit in range(10)), words)


def _disk(side: int) -> Tensor:
    """Return a disk that fills the square, 1 inside and 0 outside, soft at its edge; (side, side)."""
    middle = torch.arange(side) - (side - 1) / 2
    distance = (middle[:, None].square() + middle[None].square()).sqrt()
    return (side / 2 - distance).clamp(0, 1)
