"""What a learner moves in the other notebooks: all in one notebook, in which nothing is trained."""

import nbformat
import pytest
from pages import STDERR, cell_with, changing, run_all, slide

from course_utils import widgets

pytestmark = [pytest.mark.notebook, pytest.mark.browser]
CELLS = {
    "images": """
import ipywidgets, torch
from course_utils import plotting
from course_utils.language.filling import Blank
from course_utils.widgets import FeatureMap, WordByWord, explore, make_turn_figure, turn_explorer

names = ["frog", "cat", "ship"]
images = torch.randint(0, 256, (30, 3, 32, 32), generator=torch.Generator().manual_seed(0)).byte()
""",
    "turn": """
network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 32 * 32, 4))
turn_explorer(make_turn_figure(network, images), num_images=len(images))
""",
    "map": """
places = torch.stack([torch.arange(30) % 6, torch.arange(30) // 6], dim=1).float()
FeatureMap({"first": places, "second": places.flip(1)}, images, torch.arange(30) % 3, names)
""",
    "words": """
WordByWord(
    guess=lambda text: Blank(("peace", "war"), (0.6, 1 / (2 + len(text)))),
    draw=lambda text: text + " peace",
    text="We want",
)
""",
    "threshold": """
slider = ipywidgets.FloatSlider(0.5, min=0, max=1, step=0.1, description="threshold", continuous_update=False)
explore(lambda threshold: plotting.bars({"kept": 1 - threshold}), "What is kept", threshold=slider)
""",
}
MOVED_HERE = {"FeatureMap", "WordByWord", "explore", "turn_explorer"}
MOVED_ELSEWHERE = {"BoxLabeler", "ClassLabeler", "FillInTheBlank", "Quiz", "views_explorer"}
NOT_MOVED = {"LabelingSession", "load_quiz", "make_turn_figure", "make_views_figure", "session_or_published"}


@pytest.fixture
def opened(page, lab):
    """Open a notebook of these cells, and run them."""
    cells = [nbformat.v4.new_code_cell(code.strip()) for code in CELLS.values()]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}  # else JupyterLab asks for one
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), lab.folder / "widgets.ipynb")
    lab.open(page, "widgets.ipynb")
    run_all(page)
    return page


def test_no_widget_is_forgotten():
    assert set(widgets.__all__) == MOVED_HERE | MOVED_ELSEWHERE | NOT_MOVED


def test_a_learner_moves_them(troubles, opened):
    turn_an_image(opened, cell_with(opened, "turn_explorer(make_turn_figure"))
    point_at_the_map(opened, cell_with(opened, "FeatureMap({"))
    go_on_with_a_sentence(cell_with(opened, "WordByWord(\n"))
    threshold = cell_with(opened, "explore(lambda threshold")
    with changing(threshold.locator("img[alt='What is kept']"), "src"):
        slide(opened, threshold)
    assert opened.locator(STDERR).all_inner_texts() == []
    assert troubles == []


def turn_an_image(page, cell):
    picture = cell.locator("img[alt^='An image, turned']")
    with changing(picture, "src"):
        slide(page, cell)
    with changing(picture, "src"):
        cell.get_by_role("button", name="90°").click()


def point_at_the_map(page, cell):
    words, picture, points = (cell.locator(f".feature-map-{part}") for part in ("words", "picture", "canvas"))
    with changing(words):
        points.hover(position={"x": 12, "y": 12})  # the corner, where the first image is
    assert words.inner_text() == "frog"
    with changing(words), changing(picture, "style"):
        points.press("ArrowRight")
    second = cell.get_by_role("button", name="second")
    second.click()
    assert second.get_attribute("aria-pressed") == "true"
    cell.get_by_role("button", name="ship").click()
    with changing(words):
        points.hover(position={"x": 448, "y": 448})  # the last image's corner, a ship
    assert words.inner_text() == "ship"


def go_on_with_a_sentence(cell):
    text, table = cell.locator("textarea"), cell.locator("table")
    with changing(table):
        cell.get_by_role("button", name="Next word").click()
    assert text.input_value() == "We want peace"
    text.fill("We want <b>war</b>")
    with changing(table):
        text.blur()
