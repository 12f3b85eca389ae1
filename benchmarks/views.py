"""Views a second: a batch at once, against kornia's batches and loaders that alter image by image.

All make the same views of 32 × 32 pixels: a crop of a fifth of the area or more, half of them mirrored, four fifths
with colors changed (0.4, 0.4, 0.4, 0.1), a tenth gray, no blur.
"""

from collections.abc import Callable
from typing import Any

import kornia.augmentation as kornia
import torch
from lightly.transforms.simclr_transform import SimCLRTransform
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from benchmarks.timing import Comparison, Contender, compare_rates
from course_utils.data.images import load_images
from course_utils.devices import make_fabric
from course_utils.views import ViewSettings, simclr_views

BATCH_SIZE = 512
IMAGES_A_PASS = 2048  # through a loader
NUM_WORKERS = 2
SETTINGS = ViewSettings(
    size=32, min_area=0.2, flip_prob=0.5, jitter_prob=0.8, color_strength=0.5, gray_prob=0.1, blur_prob=0.0
)


def views_vs_kornia() -> Comparison:
    """Both alter a batch at once, on the device, from bytes to floats."""
    images = load_images().train.images[:BATCH_SIZE].to(make_fabric().device)
    alter = kornia.AugmentationSequential(
        kornia.RandomResizedCrop((32, 32), scale=(0.2, 1.0), p=1.0),
        kornia.RandomHorizontalFlip(p=0.5),
        kornia.ColorJitter(0.4, 0.4, 0.4, 0.1, p=0.8),
        kornia.RandomGrayscale(p=0.1),
    )

    def peer() -> int:
        return len(alter(images.float() / 255))

    return compare_rates("views_vs_kornia", our_views(images), peer, unit="views/s", package="kornia")


def views_vs_lightly_loader() -> Comparison:
    """Against lightly's transform, two views an image, as its tutorials use it: in a DataLoader's workers."""
    images = load_images().train.images
    two_views = SimCLRTransform(
        input_size=32, cj_strength=0.5, min_scale=0.2, random_gray_scale=0.1, gaussian_blur=0.0, normalize=None
    )
    peer = loader_views(images[:IMAGES_A_PASS], two_views)
    ours = our_views(images[:BATCH_SIZE].to(make_fabric().device))
    return compare_rates("views_vs_lightly_loader", ours, peer, unit="views/s", package="lightly")


def views_vs_torchvision_loader() -> Comparison:
    """Against torchvision's transforms, one view an image, in a DataLoader's workers."""
    images = load_images().train.images
    one_view = v2.Compose(
        [
            v2.RandomResizedCrop(32, scale=(0.2, 1.0)),
            v2.RandomHorizontalFlip(p=0.5),
            v2.RandomApply([v2.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8),
            v2.RandomGrayscale(p=0.1),
            v2.PILToTensor(),
            v2.ToDtype(torch.float32, scale=True),
        ]
    )
    peer = loader_views(images[:IMAGES_A_PASS], one_view)
    ours = our_views(images[:BATCH_SIZE].to(make_fabric().device))
    return compare_rates("views_vs_torchvision_loader", ours, peer, unit="views/s", package="torchvision")


def our_views(images: Tensor) -> Contender:
    """Return what makes one view of each image."""
    generator = torch.Generator().manual_seed(0)
    return lambda: len(simclr_views(images, SETTINGS, generator))


class AlteredImages(Dataset[Any]):
    """PIL images, altered one by one when asked for."""

    def __init__(self, images: Tensor, alter: Callable[[Image.Image], Any]) -> None:
        self.images = [Image.fromarray(image.permute(1, 2, 0).numpy()) for image in images]  # (H, W, 3)
        self.alter = alter

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Any:
        return self.alter(self.images[index])


def loader_views(images: Tensor, alter: Callable[[Image.Image], Any]) -> Contender:
    """Return what takes all images through a DataLoader once; its workers stay for the next time."""
    loader = DataLoader(
        AlteredImages(images, alter), batch_size=BATCH_SIZE, num_workers=NUM_WORKERS, persistent_workers=True
    )

    def one_pass() -> int:
        return sum(len(views) for batch in loader for views in (batch if isinstance(batch, list) else [batch]))

    return one_pass
