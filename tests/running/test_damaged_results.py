"""What lies in a run's folder may be cut, edited or somebody else's: one sentence, and nothing is written."""

import copy
import json
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from course_utils import cli
from course_utils.errors import CourseError
from course_utils.running.comparison import compare
from course_utils.running.report import make_report
from course_utils.running.results import load_record, record_path
from course_utils.running.summary import load_summary

CLAIM = {"id": "x", "statement": "s", "source": "t", "holds": True, "evidence": {"a": 1, "b": "c"}}
ENTRY = {
    "name": "05_simclr",
    "status": "ok",
    "seconds": 1.5,
    "parameters": {"SEED": 0},
    "metrics": {"image/simclr/linear/test_accuracy": 0.5, "image/simclr/steps": 3},
    "claims": [CLAIM],
    "error": None,
}
SUMMARY = {
    "schema": 1,
    "profile": "laptop",
    "status": "ok",
    "seconds": 1.5,
    "environment": {"commit": "abc", "cores": 2},
    "notebooks": [ENTRY],
}
RUN = {"folder": "seed-0_ab", "values": {"SEED": 0}, "status": "ok", "seconds": 1.5, "error": None}
SWEEP = {
    "schema": 1,
    "name": "warm",
    "profile": "laptop",
    "notebooks": ["05_simclr"],
    "parameters": {},
    "threads": 1,
    "runs": [RUN],
}


@pytest.fixture
def course(capsys):
    """Return a function that gives a command line to `course` and returns exit code and error output."""

    def call(*words):
        with pytest.raises(SystemExit) as stopped:
            cli.main([str(word) for word in words])
        return stopped.value.code or 0, capsys.readouterr().err

    return call


def entry_with(**changes):
    return SUMMARY | {"notebooks": [ENTRY | changes]}


SUMMARIES = {
    "nothing": "",
    "cut": json.dumps(SUMMARY)[:100],
    "a list": [],
    "a number": 3,
    "bytes": b"\xff\xfe",
    "a tower": "[" * 100_000,
    "of another version": SUMMARY | {"schema": 2},
    "bare": {"schema": 1},
    "no notebooks": SUMMARY | {"notebooks": None},
    "a notebook that is a number": SUMMARY | {"notebooks": [3]},
    "a bare notebook": SUMMARY | {"notebooks": [{}]},
    "no profile": SUMMARY | {"profile": None},
    "an unknown end": SUMMARY | {"status": "great"},
    "no time": SUMMARY | {"seconds": None},
    "a time that is no number": json.dumps(SUMMARY).replace("1.5", "NaN"),
    "an environment that is a list": SUMMARY | {"environment": []},
    "an unknown status": entry_with(status="great"),
    "metrics that are a list": entry_with(metrics=[]),
    "a metric that is text": entry_with(metrics={"a": "high"}),
    "a metric that is nothing": entry_with(metrics={"a": None}),
    "a bare claim": entry_with(claims=[{}]),
    "claims that are a number": entry_with(claims=3),
    "parameters that are a list": entry_with(parameters=[1]),
    "an error that is a number": entry_with(error=3),
    "a name that is a number": entry_with(name=3),
}


@pytest.mark.parametrize("command", ["report", "compare", "publish"])
@pytest.mark.parametrize("what", SUMMARIES)
def test_a_damaged_summary_is_one_sentence(course, tmp_path, what, command):
    write(tmp_path / "summary.json", SUMMARIES[what])
    code, told = course(command, f"{tmp_path}/")
    assert code == 2
    assert told.startswith(f"error: {tmp_path}/summary.json ")
    assert "use `course run` again" in told
    assert told.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["summary.json"]


SWEEPS = {
    "nothing": "",
    "a list": [],
    "a tower": "[" * 100_000,
    "bare": {"schema": 1},
    "no runs": SWEEP | {"runs": None},
    "a run that is a number": SWEEP | {"runs": [3]},
    "a bare run": SWEEP | {"runs": [{}]},
    "a folder that is a number": SWEEP | {"runs": [RUN | {"folder": 3}]},
    "a folder that is elsewhere": SWEEP | {"runs": [RUN | {"folder": "../../etc"}]},
    "the folder above": SWEEP | {"runs": [RUN | {"folder": ".."}]},
    "an unknown status": SWEEP | {"runs": [RUN | {"status": "great"}]},
}


@pytest.mark.parametrize("command", ["report", "compare"])
@pytest.mark.parametrize("what", SWEEPS)
def test_a_damaged_list_of_runs_is_one_sentence(course, tmp_path, what, command):
    write(tmp_path / "sweep.json", SWEEPS[what])
    code, told = course(command, f"{tmp_path}/")
    words = "can't be read: delete it and use `course sweep` again, which repeats no finished run"
    assert (code, told) == (2, f"error: {tmp_path}/sweep.json {words}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["sweep.json"]


RECORDS = {
    "a tower": "[" * 100_000,
    "of another": {"notebook": "06_x"},
    "a figure that is a number": {"notebook": "05_x", "figures": [3]},
    "a figure from elsewhere": {"notebook": "05_x", "figures": [{"file": "../secret.png", "caption": "x"}]},
    "a figure from the root": {"notebook": "05_x", "figures": [{"file": "/etc/secret.png", "caption": "x"}]},
    "encoders that are a number": {"notebook": "05_x", "encoders": 3},
    "an encoder from elsewhere": {"notebook": "05_x", "encoders": ["a/../../b.safetensors"]},
    "parameters that are a list": {"notebook": "05_x", "parameters": []},
}


@pytest.mark.parametrize("what", RECORDS)
def test_a_damaged_record_is_no_record(tmp_path, what):
    path = record_path(tmp_path, "05_x")
    path.parent.mkdir()
    write(path, RECORDS[what])
    assert load_record(tmp_path, "05_x") is None


NO_RUNS = [
    "gone/",
    "file",
    "file/",
    "file/below",
    "things/",
    "empty/",
    "/dev/null",
    "~nobody.at.all/run",
    "x" * 300 + "/",
]


@pytest.mark.parametrize("command", ["report", "compare", "publish"])
@pytest.mark.parametrize("place", NO_RUNS)
def test_a_place_without_a_run_is_one_sentence(course, tmp_path, place, command):
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "things").mkdir()
    (tmp_path / "things" / "thesis.txt").touch()
    code, told = course(command, place if place[0] in "/~" else f"{tmp_path}/{place}")
    assert code == 2
    assert told.startswith("error: ")
    assert any(words in told for words in ("there is no run in", "can't use", "nobody's home"))
    assert told.count("\n") == 1


@pytest.mark.parametrize("place", ["file/below", "/proc/course", "~nobody.at.all/x", "x" * 300])
def test_a_place_that_takes_no_report_is_one_sentence(course, tmp_path, place):
    write(tmp_path / "summary.json", SUMMARY)
    (tmp_path / "file").touch()
    into = place if place[0] in "/~" else f"{tmp_path}/{place}"
    code, told = course("report", f"{tmp_path}/", "--into", into)
    assert code == 2
    assert told.startswith("error: ")
    assert told.count("\n") == 1


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


def places_in(content):
    """Yield the way to each value within."""
    within = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in within:
        yield [key]
        yield from ([key, *way] for way in places_in(value))


def changed(content, way, value):
    """Return a copy in which one value is another; None: is gone."""
    inner = new = copy.deepcopy(content)
    for key in way[:-1]:
        inner = inner[key]
    inner[way[-1]] = value
    if value is None:
        del inner[way[-1]]
    return new


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(way=st.sampled_from(list(places_in(SUMMARY))), value=VALUES)
def test_whatever_stands_in_a_summary_it_is_shown_or_refused(tmp_path, way, value):
    write(tmp_path / "summary.json", changed(SUMMARY, way, value))
    with suppress(CourseError):
        make_report(tmp_path, load_summary(tmp_path))
        assert compare([f"{tmp_path}/"]).runs


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(way=st.sampled_from(list(places_in(SWEEP))), value=VALUES)
def test_whatever_stands_in_a_list_of_runs_it_is_compared_or_refused(tmp_path, way, value):
    write(tmp_path / "sweep.json", changed(SWEEP, way, value))
    with suppress(CourseError):
        assert compare([f"{tmp_path}/"]).runs


def write(path, content):
    plain = content if isinstance(content, str | bytes) else json.dumps(content)
    path.write_bytes(plain if isinstance(plain, bytes) else plain.encode())
