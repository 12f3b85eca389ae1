"""Pictures: plain data in, a matplotlib Figure out; nothing is shown or saved here."""

from course_utils.plotting.charts import (
    amounts,
    bars,
    confusion,
    similarity_matrices,
)
from course_utils.plotting.images import (
    GAP,
    answer,
    heat_over_images,
    image_grid,
    neighbors,
    rows_of_images,
)
from course_utils.plotting.lines import (
    curves,
    label_curves,
    over_places,
    smooth,
    swept_curves,
)
from course_utils.plotting.style import (
    BLUE,
    COLORS,
    FAINT,
    GRAY,
    GREEN,
    INK,
    MARKERS,
    ORANGE,
    RED,
)

__all__ = [
    "BLUE",
    "COLORS",
    "FAINT",
    "GAP",
    "GRAY",
    "GREEN",
    "INK",
    "MARKERS",
    "ORANGE",
    "RED",
    "amounts",
    "answer",
    "bars",
    "confusion",
    "curves",
    "heat_over_images",
    "image_grid",
    "label_curves",
    "neighbors",
    "over_places",
    "rows_of_images",
    "similarity_matrices",
    "smooth",
    "swept_curves",
]
