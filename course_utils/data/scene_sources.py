"""Where scenes come from: laid out by the course, or a folder of one's own photos with boxes in COCO's format."""

from course_utils.data.coco import check_coco, coco_fingerprint, load_coco
from course_utils.data.images import ImageSplits
from course_utils.data.scenes import Layout, SceneSplits, make_scene_splits
from course_utils.paths import resolve

MADE = "made"
"""The name of scenes that the course lays out."""


def load_scenes(
    name: str,
    pictures: ImageSplits,
    size: int,
    most_objects: int,
    *,
    num_train: int,
    num_validation: int,
    num_test: int,
    seed: int,
) -> SceneSplits:
    """Return scenes in three splits.

    Args:
        name: "made", or a folder in COCO's format; a relative path counts from the project's root.
        pictures: what scenes are made of.
        size: pixels of a scene's side; objects that are laid out have a quarter to just over half of it.
        most_objects: in a scene that is laid out.
        num_train, num_validation, num_test: how many are laid out; a folder's pictures are all taken.
        seed: decides the layout.

    Raises:
        DataError: the folder is not there, or not in order.
    """
    if name != MADE:
        return load_coco(resolve(name), size)
    layout = Layout(size, (size // 4, size * 9 // 16), most_objects)
    counts = {"num_train": num_train, "num_validation": num_validation, "num_test": num_test}
    return make_scene_splits(pictures, layout, **counts, seed=seed)


def check_scenes(name: str) -> None:
    """Raise DataError, as `load_scenes` would, unless the scenes are there; of many pictures, only headers are read."""
    if name != MADE:
        check_coco(resolve(name))


def scenes_fingerprint(name: str) -> str:
    """Return a hash that changes when the scenes do.

    Raises:
        DataError: they are not there, or not in order.
    """
    return MADE if name == MADE else coco_fingerprint(resolve(name))
