"""A learner at notebook 05: runs it, and looks at views of images with other alterations."""

import pytest
from pages import STDERR, answer_first_question, cell_with, changing, run_all, slide

NAME = "05_simclr"
pytestmark = [pytest.mark.notebook, pytest.mark.browser]


def test_a_learner_explores_views(page, lab, troubles, tmp_path):
    lab.prepare(NAME, tmp_path / "run")
    lab.open(page, f"{NAME}.ipynb")
    run_all(page)
    assert page.locator(STDERR).all_inner_texts() == []

    explored = cell_with(page, "views_explorer(draw_views")
    picture = explored.locator("img[alt^='An image and sixteen views']")
    for number in range(5):
        with changing(picture, "src"):
            slide(page, explored, number, key="ArrowLeft" if number == 2 else "ArrowRight")
    with changing(picture, "src"):
        explored.get_by_role("checkbox").click()
    with changing(picture, "src"):
        explored.get_by_role("button", name="draw again").click()
    assert answer_first_question(cell_with(page, f'load_quiz("{NAME}")'))
    assert troubles == []
