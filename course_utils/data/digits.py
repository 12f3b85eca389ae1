"""A second data set for features to prove themselves on: scikit-learn's handwritten digits, in color.

1,797 digits of 8 × 8 pixels (Alpaydin and Kaynak 1998), which come with scikit-learn, so that no download is needed.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from course_utils.data.images import ImageSplits, LabeledImages

CITED = "handwritten digits (Alpaydin and Kaynak 1998), shipped with scikit-learn"
INK_LEVELS = 16  # of the published images
LEAST_CONTRAST = 0.8  # between ink and paper: distance in the color cube, whose side is 1


def load_colored_digits(image_size: int = 32, seed: int = 0) -> ImageSplits:
    """Return the digits enlarged, each in ink and on paper of its own two random colors.

    So whether the ink is lighter or darker than the paper says nothing about the digit. Of each digit the first 60 %
    are for training, the next 20 % for validation, the rest for the test.

    Args:
        image_size: pixels of a side.
        seed: of the colors.
    """
    from sklearn.datasets import load_digits  # here, for it takes a second to import

    found = load_digits()
    ink = torch.from_numpy(found.images).float()[:, None] / INK_LEVELS  # (N, 1, 8, 8)
    size = (image_size, image_size)
    ink = F.interpolate(ink, size=size, mode="bilinear", align_corners=False)  # (N, 1, size, size)
    inks, papers = _draw_colors(len(ink), torch.Generator().manual_seed(seed))
    images = ((papers + ink * (inks - papers)) * 255).round().byte()
    whole = LabeledImages(images, torch.from_numpy(found.target).long())
    train, validation, test = (whole.take(indices) for indices in _split(whole.labels))
    description = (
        f"digits in color: {CITED}; {len(train):,} training, {len(validation):,} validation and {len(test):,} test "
        f"images, enlarged from 8 × 8 to {image_size} × {image_size} pixels."
    )
    return ImageSplits("digits", train, validation, test, tuple("0123456789"), description)


def _draw_colors(count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return colors of ink and of paper, each (count, 3, 1, 1) in [0, 1], that can be told apart."""
    inks, papers = torch.rand(2, count, 3, generator=generator)
    while (alike := (inks - papers).norm(dim=1) < LEAST_CONTRAST).any():
        papers[alike] = torch.rand(int(alike.sum()), 3, generator=generator)
        inks[alike] = torch.rand(int(alike.sum()), 3, generator=generator)
    return inks[:, :, None, None], papers[:, :, None, None]


def _split(labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the indices of train, validation and test, 60, 20 and 20 % of each class."""
    parts: list[list[Tensor]] = [[], [], []]
    for label in labels.unique():
        members = (labels == label).nonzero()[:, 0]
        first, second = round(0.6 * len(members)), round(0.8 * len(members))
        for part, chosen in zip(parts, (members[:first], members[first:second], members[second:]), strict=True):
            part.append(chosen)
    train, validation, test = (torch.cat(part).sort().values for part in parts)
    return train, validation, test
