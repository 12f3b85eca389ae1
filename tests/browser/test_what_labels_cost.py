"""A learner at notebook 02: labels images by mouse and keys, draws a box, moves a slider, and sees numbers change."""

import re

import pytest
from pages import STDERR, answer_first_question, cell_with, changing, run_all, slide

NAME = "02_what_labels_cost"
pytestmark = [pytest.mark.notebook, pytest.mark.browser]


def run_again(page, source):
    """Execute one cell again; return what it prints."""
    cell = cell_with(page, source)
    prompt = cell.locator(".jp-InputPrompt")
    before = prompt.inner_text()
    cell.locator(".jp-InputArea-editor").click()
    page.keyboard.press("Control+Enter")
    page.wait_for_function(
        "([element, before]) => element.innerText !== before && /\\d/.test(element.innerText)",
        arg=[prompt.element_handle(), before],
    )
    return cell.locator(".jp-OutputArea-output").first.inner_text()


def drag(page, element, start, end):
    """Drag the mouse over an element, from one place to another in shares of its size."""
    element.scroll_into_view_if_needed()
    box = element.bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=4)
    page.mouse.up()


def test_a_learner_labels_draws_and_slides(page, lab, troubles, tmp_path):
    lab.prepare(NAME, tmp_path / "run")
    lab.open(page, f"{NAME}.ipynb")
    run_all(page)
    assert page.locator(STDERR).all_inner_texts() == []

    by_class = cell_with(page, "class_labeler = ClassLabeler(")
    by_class.get_by_role("button", name="Start").click()
    for _ in range(3):
        by_class.locator(".labeler-button").nth(2).click()
    for key in ("1", "0", "5"):
        page.keyboard.press(key)
    assert "Image 7 of 20" in by_class.inner_text()

    by_box = cell_with(page, "box_labeler = BoxLabeler(")
    by_box.get_by_role("button", name="Start").click()
    for number in range(5):
        drag(page, by_box.locator(".labeler-frame"), (0.2, 0.25), (0.8 - 0.05 * number, 0.75))
        by_box.get_by_role("button", name="Next").click()
    assert "Image 6 of 6" in by_box.inner_text()

    said = run_again(page, "map(session_or_published")
    assert re.search(r"class: \d+\.\d s a label \(median\), \d of 6 wrong; timed here", said)
    assert re.search(r"box: \d+\.\d s a label \(median\); timed here", said)
    bill = run_again(page, "seconds |= ")
    assert "1,281,167 labels (class)" in bill
    assert "1,708.2 hours" not in bill, "the published time is no longer what counts"

    explored = cell_with(page, "explore(")
    for number in range(3):
        with changing(explored.locator("img[alt^='What one more point']"), "src"):
            slide(page, explored, number)
    assert answer_first_question(cell_with(page, f'load_quiz("{NAME}")'))
    assert troubles == []
