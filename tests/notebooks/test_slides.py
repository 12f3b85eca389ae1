"""Notebooks that are decks, too: each cell has its place on them, and no slide is empty or a wall of text."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

import pytest
from nbconvert.exporters import SlidesExporter
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from course_utils.paths import docs_dir, notebooks_dir
from course_utils.running.executed import executed_dir, load_notebook, write_notebook

DECKS = ("02_what_labels_cost", "03_predicting_rotations", "05_simclr")
SLIDE_TYPES = {"slide", "subslide", "fragment", "notes", "skip", "-"}
MOST_TEXT_CELLS, MOST_WORDS, MOST_CODE_LINES = 2, 190, 20
NEVER_SHOWN = {"parameters", "exercise", "quiz", "minutes", "published"}
ENDLESS = {"br", "img", "meta", "link", "input", "hr", "source", "col"}

every_deck = pytest.mark.parametrize("name", DECKS)


@dataclass
class Slide:
    """What stands on one slide."""

    text_cells: int = 0
    outputs: int = 0
    pictures: int = 0
    code_lines: int = 0
    words: list[str] = field(default_factory=list)
    notes: int = 0
    ended: bool = False  # references come now, which slides don't show


class Deck(HTMLParser):
    """The slides of a deck: the inner ones of nbconvert's nested sections."""

    def __init__(self, html):
        super().__init__()
        self.slides, self.open = [], []
        self.feed(html)
        assert self.open == [], "every section and part is closed"

    def handle_starttag(self, tag, attributes):
        if tag in ENDLESS:
            if tag == "img" and self.on_a_slide():
                self.slides[-1].pictures += 1
            return
        given = dict(attributes)
        classes = set((given.get("class") or "").split())
        self.open.append((tag, classes))
        if tag == "section" and self.on_a_slide():
            self.slides.append(Slide())
        if not self.on_a_slide():
            return
        if tag == "aside":
            self.slides[-1].notes += 1
        elif not self.inside("aside"):
            self.slides[-1].ended |= given.get("id") == "References"
            self.slides[-1].text_cells += "jp-MarkdownCell" in classes
            self.slides[-1].outputs += "jp-OutputArea-output" in classes

    def handle_endtag(self, tag):
        if tag in ENDLESS:
            return
        while self.open and self.open.pop()[0] != tag:  # browsers, too, close what was left open
            pass

    def handle_data(self, data):
        if not self.on_a_slide() or self.inside("aside") or self.inside("style"):
            return
        if any("jp-InputArea-editor" in classes for _, classes in self.open):
            self.slides[-1].code_lines += data.count("\n")
        elif not self.slides[-1].ended and any("jp-RenderedMarkdown" in classes for _, classes in self.open):
            self.slides[-1].words += data.split()

    def on_a_slide(self):
        return [tag for tag, _ in self.open].count("section") == 2

    def inside(self, tag):
        return any(each == tag for each, _ in self.open)


def settings():
    """Return what docs/instructor/slides/config.py says, as `jupyter nbconvert --config` reads it."""
    return PyFileConfigLoader("config.py", path=str(docs_dir() / "instructor" / "slides")).load_config()


def make_deck(path):
    html, _ = SlidesExporter(config=settings()).from_filename(str(path))
    return html


@every_deck
def test_each_cell_knows_its_place(name):
    for cell in load_notebook(notebooks_dir() / f"{name}.ipynb")["cells"]:
        kind = cell["metadata"].get("slideshow", {}).get("slide_type")
        assert kind in SLIDE_TYPES, f"{name}, cell {cell['id']}: choose a slide type (docs/instructor/slides.md)"
        tags = set(cell["metadata"].get("tags", []))
        if tags & NEVER_SHOWN:
            assert kind == "skip", cell["id"]
        if "only-output" in tags:
            assert cell["cell_type"] == "code"
            assert kind not in {"skip", "notes"}, "only what is shown needs its code hidden"


@every_deck
def test_a_deck_is_made_without_a_network_and_fits(name):
    html = make_deck(executed_dir() / f"{name}.ipynb")
    assert "No description has been provided" not in html, "each picture has a text"
    deck = Deck(html)
    assert 12 <= len(deck.slides) <= 40
    assert sum(slide.pictures > 0 for slide in deck.slides) >= 6
    assert any(slide.notes for slide in deck.slides)
    for slide in deck.slides:
        said = " ".join(slide.words)[:80]
        assert slide.text_cells or slide.outputs or slide.code_lines, "a slide without content"
        assert slide.text_cells <= MOST_TEXT_CELLS, said
        assert len(slide.words) <= MOST_WORDS, said
        assert slide.code_lines <= MOST_CODE_LINES, said
        assert slide.notes <= 1, f"reveal.js shows the first notes of a slide only: {said}"


@every_deck
def test_no_set_up_and_no_exercise_is_on_a_slide(name):
    html = make_deck(executed_dir() / f"{name}.ipynb")
    slides = html[html.index('<div class="slides">') :]
    for word in ("start_notebook(", "record.figure(", "RUN_DIR", "checks.check_", "record.finish()"):
        assert word not in slides.replace("<span", " <span").replace("</span>", ""), word


def test_a_bad_deck_is_noticed(tmp_path):
    """The checks above can fail: a slide that is all text, and one with nothing on it."""
    content = load_notebook(executed_dir() / f"{DECKS[0]}.ipynb")
    for cell in content["cells"]:
        cell["metadata"]["slideshow"] = {"slide_type": "-" if cell["cell_type"] == "markdown" else "skip"}
    write_notebook(tmp_path / "all_text.ipynb", content)
    [slide] = Deck(make_deck(tmp_path / "all_text.ipynb")).slides
    assert slide.text_cells > MOST_TEXT_CELLS
    assert len(slide.words) > MOST_WORDS
    silent = next(cell for cell in content["cells"] if cell["cell_type"] == "code" and not cell["outputs"])
    silent["metadata"] = {"slideshow": {"slide_type": "slide"}, "tags": ["only-output"]}
    write_notebook(tmp_path / "empty.ipynb", {**content, "cells": [silent]})
    [slide] = Deck(make_deck(tmp_path / "empty.ipynb")).slides
    assert (slide.text_cells, slide.outputs, slide.code_lines) == (0, 0, 0)


def test_the_settings_are_those_of_the_slides():
    assert isinstance(settings(), Config)
    assert settings().TagRemovePreprocessor.remove_input_tags == {"only-output"}
