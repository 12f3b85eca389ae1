import pytest

from course_utils.errors import CourseError
from course_utils.paths import docs_dir
from course_utils.site.glossary import FirstUses, glossary_page, read_glossary

TEXT = """# Glossary

Words. (For authors: one line.)

## Learning

- **label** (labels, labeled): the answer.
- **pretext task** (pretext): made up.
- **run** (—): one execution.
"""


def link(text):
    return FirstUses(read_glossary(TEXT)).link(text)


def test_terms_have_forms_and_a_meaning():
    label, _, run = read_glossary(TEXT)
    assert label.forms == ("label", "labels", "labeled")
    assert run.forms == ()
    assert run.meaning == "one execution."


def test_the_page_has_a_directive_for_each_group():
    page = glossary_page(TEXT)
    assert "```{glossary}\nlabel\n  the answer.\n\npretext task\n  made up." in page
    assert "For authors" not in page


def test_only_the_first_use_is_linked_and_keeps_its_form():
    assert link("Labels cost. A label is dear.") == "{term}`Labels <label>` cost. A label is dear."


def test_the_longest_form_wins_and_may_be_broken_over_lines():
    assert link("a pretext\ntask") == "a pretext\ntask".replace("pretext", "{term}`pretext <pretext task>`")
    assert link("a pretext task") == "a {term}`pretext task <pretext task>`"


@pytest.mark.parametrize(
    "text",
    [
        "# A label",
        "`label`",
        "```\nlabel\n```",
        "[a label](x.md)",
        "![label](x.png)",
        "<b title='label'>",
        "https://x.org/label",
        "| label | x |",
        "relabel labelless label-free my/label",
        "a run",
    ],
)
def test_headings_links_code_and_other_words_are_left_alone(text):
    assert link(text) == text


def test_several_pieces_of_a_page_share_their_first_uses():
    uses = FirstUses(read_glossary(TEXT))
    assert "{term}" in uses.link("a label")
    assert uses.link("a label") == "a label"


def test_a_form_that_stands_twice_is_refused():
    with pytest.raises(CourseError, match="the glossary has label twice"):
        read_glossary(TEXT + "- **labelling** (label): x\n")


def test_the_courses_own_glossary_can_be_read():
    terms = read_glossary((docs_dir() / "glossary.md").read_text(encoding="utf-8"))
    assert {"encoder", "linear probe", "temperature", "masked words"} <= {term.name for term in terms}
    assert all(term.meaning[-1] in ".?)" for term in terms)
