"""Groups that k-means finds in features, and whether they are the classes that people would name."""

import torch
from torch import Tensor
from torch.nn import functional as F

STARTS = 4  # of k-means; the tightest grouping counts


def find_clusters(features: Tensor, num_clusters: int, seed: int) -> tuple[Tensor, Tensor]:
    """Group features by k-means on their directions, as cosine compares them.

    Returns:
        Each one's cluster (N,) int64 and its distance from the cluster's center (N,).

    Shape: (N, dim).

    Raises:
        ValueError: num_clusters is not between 1 and N.
    """
    from sklearn.cluster import KMeans  # here, for it takes a second to import

    if not 1 <= num_clusters <= len(features):
        raise ValueError(f"num_clusters must be between 1 and the {len(features)} features, got {num_clusters}")
    directions = F.normalize(features.float(), dim=1).cpu().numpy()
    fitted = KMeans(num_clusters, n_init=STARTS, random_state=seed).fit(directions)
    distances = torch.from_numpy(fitted.transform(directions))  # (N, num_clusters)
    clusters = torch.from_numpy(fitted.labels_).long()
    return clusters, distances.gather(1, clusters[:, None])[:, 0].float()


def agreement(clusters: Tensor, labels: Tensor) -> float:
    """Return the adjusted Rand index of two groupings (N,): 1 for the same one, 0 for what chance gives.

    Of all pairs, how many do both put together or both keep apart, corrected for chance (Hubert and Arabie 1985).
    """
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(labels.numpy(), clusters.numpy()))


def most_typical(clusters: Tensor, distances: Tensor, count: int) -> list[Tensor]:
    """Return for each cluster, the largest first, the indices of the `count` nearest to its center, nearest first."""
    sizes = torch.bincount(clusters)
    found = []
    for cluster in sizes.argsort(descending=True, stable=True).tolist():
        members = (clusters == cluster).nonzero()[:, 0]
        found.append(members[distances[members].argsort(stable=True)[:count]])
    return found
