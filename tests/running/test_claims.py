import pytest

from course_utils.running.claims import ClaimsTable
from course_utils.running.records import Record

HOLDS = {"statement": "a < b & c", "source": "A paper", "holds": True, "evidence": {"<gain>": 0.25}}
FAILS = {"statement": "d beats e", "source": "A book, p. 3", "holds": False, "evidence": {"d": 0.1, "e": "0.2 ± 0.1"}}


def test_both_kinds_of_verdicts_stand_in_words():
    html = ClaimsTable([HOLDS, FAILS])._repr_html_()
    assert html.index("1 of 2 claims hold") < html.index("✓ yes") < html.index("✗ no")
    assert "<small>A book, p. 3</small>" in html
    assert "e: <b>0.2 ± 0.1</b>" in html


def test_texts_are_escaped():
    html = ClaimsTable([HOLDS])._repr_html_()
    assert "a &lt; b &amp; c" in html
    assert "&lt;gain&gt;: <b>0.250</b>" in html
    assert "<gain>" not in html


def test_a_terminal_reads_the_same():
    text = repr(ClaimsTable([HOLDS, FAILS]))
    assert text.splitlines()[0] == "1 of 2 claims hold in this run."
    assert "✓ yes: a < b & c" in text
    assert "✗ no: d beats e" in text
    assert "d 0.100; e 0.2 ± 0.1" in text


@pytest.mark.parametrize("show", [repr, ClaimsTable._repr_html_])
def test_no_claim_is_said(show):
    assert "no claim" in show(ClaimsTable([]))
    assert "<table>" not in show(ClaimsTable([]))


def test_finishing_a_record_shows_its_claims(tmp_path):
    record = Record("05_simclr", tmp_path / "run", {"SEED": 0}, {"device": "cpu"})
    record.claim("better", "It is better.", "A paper, table 1", holds=False, evidence={"gain": -0.2})
    assert "✗ no: It is better." in repr(record.finish())
