"""The package's k-means features equal a slow transcription of the paper, and refuse what can't be."""

import math

import pytest
import torch

from course_utils.models.kmeans import KMeansFeatures, draw_patches, fit_kmeans_features, normalize_contrast

GENERATOR = torch.Generator().manual_seed(0)
IMAGES = torch.randint(0, 256, (40, 3, 11, 9), dtype=torch.uint8, generator=GENERATOR)


def slow_features(model, image):
    """Coates, Lee, Ng 2011, sections 3.1 to 3.3, patch by patch and centroid by centroid."""
    size, k = model.patch_size, len(model.centroids)
    rows, columns = (range(0, side - size + 1, model.stride) for side in image.shape[1:])
    sums = torch.zeros(4, k, dtype=torch.float64)
    for i, y in enumerate(rows):
        for j, x in enumerate(columns):
            patch = image[:, y : y + size, x : x + size].flatten().double()
            patch = (patch - patch.mean()) / (patch.var() + 10 / 255**2).sqrt()
            patch = (patch - model.mean.double()) @ model.whitening.double()
            z = [math.dist(patch.tolist(), centroid.tolist()) for centroid in model.centroids]
            quarter = 2 * (i >= len(rows) // 2) + (j >= len(columns) // 2)
            for c in range(k):
                sums[quarter, c] += max(0.0, sum(z) / k - z[c])
    return sums.flatten()


@pytest.mark.parametrize("stride", [1, 2])
def test_features_equal_the_paper_transcribed(stride):
    model = fit_kmeans_features(IMAGES, 5, patch_size=4, stride=stride, num_patches=500)
    images = IMAGES[:3].float() / 255
    expected = torch.stack([slow_features(model, image) for image in images])
    torch.testing.assert_close(model(images).double(), expected, rtol=1e-4, atol=1e-4)


def test_chunks_make_no_difference(monkeypatch):
    model = fit_kmeans_features(IMAGES, 5, patch_size=4, num_patches=500)
    whole = model(IMAGES.float() / 255)
    monkeypatch.setattr("course_utils.models.kmeans.IMAGES_PER_CHUNK", 7)
    torch.testing.assert_close(model(IMAGES.float() / 255), whole)
    assert whole.shape == (40, model.feature_dim) == (40, 20)


def test_whitened_patches_are_uncorrelated_where_they_vary():
    model = fit_kmeans_features(IMAGES, 5, patch_size=2, num_patches=20_000)
    patches = normalize_contrast(draw_patches(IMAGES, 2, 20_000, seed=1))
    covariance = ((patches - model.mean) @ model.whitening).T.cov()
    off_diagonal = covariance - covariance.diag().diag()
    assert off_diagonal.abs().max() < 0.1


def test_centroids_find_what_is_there():
    """Images of two kinds of stripes only: patches lie at few points, and each has its centroid."""
    stripes = torch.zeros(20, 3, 8, 8, dtype=torch.uint8)
    stripes[:10, :, ::2] = 255
    stripes[10:, :, :, ::2] = 255
    model = fit_kmeans_features(stripes, 4, patch_size=2, num_patches=400)
    patches = (normalize_contrast(draw_patches(stripes, 2, 400, seed=3)) - model.mean) @ model.whitening
    assert torch.cdist(patches, model.centroids).min(dim=1).values.max() < 1e-3


def test_patches_are_cut_from_the_images():
    patches = draw_patches(IMAGES[:1], 3, 50, seed=0)
    windows = IMAGES[:1].float().div(255).unfold(2, 3, 1).unfold(3, 3, 1)  # (1, 3, 9, 7, 3, 3)
    possible = windows.permute(0, 2, 3, 1, 4, 5).reshape(-1, 27)
    assert {tuple(patch) for patch in patches.tolist()} <= {tuple(patch) for patch in possible.tolist()}


def test_the_same_seed_gives_the_same_features():
    first, second, other = (fit_kmeans_features(IMAGES, 5, patch_size=4, num_patches=500, seed=s) for s in (0, 0, 1))
    assert torch.equal(first.centroids, second.centroids)
    assert not torch.equal(first.centroids, other.centroids)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="patch_size must be between 1 and 9, got 10"):
        fit_kmeans_features(IMAGES, 5, patch_size=10)
    with pytest.raises(ValueError, match="num_centroids must be between 2 and the 10 patches, got 11"):
        fit_kmeans_features(IMAGES, 11, patch_size=4, num_patches=10)
    model = KMeansFeatures(torch.zeros(2, 48), torch.zeros(48), torch.eye(48), patch_size=4)
    with pytest.raises(ValueError, match="images must be at least 5 pixels wide and high, got 4 × 8"):
        model(torch.zeros(1, 3, 8, 4))
