"""Folders of random images, as a user might have them."""

import numpy as np
from PIL import Image


def make_folder(root, counts, side=12, suffix=".png"):
    """Write folders of random images, as many as `counts` says for each class."""
    random = np.random.default_rng(0)
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            pixels = random.integers(0, 256, (side, side, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / name / f"{number:03}{suffix}")
    return root
