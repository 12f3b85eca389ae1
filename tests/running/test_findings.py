"""Recorded findings: nothing is recorded that was not run, and what is recorded is what the spec asks for."""

import datetime
import json
import os
from pathlib import Path

import pytest
import yaml
from samples import MEASURE

from course_utils import cli
from course_utils.errors import CourseError, DataError
from course_utils.paths import notebooks_dir
from course_utils.running import load_finding, runs
from course_utils.running.environment import count_cores
from course_utils.running.execution import Outcome
from course_utils.running.findings import findings_dir, record_finding
from course_utils.running.notebooks import select
from course_utils.running.records import Record
from course_utils.running.sweeps.plan import make_sweep_plan
from course_utils.running.sweeps.spec import read_spec

ACCURACY = "image/simclr/linear/test_accuracy"
MOST_BYTES = 100_000
SHIPPED = sorted(findings_dir().glob("*.yaml"))


@pytest.fixture
def executed(monkeypatch):
    """Take the place of execution, which has tests of its own; NUM_EPOCHS 3 fails."""

    def execute(notebook, output, parameters, *, max_seconds, watch, environment):
        if parameters["NUM_EPOCHS"] == 3:
            return Outcome(1.0, "ValueError: no")
        output.write_text("{}")
        record = Record(notebook.name, parameters["RUN_DIR"], parameters, {"device": "cpu", "precision": "32-true"})
        record.metric(ACCURACY, 0.25 * parameters["NUM_EPOCHS"] + 0.01 * parameters["SEED"])
        record.finish()
        return Outcome(1.0, None)

    monkeypatch.setattr(runs, "execute", execute)


@pytest.fixture
def write_spec(make_notebook, tmp_path):
    """Return a function that writes a spec for a small notebook and returns its path."""

    def write(**entries):
        notebook = str(make_notebook("05_x", MEASURE))
        path = tmp_path / "findings" / "epochs.yaml"
        path.parent.mkdir(exist_ok=True)
        spec = {"notebook": notebook, "parameters": {"LEARNING_RATE": 0.2}, "grid": {"NUM_EPOCHS": [1, 2]}}
        path.write_text(yaml.safe_dump({**spec, "seeds": [0, 1], **entries}))
        return path

    return write


@pytest.fixture
def course_sweep(tmp_path, capsys):
    """Return a function that sweeps a spec into a folder; it returns the exit code and what was said."""

    def call(spec, *options):
        words = ["sweep", str(spec), "--name", f"{tmp_path}/out", "--workers", "1", *options]
        with pytest.raises(SystemExit) as left:
            cli.main(words)
        said = capsys.readouterr()
        return left.value.code, said.out + said.err

    return call


def test_a_finished_sweep_is_recorded_with_command_date_and_means(executed, write_spec, course_sweep):
    spec = write_spec()
    code, said = course_sweep(spec, "--record")
    assert (code, "Recorded: " in said) == (0, True)
    finding = load_finding("epochs", spec.parent)
    assert finding.command == f"course sweep {spec} --record"
    assert finding.date == datetime.datetime.now(datetime.UTC).date().isoformat()
    assert (finding.notebooks, finding.profile, finding.fixed) == (["05_x"], "laptop", {"LEARNING_RATE": 0.2})
    assert [row.parameters for row in finding.rows] == [{"NUM_EPOCHS": 1}, {"NUM_EPOCHS": 2}]
    measured = finding.row(NUM_EPOCHS=2).metrics[ACCURACY]
    assert (measured.mean, measured.count) == (pytest.approx(0.505), 2)
    assert measured.sd == pytest.approx(0.01 / 2**0.5, rel=1e-5)
    assert finding.machine["precision"] == "32-true"
    assert finding.minutes == pytest.approx(4 / 60, abs=0.05)


def test_the_caption_is_one_sentence_with_all_that_it_takes_to_repeat_it(executed, write_spec, course_sweep):
    spec = write_spec()
    course_sweep(spec, "--record")
    finding = load_finding("epochs", spec.parent)
    caption = finding.caption()
    assert caption.startswith(f"Recorded on {finding.date} by `{finding.command}` on {count_cores()} cores")
    assert caption.endswith("2 seeds.")


def test_recording_later_does_not_make_it_look_newer(executed, write_spec, course_sweep, tmp_path):
    spec = write_spec()
    course_sweep(spec)
    assert not spec.with_suffix(".json").exists()
    for path in tmp_path.glob("out/*/summary.json"):
        os.utime(path, (0, 0))
    record_finding(spec, tmp_path / "out")
    assert load_finding("epochs", spec.parent).date == "1970-01-01"


def test_without_seeds_a_row_has_no_spread(executed, write_spec, course_sweep):
    spec = write_spec(seeds=[4])
    course_sweep(spec, "--record")
    finding = load_finding("epochs", spec.parent)
    assert finding.rows[0].metrics[ACCURACY].sd is None
    assert finding.caption().endswith("one seed.")


def test_a_sweep_with_a_failed_run_is_not_recorded(executed, write_spec, course_sweep, tmp_path):
    spec = write_spec(grid={"NUM_EPOCHS": [1, 3]})
    code, said = course_sweep(spec, "--record")
    assert (code, "Recorded" in said) == (1, False)
    assert not spec.with_suffix(".json").exists()
    with pytest.raises(CourseError, match="2 of the 4 runs have no result: nothing was recorded"):
        record_finding(spec, tmp_path / "out")


def test_the_runs_of_another_spec_are_not_recorded(executed, write_spec, course_sweep, tmp_path):
    course_sweep(write_spec())
    for change in ({"grid": {"NUM_EPOCHS": [1]}}, {"seeds": [0]}, {"parameters": {"LEARNING_RATE": 0.3}}):
        with pytest.raises(CourseError, match=r"holds other runs than epochs\.yaml asks for"):
            record_finding(write_spec(**change), tmp_path / "out")


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", '{"schema": 1}', "\0", "null"], ids=["empty", "cut", "list", "bare", "binary", "null"]
)
def test_a_damaged_finding_says_how_it_is_made_anew(damage, tmp_path):
    (tmp_path / "x.json").write_text(damage)
    with pytest.raises(DataError, match=r"can't be read as a recorded finding: `course sweep docs/findings/x\.yaml"):
        load_finding("x", tmp_path)


def test_a_missing_finding_and_a_missing_row_are_one_sentence(executed, write_spec, course_sweep):
    with pytest.raises(DataError, match=r"there is no recorded finding 'absent' .* `course sweep .*absent\.yaml --rec"):
        load_finding("absent")
    spec = write_spec()
    course_sweep(spec, "--record")
    finding = load_finding("epochs", spec.parent)
    with pytest.raises(DataError, match=r"has 0 rows with \{'NUM_EPOCHS': 7\}"):
        finding.row(NUM_EPOCHS=7)
    spec.with_suffix(".json").write_text(spec.with_suffix(".json").read_text().replace('"schema": 1', '"schema": 2'))
    with pytest.raises(DataError, match="of another version"):
        load_finding("epochs", spec.parent)


def test_every_finding_has_its_spec():
    assert [path.name for path in findings_dir().glob("*.json") if not path.with_suffix(".yaml").exists()] == []


@pytest.mark.parametrize("path", SHIPPED, ids=[path.stem for path in SHIPPED])
def test_a_shipped_finding_is_what_its_spec_asks_of_todays_notebooks(path: Path):
    spec = read_spec(path)
    plan = make_sweep_plan(spec, "finding")  # names, types and ranges against the notebooks as they are
    finding = load_finding(path.stem)
    assert path.with_suffix(".json").stat().st_size < MOST_BYTES
    assert path.read_text(encoding="utf-8").startswith("# "), "a comment says what it asks"
    assert finding.command == f"course sweep docs/findings/{path.name} --record"
    assert (finding.name, finding.profile, finding.fixed) == (path.stem, spec.profile, spec.parameters)
    assert finding.notebooks == [notebook.name for notebook in select(spec.notebook, notebooks_dir())]
    assert finding.num_seeds == len(spec.seeds or [0])
    points = [{name: value for name, value in run.values.items() if name != "SEED"} for run in plan.runs]
    unique = {json.dumps(point): point for point in points}
    assert [row.parameters for row in finding.rows] == list(unique.values())
    datetime.date.fromisoformat(finding.date)
