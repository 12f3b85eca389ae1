"""Small files for pictures."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from course_utils.running.pictures import Shrinking, shrink_picture

HALF = Shrinking(0.5, 64, 75)


def as_png(picture):
    content = io.BytesIO()
    picture.save(content, "PNG")
    return content.getvalue()


def drawing(mode="RGB"):
    """Return lines and disks in a few colors."""
    picture = Image.new("RGB", (400, 300), "white")
    draw = ImageDraw.Draw(picture)
    for number, color in enumerate(["#0072b2", "#d55e00", "#009e73"]):
        draw.line([(0, 40 * number), (399, 250 - 30 * number)], fill=color, width=3)
        draw.ellipse([50 + 90 * number, 100, 110 + 90 * number, 160], fill=color)
    return picture.convert(mode)


def photo(mode="RGB"):
    """Return what has far more colors than a palette."""
    rows, columns = np.mgrid[0:300, 0:400]
    noise = np.random.default_rng(0).integers(0, 60, (300, 400))
    channels = [(rows * 0.5 + noise) % 256, (columns * 0.6) % 256, (rows + columns + 2 * noise) % 256]
    return Image.fromarray(np.stack(channels, axis=2).astype(np.uint8)).convert(mode)


def read(content):
    with Image.open(io.BytesIO(content)) as picture:
        return picture.convert("RGB")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P"])
@pytest.mark.parametrize("make", [drawing, photo])
def test_half_as_wide_is_smaller(make, mode):
    large = as_png(make(mode))
    _, small = shrink_picture(large, HALF)
    assert len(small) < len(large)
    assert read(small).size == (200, 150)


@pytest.mark.parametrize(("make", "kind"), [(drawing, "image/png"), (photo, "image/jpeg")])
def test_drawings_get_a_palette_and_photos_become_jpeg(make, kind):
    assert shrink_picture(as_png(make()), HALF)[0] == kind


@pytest.mark.parametrize("make", [drawing, photo])
def test_colors_stay(make):
    small = read(shrink_picture(as_png(make()), HALF)[1])
    wanted = make().resize(small.size, Image.Resampling.LANCZOS)
    error = np.abs(np.asarray(small, dtype=int) - np.asarray(wanted, dtype=int)).mean()
    assert error < 8


def test_what_would_grow_stays_as_it_is():
    _, small = shrink_picture(as_png(drawing()), Shrinking(1.0, 16, 75))
    assert shrink_picture(small, Shrinking(1.0, 256, 90)) == ("image/png", small)


def test_lower_quality_is_smaller():
    sizes = [len(shrink_picture(as_png(photo()), Shrinking(0.5, 64, quality))[1]) for quality in (90, 70, 50)]
    assert sizes == sorted(sizes, reverse=True)
