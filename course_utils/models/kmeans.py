"""Features without a network and without labels: how near each patch is to k typical patches (Coates, Lee, Ng 2011)."""

import numpy as np
import torch
from sklearn.cluster import MiniBatchKMeans
from torch import Tensor, nn
from torch.nn import functional as F

CONTRAST_EPSILON = 10 / 255**2  # added to a patch's variance; the paper's 10 for values up to 255
WHITENING_EPSILON = 0.1  # added to the variance along each axis
IMAGES_PER_CHUNK = 10  # their distances to 400 centroids fill 12 MB: what fits a processor's cache is twice as fast


class KMeansFeatures(nn.Module):
    """The paper's single-layer network of k centroids; made by `fit_kmeans_features`.

    Every patch is freed of brightness and contrast, whitened, and compared with the centroids: a centroid that is
    nearer than the average one answers with by how much ("triangle", equation 4). Answers are added up over the four
    quarters of the image.

    Args:
        centroids: (k, dim) of whitened patches; dim is 3 · patch_size².
        mean: (dim,) of the normalized patches.
        whitening: (dim, dim).
        patch_size: pixels of a side.
        stride: pixels between patches.
    """

    centroids: Tensor
    mean: Tensor
    whitening: Tensor

    def __init__(self, centroids: Tensor, mean: Tensor, whitening: Tensor, patch_size: int, stride: int = 1) -> None:
        super().__init__()
        self.patch_size, self.stride = patch_size, stride
        self.feature_dim = 4 * len(centroids)
        for name, values in {"centroids": centroids, "mean": mean, "whitening": whitening}.items():
            self.register_buffer(name, values)

    def forward(self, images: Tensor) -> Tensor:
        """Return features of images (batch, 3, height, width), floats in [0, 1] → (batch, 4 · k).

        Raises:
            ValueError: the images are too small to have a patch in every quarter.
        """
        rows, columns = ((side - self.patch_size) // self.stride + 1 for side in images.shape[2:])
        if min(rows, columns) < 2:
            raise ValueError(
                f"images must be at least {self.patch_size + self.stride} pixels wide and high, got "
                f"{images.shape[3]} × {images.shape[2]}"
            )
        return torch.cat([self._features(chunk, rows, columns) for chunk in images.split(IMAGES_PER_CHUNK)])

    def _features(self, images: Tensor, rows: int, columns: int) -> Tensor:
        patches = F.unfold(images, self.patch_size, stride=self.stride)  # (batch, dim, rows · columns)
        whitened = self.whitening.T @ (normalize_contrast(patches, dim=1) - self.mean[:, None])
        products = torch.matmul(self.centroids, whitened)  # (batch, k, rows · columns)
        squares = products.mul_(-2).add_(self.centroids.square().sum(dim=1)[:, None])
        distances = squares.add_(whitened.square().sum(dim=1, keepdim=True)).clamp_min_(0).sqrt_()
        near = torch.sub(distances.mean(dim=1, keepdim=True), distances, out=distances).relu_()
        maps = near.view(len(images), -1, rows, columns)
        top, left = rows // 2, columns // 2
        quarters = [maps[..., :top, :left], maps[..., :top, left:], maps[..., top:, :left], maps[..., top:, left:]]
        return torch.cat([quarter.sum(dim=(2, 3)) for quarter in quarters], dim=1)


def fit_kmeans_features(
    images: Tensor,
    num_centroids: int,
    *,
    patch_size: int = 6,
    stride: int = 1,
    num_patches: int = 50_000,
    seed: int = 0,
) -> KMeansFeatures:
    """Learn typical patches from images alone.

    Shape: images (N, 3, H, W) uint8.

    Raises:
        ValueError: more centroids than patches, or patches larger than the images.
    """
    if not 0 < patch_size <= min(images.shape[2:]):
        raise ValueError(f"patch_size must be between 1 and {min(images.shape[2:])}, got {patch_size}")
    if not 2 <= num_centroids <= num_patches:
        raise ValueError(f"num_centroids must be between 2 and the {num_patches} patches, got {num_centroids}")
    patches = normalize_contrast(draw_patches(images, patch_size, num_patches, seed))  # (num_patches, dim)
    mean = patches.mean(dim=0)
    variances, axes = torch.linalg.eigh((patches - mean).T @ (patches - mean) / len(patches))
    whitening = axes @ torch.diag((variances + WHITENING_EPSILON).rsqrt()) @ axes.T  # ZCA: stays close to the pixels
    whitened = (patches - mean) @ whitening
    kmeans = MiniBatchKMeans(num_centroids, batch_size=5_000, n_init=1, max_iter=20, random_state=seed)
    centroids = torch.from_numpy(kmeans.fit(whitened.numpy()).cluster_centers_.astype(np.float32))
    return KMeansFeatures(centroids, mean, whitening, patch_size, stride)


def draw_patches(images: Tensor, patch_size: int, num_patches: int, seed: int) -> Tensor:
    """Return random patches of random images, floats in [0, 1].

    Shape: images (N, 3, H, W) uint8 → (num_patches, 3 · patch_size²).
    """
    generator = torch.Generator().manual_seed(seed)
    height, width = images.shape[2:]
    which, top, left = (
        torch.randint(0, high, (num_patches,), generator=generator)
        for high in (len(images), height - patch_size + 1, width - patch_size + 1)
    )
    steps = torch.arange(patch_size)
    rows = (top[:, None] + steps)[:, None, :, None]  # (num_patches, 1, patch_size, 1)
    columns = (left[:, None] + steps)[:, None, None, :]
    patches = images[which[:, None, None, None], torch.arange(3)[None, :, None, None], rows, columns]
    return patches.flatten(1).float() / 255


def normalize_contrast(patches: Tensor, dim: int = -1) -> Tensor:
    """Return patches, whose pixels lie along `dim`, of mean 0 and variance about 1."""
    centered = patches - patches.mean(dim=dim, keepdim=True)
    # torch.var_mean would do it in one call, but on a CPU in twice the time
    variance = centered.square().sum(dim=dim, keepdim=True).div_(patches.shape[dim] - 1)
    return centered.mul_(variance.add_(CONTRAST_EPSILON).rsqrt_())
