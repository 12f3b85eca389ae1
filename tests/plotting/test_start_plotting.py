"""Notebook 00's pictures: what is to be read in them is there, and nothing lies outside."""

import pytest
import torch

from course_utils.plotting import start as start_plotting


def words(figure):
    return " ".join(text.get_text().replace("\n", " ") for axis in figure.axes for text in axis.texts)


def inside(figure):
    figure.canvas.draw()
    width, height = figure.get_size_inches() * figure.dpi
    boxes = [text.get_window_extent() for axis in figure.axes for text in axis.texts]
    return all(box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height for box in boxes)


def test_the_idea_shows_both_kinds_of_learning():
    image = torch.zeros(3, 8, 8, dtype=torch.uint8)
    figure = start_plotting.idea(image, image, image[:, 2:6, 2:6], "frog")
    assert words(figure).count("frog") == 2
    assert "Self-supervised learning" in words(figure)
    assert inside(figure)


@pytest.mark.parametrize("numbers", [range(1, 7), range(1, 10), [1]])
def test_the_map_has_every_notebook_that_there_is(numbers):
    titles = {number: f"Predicting the missing thing {number}: and more" for number in numbers}
    lanes = {"with labels": (1, 2), "without, from images": (3, 5), "rest": (4, 6, 7, 8, 9)}
    figure = start_plotting.course_map(titles, lanes, {3: (1,), 6: (1, 5)}, core=6)
    assert all(f"{number:02} Predicting" in words(figure) for number in numbers)
    assert "more" not in words(figure)
    assert inside(figure)
