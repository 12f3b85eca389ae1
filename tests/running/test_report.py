import base64
import json
from html.parser import HTMLParser

import pytest

from course_utils.errors import CourseError
from course_utils.running.report import write_report
from course_utils.running.results import write_record
from course_utils.running.summary import finished_entry, load_summary, summarize, unfinished_entry, write_summary

HOSTILE = "<script>alert('x')</script> & \"quotes\" <img src=//evil>"
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Page(HTMLParser):
    """Collects a page's elements, its text, and checks that what opens closes."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.words, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in ("meta", "img", "br", "wbr"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def attributes(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def page(tmp_path):
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "05_simclr_loss.png").write_bytes(PIXEL)
    (tmp_path / "05_simclr.ipynb").touch()
    claim = {"id": "x", "statement": HOSTILE, "source": HOSTILE, "holds": False, "evidence": {HOSTILE: HOSTILE}}
    record = {
        "notebook": "05_simclr",
        "seconds": 75.0,
        "parameters": {"DATASET": HOSTILE},
        "environment": {"device": HOSTILE, "precision": "32-true"},
        "metrics": {HOSTILE: 0.5, "image/simclr/a": 0.25, "image/simclr/a_sd": 0.01},
        "claims": [claim],
        "figures": [{"file": "figures/05_simclr_loss.png", "caption": HOSTILE}, {"file": "gone.png", "caption": "g"}],
    }
    write_record(tmp_path, record)
    entries = [
        finished_entry(record, "ok"),
        unfinished_entry("06_x", "failed", {}, HOSTILE, 2.0),
        unfinished_entry("07_y", "skipped", {}, "it builds on 06_x"),
    ]
    write_summary(tmp_path, summarize(HOSTILE, entries, [record]))
    return Page(write_report(tmp_path).read_text(encoding="utf-8"))


def test_nothing_that_a_run_says_becomes_markup(page):
    names = {name for name, _ in page.elements}
    assert "script" not in names
    assert page.open == []
    assert "".join(page.words).count(HOSTILE) == 10  # each is there, as text
    assert {key for _, attributes in page.elements for key in attributes if key.startswith("on")} == set()


def test_nothing_is_loaded_from_elsewhere(page):
    assert page.attributes("link") == []
    assert [attributes["href"] for attributes in page.attributes("a")] == ["05_simclr.ipynb"]
    [image] = page.attributes("img")
    assert image["src"] == "data:image/png;base64," + base64.b64encode(PIXEL).decode()
    style = page.words[page.words.index(next(words for words in page.words if ":root" in words))]
    assert "url(" not in style
    assert "@import" not in style


def test_numbers_claims_and_statuses_are_there(page):
    text = " ".join(page.words)
    for words in ("0.250 ± 0.010", "✗", "✓ ok", "✗ failed", "– skipped", "it builds on 06_x", "1:15"):
        assert words in text


def test_a_folder_without_a_run_is_one_sentence(tmp_path):
    with pytest.raises(CourseError, match="there is no run in"):
        write_report(tmp_path)


@pytest.mark.parametrize(("content", "words"), [("{", "can't be read"), ('{"schema": 2}', "another version")])
def test_a_damaged_summary_is_one_sentence(tmp_path, content, words):
    (tmp_path / "summary.json").write_text(content)
    with pytest.raises(CourseError, match=words):
        load_summary(tmp_path)


def test_summary_is_json_that_other_languages_read(tmp_path):
    write_summary(tmp_path, summarize("laptop", [], []))
    summary = json.loads((tmp_path / "summary.json").read_text(), parse_constant=pytest.fail)
    assert summary["status"] == "ok"
    assert summary["environment"]["python"]
