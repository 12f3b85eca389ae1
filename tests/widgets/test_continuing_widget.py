"""Going on word by word, driven without a browser."""

from course_utils.errors import DataError
from course_utils.language.filling import Blank
from course_utils.widgets import WordByWord


def guess(text):
    if "[MASK]" in text:
        raise DataError("[MASK] is no word: <write> how the sentence begins")
    return Blank(("<b>", "states"), (0.25, 0.5))


def make():
    return WordByWord(guess, lambda text: f"{text} states", "the united")


def test_it_shows_the_likeliest_words_escaped():
    shown = make().words.value
    assert "&lt;b&gt;" in shown
    assert "<b>" not in shown
    assert "50.0%" in shown


def test_the_button_appends_a_word_and_asks_again():
    widget = make()
    widget.button.click()
    widget.button.click()
    assert widget.text.value == "the united states states"


def test_what_is_no_beginning_is_one_escaped_sentence():
    widget = make()
    widget.text.value = "the [MASK]"
    assert widget.words.value == "<p>[MASK] is no word: &lt;write&gt; how the sentence begins</p>"


def test_a_text_does_not_grow_without_end():
    widget = make()
    widget.text.value = "a" * 2000
    widget.button.click()
    assert len(widget.text.value) == 2000
    assert "begin a new one" in widget.words.value


def test_its_static_twin_shows_the_same():
    widget = make()
    widget.button.click()
    [axis] = widget.static_figure().axes
    assert axis.get_title(loc="left") == "the united states …"
    assert [label.get_text() for label in axis.get_yticklabels()] == ["<b>", "states"]
    assert [bar.get_width() for bar in axis.patches] == [0.25, 0.5]
    widget.text.value = "the [MASK]"
    [axis] = widget.static_figure().axes
    assert axis.get_title(loc="left").startswith("[MASK] is no word")
