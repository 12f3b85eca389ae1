"""Minutes are measured, never typed: README's table, the plans, the guide's pages."""

import hashlib
import json
import re
from dataclasses import replace

import pytest

from course_utils.errors import CourseError
from course_utils.paths import docs_dir
from course_utils.running.handbook import Facts, encoders_table, gather_facts, handbook_texts, plan_minutes, renewed
from course_utils.running.notebooks import Notebook


@pytest.fixture
def facts(tmp_path):
    cells = [{"cell_type": "markdown", "source": "# Frogs\n\n**Why green?**", "metadata": {}}]
    path = tmp_path / "01_frogs.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    plan = {
        "minutes": 30,
        "parts": [
            {"minutes": 5, "what": "Hello."},
            {"minutes": 10, "notebook": "01", "run": True, "what": "jump."},
            {"minutes": 99, "notebook": "07", "run": True, "what": "not there."},
        ],
    }
    return Facts({"01_frogs": 750.0}, {"short": plan}, {"01_frogs": Notebook(path)}, {"01_frogs"})


def block(kind, name, inside=""):
    return f"before <!-- {kind}: {name} -->{inside}<!-- end --> after"


def test_minutes_are_those_that_were_measured(facts):
    assert renewed(block("minutes", "01_frogs", "old"), facts) == block("minutes", "01_frogs", "12 minutes")
    assert "not measured yet" in renewed(block("minutes", "09_toads"), facts)


def test_a_plan_takes_what_people_need_or_what_the_machine_needs(facts):
    text = renewed(block("plan", "short"), facts)
    assert "| 0:00 | 5 | Hello. |  |" in text
    assert "| 0:05 | 13 | [01 · Frogs](../../notebooks/01_frogs.ipynb): jump. | 12 min |" in text
    assert "not there" not in text
    assert "In all 18 of 30 minutes; the machine works for 12 of them; 12 minutes are left for questions." in text
    assert renewed(text, facts) == text
    facts.plans["short"]["minutes"] = 10
    assert "8 minutes too many: leave a part out" in renewed(text, facts)


def test_days_start_anew(facts):
    facts.plans["short"]["parts"] = [
        {"day": "One"},
        {"minutes": 5, "what": "a"},
        {"day": "Two"},
        {"minutes": 6, "what": "b"},
    ]
    text = renewed(block("plan", "short"), facts)
    assert (
        text.index("**One**") < text.index("| 0:00 | 5 | a |") < text.index("**Two**") < text.index("| 0:00 | 6 | b |")
    )


def test_an_unknown_plan_is_named(facts):
    with pytest.raises(CourseError, match=r"no plan long in plans\.yaml: there are short"):
        renewed(block("plan", "long"), facts)


def test_readmes_rows_keep_their_words_and_get_what_is_missing(facts):
    rows = [
        "| 01 | [My frogs](notebooks/01_frogs.ipynb) | Own words? |",
        "| 05 | [X](notebooks/05_x.ipynb) | Why? | 3 | y |",
    ]
    old = "\n".join(["", *rows, ""])
    text = renewed(block("notebooks", "all", old), facts)
    assert (
        "| 01 | [My frogs](notebooks/01_frogs.ipynb) | Own words? | 12 | [results](docs/executed/01_frogs.ipynb) |"
        in text
    )
    assert "| 05 | [X](notebooks/05_x.ipynb) | Why? | not measured | not published yet |" in text
    assert renewed(text, facts) == text
    assert "| 01 | [Frogs](notebooks/01_frogs.ipynb) | Why green? | 12 |" in renewed(block("notebooks", "all"), facts)


GUIDE = sorted((docs_dir() / "instructor").glob("[0-9][0-9]_*.md"))
SECTIONS = ["Aim", "The story", "Ask before each run", "Misconceptions", "What to skip", "Where to stop"]


@pytest.mark.parametrize("path", GUIDE, ids=lambda path: path.stem)
def test_a_page_of_the_guide_has_all_its_parts(path):
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", text, re.M) == SECTIONS
    assert f"<!-- minutes: {path.stem} -->" in text


def test_the_guide_lists_its_pages(facts):
    more = replace(facts, guide=("01_frogs", "02_toads"))
    assert renewed(block("guide", "all"), more) == block("guide", "all", "[01](01_frogs.md), [02](02_toads.md)")


def test_readme_and_guide_are_up_to_date():
    stale = [path.name for path, text in handbook_texts().items() if text != path.read_text(encoding="utf-8")]
    assert stale == [], "`course publish --prose` writes them anew"


@pytest.mark.parametrize("name", ["ninety-minutes", "half-day", "two-days"])
def test_the_plans_fit_into_their_time(name):
    facts = gather_facts()
    assert plan_minutes(facts.plans[name], facts) <= facts.plans[name]["minutes"]


def test_encoders_are_listed_with_their_hash_and_origin(tmp_path):
    assert encoders_table(tmp_path).count("\n") == 1, "only the head"
    (tmp_path / "frog.safetensors").write_bytes(b"x" * 150_000)
    told = {"notebook": "01_frogs", "date": "2026-01-02", "dataset": "pond"}
    (tmp_path / "frog.json").write_text(json.dumps(told))
    weights, words = encoders_table(tmp_path).splitlines()[-2:]
    origin = "[01](../notebooks/01_frogs.ipynb), 2026-01-02 | `pond`"
    digest = hashlib.sha256(b"x" * 150_000).hexdigest()
    assert weights == f"| `encoders/frog.safetensors` | 0.1 MB | {origin} | `{digest}` |"
    digest = hashlib.sha256(json.dumps(told).encode()).hexdigest()
    assert words == f"| `encoders/frog.json` | 0.1 kB | {origin} | `{digest}` |"
