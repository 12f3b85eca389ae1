"""Runs beside each other: what differs, means over seeds, and a page on which nothing becomes markup."""

import base64
import csv
import io
import json

import pytest
from test_report import HOSTILE, Page

from course_utils import cli
from course_utils.errors import CourseError
from course_utils.running.comparison import compare
from course_utils.running.comparison.curves import MOST_CURVES, curve_points
from course_utils.running.comparison.files import comparison_folder, make_csv, write_comparison
from course_utils.running.comparison.table import comparison_table, show_measured
from course_utils.running.sweeps.files import make_manifest, write_manifest

ACCURACY = "image/simclr/linear/test_accuracy"


@pytest.fixture
def make_run(tmp_path):
    """Return a function that writes a run's summary and returns its folder as a word for `compare`."""

    def make(name, metrics=None, *, notebook="05_x", status="ok", claims=(), error=None, more=(), **parameters):
        folder = tmp_path / "sweep" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{notebook}.ipynb").touch()
        entry = {
            "name": notebook,
            "status": status,
            "seconds": 61.0,
            "parameters": {"SEED": 0, "RUN_DIR": name, **parameters},
            "metrics": metrics or {},
            "claims": list(claims),
            "error": error,
        }
        environment = {"python": "3.11", "torch": HOSTILE, "device": "cpu"}
        summary = {"schema": 1, "profile": "laptop", "status": status, "seconds": 61.0, "environment": environment}
        (folder / "summary.json").write_text(json.dumps(summary | {"notebooks": [entry, *more]}))
        return f"{folder}/"

    return make


@pytest.fixture
def sweep(make_run, tmp_path):
    """Return the folder of a sweep over two parameters and two seeds, of which one run failed and one has no result."""
    claim = {"id": "x", "statement": HOSTILE, "source": HOSTILE, "holds": True, "evidence": {HOSTILE: HOSTILE}}
    entries = []
    for rate in (0.1, 0.2):
        for epochs in (1, 10):
            for seed in (0, 1):
                name = f"r{rate}-{epochs}-{seed}"
                metrics = {ACCURACY: epochs / 100 + seed / 10, "image/simclr/loss": 2.5}
                own = [claim | {"holds": seed == 0}]
                make_run(name, metrics, claims=own, NUM_EPOCHS=epochs, LEARNING_RATE=rate, SEED=seed, ENCODER=HOSTILE)
                entries.append({"folder": name, "values": {}, "status": "ok", "seconds": 61.0, "error": None})
    make_run("bad", status="failed", error=HOSTILE, NUM_EPOCHS=1, LEARNING_RATE=0.3, ENCODER=HOSTILE)
    entries.append({"folder": "bad", "values": {}, "status": "failed", "seconds": 61.0, "error": HOSTILE})
    entries.append({"folder": "gone", "values": {}, "status": "stopped", "seconds": 0.0, "error": "stopped by Ctrl-C"})
    write_manifest(tmp_path / "sweep", make_manifest("sweep", "laptop", ["05_x"], {}, entries))
    return tmp_path / "sweep"


def test_seeds_are_a_mean_and_a_spread(sweep):
    comparison = compare([f"{sweep}/"])
    assert comparison.differing == ["NUM_EPOCHS", "LEARNING_RATE"]
    assert comparison.common == {"ENCODER": HOSTILE}
    assert len(comparison.runs) == 10
    assert [group.parameters for group in comparison.groups] == [
        {"NUM_EPOCHS": epochs, "LEARNING_RATE": rate} for rate in (0.1, 0.2) for epochs in (1, 10)
    ]
    measured = comparison.groups[1].metrics[ACCURACY]
    assert measured.mean == pytest.approx(0.15)
    assert measured.spread == pytest.approx(0.1 / 2**0.5)
    assert measured.count == 2
    assert show_measured(measured) == "0.150 ± 0.071"
    assert [run.name for run in comparison.runs if not run.is_good] == ["bad", "gone"]
    assert comparison.runs[-1].error == "sweep: stopped by Ctrl-C"


def test_one_run_keeps_the_spread_that_it_measured_itself(make_run):
    word = make_run("a", {ACCURACY: 0.5, f"{ACCURACY}_sd": 0.01})
    [group] = compare([word]).groups
    assert set(group.metrics) == {ACCURACY}
    assert show_measured(group.metrics[ACCURACY]) == "0.500 ± 0.010"


def test_runs_compared_by_themselves_stay_apart_even_if_only_the_seed_differs(make_run):
    words = [make_run("a", {ACCURACY: 0.5}, SEED=1), make_run("b", {ACCURACY: 0.75}, SEED=2)]
    assert len(compare(words).groups) == 1
    comparison = compare([*words, words[0]], apart=True)
    assert comparison.differing == ["SEED"]
    assert [group.runs[0].name for group in comparison.groups] == ["a", "b"]


def test_what_two_notebooks_have_for_unlike_values_says_whose_it_is_in_every_run(make_run):
    second = {"name": "06_y", "status": "ok", "seconds": 1.0, "claims": [], "error": None}
    more = [{**second, "parameters": {"N": 2}, "metrics": {ACCURACY: 0.7}}]
    unlike = make_run("a", {ACCURACY: 0.5}, N=1, more=more)
    alike = make_run("b", {ACCURACY: 0.7}, N=2, more=more)
    comparison = compare([unlike, alike])
    assert comparison.differing == ["N (05_x)"]
    assert comparison.common == {"N (06_y)": 2}
    assert comparison.metrics == [f"{ACCURACY} (05_x)", f"{ACCURACY} (06_y)"]


def test_a_parameter_that_only_one_run_has_differs(make_run):
    comparison = compare([make_run("a", N=1), make_run("b")])
    assert [group.parameters for group in comparison.groups] == [{"N": 1}, {"N": None}]


def test_curves_are_over_numbers_one_for_each_set_of_the_others(sweep):
    comparison = compare([f"{sweep}/"])
    points, is_mean = curve_points(comparison, "NUM_EPOCHS", ACCURACY)
    assert not is_mean
    assert set(points) == {"LEARNING_RATE 0.1", "LEARNING_RATE 0.2"}
    assert [x for x, _, _ in points["LEARNING_RATE 0.1"]] == [1.0, 10.0]
    assert points["LEARNING_RATE 0.1"][1][1:] == (pytest.approx(0.15), pytest.approx(0.1 / 2**0.5))


def test_text_has_no_curve_and_too_many_curves_become_their_mean(make_run):
    words = [make_run(f"{n}{name}", {ACCURACY: n / 10}, N=n, LOSS=name) for n in (1, 2) for name in "abcdefghij"]
    comparison = compare(words)
    assert curve_points(comparison, "LOSS", ACCURACY) == ({}, False)
    points, is_mean = curve_points(comparison, "N", ACCURACY)
    assert is_mean
    assert len("abcdefghij") > MOST_CURVES
    assert points == {
        ACCURACY: [(1.0, pytest.approx(0.1), pytest.approx(0)), (2.0, pytest.approx(0.2), pytest.approx(0))]
    }


@pytest.fixture
def page(sweep):
    path = write_comparison(compare([f"{sweep}/"]), sweep, HOSTILE)
    assert path == sweep / "comparison.html"
    return Page(path.read_text(encoding="utf-8"))


def test_nothing_that_a_run_says_becomes_markup(page):
    assert page.open == []
    assert len(page.attributes("script")) == 1, "our own, which sorts"
    assert "".join(page.words).count(HOSTILE) >= 6
    assert {key for _, attributes in page.elements for key in attributes if key.startswith("on")} == set()


def test_nothing_is_loaded_from_elsewhere_nor_could_be(page):
    policy = next(item["content"] for item in page.attributes("meta") if "http-equiv" in item)
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert page.attributes("link") == []
    assert len(page.attributes("img")) == 2
    for image in page.attributes("img"):
        kind, _, data = image["src"].partition(",")
        assert kind == "data:image/svg+xml;base64"
        assert b"<script" not in base64.b64decode(data)
    links = {item["href"] for item in page.attributes("a")}
    assert "r0.1-1-0/05_x.ipynb" in links
    assert all(not link.startswith(("/", "http", "..")) for link in links)


def test_the_page_has_means_curves_claims_failures_and_environment(page):
    text = " ".join(page.words)
    for words in ("0.150 ± 0.071", "4 of 8", "✗ failed", "– stopped", "8 of 10", "NUM_EPOCHS", "1:01", "3.11"):
        assert words in text


def test_csv_and_json_hold_the_same(sweep):
    comparison = compare([f"{sweep}/"])
    write_comparison(comparison, sweep, "x")
    rows = list(csv.DictReader(io.StringIO((sweep / "comparison.csv").read_text())))
    assert [row["run"] for row in rows] == [run.name for run in comparison.runs]
    assert (rows[3]["NUM_EPOCHS"], rows[3]["SEED"], float(rows[3][ACCURACY])) == ("10", "1", 0.2)
    content = json.loads((sweep / "comparison.json").read_text(), parse_constant=pytest.fail)
    assert content["groups"][1]["metrics"][ACCURACY]["mean"] == pytest.approx(0.15)
    assert content["groups"][1]["runs"] == ["r0.1-10-0", "r0.1-10-1"]
    assert content["runs"][-1]["status"] == "stopped"


@pytest.mark.parametrize("word", ["=1+1", "+x", "-x", "@x", "\tx"])
def test_no_cell_is_a_formula(make_run, word):
    text = make_csv(compare([make_run("a", ENCODER=word)]))
    [row] = csv.DictReader(io.StringIO(text))
    assert row["ENCODER"] == f"'{word}"


def test_numbers_and_lists_stay_what_they_are(make_run):
    [row] = csv.DictReader(io.StringIO(make_csv(compare([make_run("a", A=-1, B=[1, 2], C=True)]))))
    assert (row["A"], row["B"], row["C"]) == ("-1", "[1, 2]", "true")


def test_where_the_files_go(sweep, tmp_path):
    assert comparison_folder([f"{sweep}/"]) == sweep
    assert comparison_folder([f"{sweep}/"], f"{tmp_path}/x") == tmp_path / "x"
    assert comparison_folder([f"{sweep}/bad", "laptop"]).parts[-3:] == ("runs", "compared", "bad-and-laptop")


def test_nothing_to_compare_is_one_sentence(tmp_path):
    with pytest.raises(CourseError, match="there is no run in"):
        compare([f"{tmp_path}/gone"])


def test_a_table_for_two_says_the_difference(make_run):
    words = [make_run("a", {ACCURACY: 0.5}, N=1), make_run("b", {ACCURACY: 0.25}, N=2)]
    table = comparison_table(compare(words, apart=True))
    assert [str(cell) for cell in table.columns[-1].cells] == ["", "−0.250"]


def test_the_commands(sweep, capsys):
    for words in (
        ["report", f"{sweep}/"],
        ["compare", f"{sweep}/r0.1-1-0", f"{sweep}/r0.1-10-1"],
        ["compare", f"{sweep}/"],
    ):
        with pytest.raises(SystemExit) as stopped:
            cli.main(words)
        assert not stopped.value.code
    out = capsys.readouterr().out
    assert str(sweep / "comparison.html") in out
    assert "difference" in out
    assert "gone: stopped" in out
