"""Maps of features: points on a plane whose neighbors are those of feature space."""

import torch
from torch import Tensor
from torch.nn import functional as F

PERPLEXITY = 30.0  # how many neighbors count, roughly


def map_features(features: Tensor, seed: int) -> Tensor:
    """Return positions by t-SNE on the features' directions, as cosine compares them (van der Maaten and Hinton 2008).

    Args:
        features: (N, dim), at least 4 of them.
        seed: of the layout's start.

    Shape: (N, dim) → (N, 2) float32.

    Raises:
        ValueError: too few features.
    """
    from sklearn.manifold import TSNE  # here, for it takes a second to import

    if len(features) < 4:
        raise ValueError(f"a map needs at least 4 features, got {len(features)}")
    perplexity = min(PERPLEXITY, (len(features) - 1) / 3)
    layout = TSNE(perplexity=perplexity, init="pca", random_state=seed, max_iter=500)
    return torch.from_numpy(layout.fit_transform(F.normalize(features.float(), dim=1).cpu().numpy())).float()
