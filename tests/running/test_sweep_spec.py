"""What a sweep's author may write, and that nothing wrong gets past the door."""

import json
import subprocess
import sys

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from course_utils import cli
from course_utils.errors import CourseError, SettingsError
from course_utils.running.strict_yaml import parse_yaml
from course_utils.running.sweeps import runner
from course_utils.running.sweeps.plan import LONGEST_NAME, make_sweep_plan
from course_utils.running.sweeps.spec import MOST_RUNS, read_spec


def plan(text, tmp_path):
    """Return the checked plan of a spec, as `course sweep` makes it."""
    path = tmp_path / "warm.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return make_sweep_plan(read_spec(path), f"{tmp_path}/out")


@pytest.fixture
def notebook(make_notebook):
    return str(make_notebook("05_x"))


def test_a_grid_is_every_combination_and_each_seed(notebook, tmp_path):
    text = f"notebook: {notebook}\ngrid: {{NUM_EPOCHS: [1, 2], LEARNING_RATE: [1e-2, 0.5]}}\nseeds: [3, 4]"
    made = plan(text, tmp_path)
    values = [tuple(run.values.values()) for run in made.runs]
    assert values == [(epochs, rate, seed) for epochs in (1, 2) for rate in (0.01, 0.5) for seed in (3, 4)]
    first = made.runs[0]
    assert first.plan.run_dir == tmp_path / "out" / first.name
    assert first.name.startswith("num_epochs-1_learning_rate-0.01_seed-3_")
    expected = {"NUM_EPOCHS": 1, "LEARNING_RATE": 0.01, "SEED": 3, "RUN_DIR": str(first.plan.run_dir)}
    assert first.plan.jobs[0].parameters == expected
    assert not (tmp_path / "out").exists()


def test_a_list_is_each_item_by_itself_with_what_all_have_in_common(notebook, tmp_path):
    text = f"""
notebook: [{notebook}]
parameters: {{LEARNING_RATE: 0.5}}
list:
  - {{NUM_EPOCHS: 1, SEED: 7}}
  - {{NUM_EPOCHS: 9, SEED: 8}}
"""
    parameters = [run.plan.jobs[0].parameters for run in plan(text, tmp_path).runs]
    assert [(item["NUM_EPOCHS"], item["SEED"], item["LEARNING_RATE"]) for item in parameters] == [
        (1, 7, 0.5),
        (9, 8, 0.5),
    ]


def test_the_courses_own_notebooks_go_by_number_and_several_go_together(tmp_path):
    text = "notebook: [05, 06]\nprofile: smoke\ngrid: {TEMPERATURE: [0.1, 0.2]}"
    made = plan(text, tmp_path)
    assert [notebook.name for notebook in made.notebooks] == ["05_simclr", "06_linear_evaluation"]
    simclr, evaluation = made.runs[1].plan.jobs
    assert (simclr.parameters["TEMPERATURE"], simclr.parameters["NUM_EPOCHS"]) == (0.2, 2)
    assert "TEMPERATURE" not in evaluation.parameters


def test_another_value_for_all_is_another_folder_and_new_values_keep_the_old_ones(notebook, tmp_path):
    def names(text):
        return [run.name for run in plan(f"notebook: {notebook}\n{text}", tmp_path).runs]

    first = names("grid: {NUM_EPOCHS: [1, 2]}")
    assert names("grid: {NUM_EPOCHS: [0x1, 2, 3]}")[:2] == first
    assert set(names("grid: {NUM_EPOCHS: [1, 2]}\nparameters: {LEARNING_RATE: 0.7}")).isdisjoint(first)


@pytest.mark.parametrize("value", ["../../etc", "a/b", "..", "x" * 500, "ümlaut", "$(id)", "-", " ", "\n"])
def test_a_value_can_not_lead_out_of_the_sweeps_folder(make_notebook, tmp_path, value):
    path = make_notebook("05_x", parameters='DATASET_NAME = "a"\nSEED = 0\nRUN_DIR = "x"\n')
    made = plan(yaml.safe_dump({"notebook": str(path), "grid": {"DATASET_NAME": [value, "b"]}}), tmp_path)
    for run in made.runs:
        assert run.plan.run_dir.parent == tmp_path / "out"
        assert len(run.name) < LONGEST_NAME + 15
        assert run.name.isascii()


GOOD = "notebook: {notebook}\n"
SIMCLR = "notebook: 05\nprofile: smoke\n"
MALFORMED = {
    "empty": "",
    "a word": "sweep",
    "a list": "- notebook: 05",
    "not YAML": "notebook: [05",
    "a tab": "notebook:\t05\n\tgrid: {}",
    "not text": b"\xff\xfe\x00notebook",
    "a key twice": GOOD + "seeds: [0]\nseeds: [1]",
    "a parameter twice": GOOD + "grid: {NUM_EPOCHS: [1], NUM_EPOCHS: [2]}",
    "no notebook": "seeds: [0, 1]",
    "an unknown notebook": "notebook: 99\nseeds: [0]",
    "a notebook that is no file": "notebook: gone.ipynb\nseeds: [0]",
    "a notebook that is a mapping": "notebook: {a: 1}\nseeds: [0]",
    "no notebooks": "notebook: []\nseeds: [0]",
    "a notebook that is true": "notebook: true\nseeds: [0]",
    "nothing to sweep": GOOD,
    "an empty grid": GOOD + "grid: {}",
    "an empty axis": GOOD + "grid: {NUM_EPOCHS: []}",
    "an axis that is a number": GOOD + "grid: {NUM_EPOCHS: 3}",
    "an axis that is text": GOOD + "grid: {NUM_EPOCHS: '123'}",
    "a grid that is a list": GOOD + "grid: [1, 2]",
    "grid and list": GOOD + "grid: {NUM_EPOCHS: [1]}\nlist: [{NUM_EPOCHS: 1}]",
    "a list of numbers": GOOD + "list: [1, 2]",
    "an uneven list": GOOD + "list: [{NUM_EPOCHS: 1}, {LEARNING_RATE: 1}]",
    "an unknown entry": GOOD + "seed: [0, 1]",
    "seeds that is a number": GOOD + "seeds: 3",
    "no seeds": GOOD + "seeds: []",
    "a seed twice": GOOD + "seeds: [1, 1]",
    "a negative seed": GOOD + "seeds: [-1]",
    "a fractional seed": GOOD + "seeds: [0.5]",
    "seeds and SEED": GOOD + "seeds: [0]\ngrid: {SEED: [1]}",
    "seeds and a fixed SEED": GOOD + "seeds: [0]\nparameters: {SEED: 1}",
    "fixed and swept": GOOD + "grid: {NUM_EPOCHS: [1]}\nparameters: {NUM_EPOCHS: 2}",
    "RUN_DIR": GOOD + "grid: {RUN_DIR: [a, b]}",
    "an unknown parameter": GOOD + "grid: {NUM_EPOCH: [1]}",
    "an unknown fixed parameter": GOOD + "seeds: [0]\nparameters: {num_epochs: 1}",
    "a wrong type": GOOD + "grid: {NUM_EPOCHS: [1, two]}",
    "true for a number": GOOD + "grid: {NUM_EPOCHS: [1, true]}",
    "a number in quotes": GOOD + "grid: {NUM_EPOCHS: ['1']}",
    "nothing for a number": GOOD + "grid: {NUM_EPOCHS: [1, ]}\nseeds: [~]",
    "not a number": GOOD + "grid: {LEARNING_RATE: [.nan]}",
    "infinite": GOOD + "grid: {LEARNING_RATE: [.inf]}",
    "a date": GOOD + "grid: {NUM_EPOCHS: [2020-01-01]}",
    "a set": GOOD + "grid: {NUM_EPOCHS: !!set {1, 2}}",
    "Python": GOOD + "grid: {NUM_EPOCHS: [!!python/object/apply:os.system [id]]}",
    "bytes": GOOD + "parameters: {NUM_EPOCHS: !!binary aGk=}\nseeds: [0]",
    "the same run twice": GOOD + "grid: {NUM_EPOCHS: [1, 2, 1]}",
    "the same number twice": GOOD + "grid: {LEARNING_RATE: [1, 1.0]}",
    "the same item twice": GOOD + "list: [{NUM_EPOCHS: 1}, {NUM_EPOCHS: 1}]",
    "too many runs": GOOD + f"grid: {{NUM_EPOCHS: {list(range(1, 102))}, SEED: {list(range(100))}}}",
    "an unknown profile": GOOD + "profile: big\nseeds: [0]",
    "a profile that is a number": GOOD + "profile: 3\nseeds: [0]",
    "an empty name": GOOD + "name: ''\nseeds: [0]",
    "a name that is a number": GOOD + "name: 3\nseeds: [0]",
    "a key that is a number": GOOD + "grid: {3: [1]}",
    "a key that is a list": GOOD + "grid: {[1]: [1]}",
    "an unknown alias": GOOD + "grid: *there",
    "a bomb": "a: &a [1,1,1,1,1,1,1,1]\n"
    + "".join(f"{y}: &{y} [{','.join([f'*{x}'] * 9)}]\n" for x, y in zip("abcdefgh", "bcdefghi", strict=True)),
    "itself": "notebook: &a [*a]",
    "a tower": "notebook: " + "[" * 600,
    "a large file": "# " + "x" * 1_000_001,
    "no truth": GOOD + "grid: {NUM_EPOCHS: [!!bool perhaps]}",
    "no number": GOOD + "grid: {NUM_EPOCHS: [!!int '']}",
    "a number of 65 bits": GOOD + "grid: {NUM_EPOCHS: [1, 0x10000000000000000]}",
    "a number too long to be written": GOOD + f"grid: {{NUM_EPOCHS: [1, 0x{'f' * 9000}]}}",
    "digits without end": GOOD + f"grid: {{NUM_EPOCHS: [{'9' * 5000}]}}",
    "a list for a number": GOOD + "grid: {NUM_EPOCHS: [[1, 2]]}",
    "a mapping for a number": GOOD + "parameters: {NUM_EPOCHS: {a: 1}}\nseeds: [0]",
    "zero": SIMCLR + "grid: {TEMPERATURE: [0.1, 0]}",
    "less than nothing": SIMCLR + "grid: {NUM_EPOCHS: [1, -1]}",
    "too many pixels": SIMCLR + "grid: {IMAGE_SIZE: [4096]}",
    "a batch larger than the data": SIMCLR + "grid: {BATCH_SIZE: [64, 1_000_000]}",
    "a word of none": SIMCLR + "grid: {LOSS: [dcl, hinge]}",
    "an unknown data set": SIMCLR + "grid: {DATASET: [cifar10-mini, cifar11]}",
    "data that are not there": SIMCLR + "grid: {DATASET: [/gone/images]}",
    "nobody's data": SIMCLR + "grid: {DATASET: [~nobody.at.all/images]}",
    "nobody's profile": GOOD + "profile: ~nobody.at.all/mine.yaml\nseeds: [0]",
    "a name too long for a file": GOOD + f"profile: {'x' * 300}.yaml\nseeds: [0]",
}


@pytest.fixture
def sweep(monkeypatch, capsys, tmp_path):
    """Return a function that gives a file to `course sweep` and returns what it says; none may get as far as to run."""

    def call(path):
        monkeypatch.setattr(runner, "run_sweep", lambda *words: pytest.fail("it would have run"))
        with pytest.raises(SystemExit) as ended:
            cli.main(["sweep", str(path), "--name", f"{tmp_path}/out"])
        said = capsys.readouterr()
        assert (ended.value.code, said.out) == (2, "")
        assert not (tmp_path / "out").exists()
        return said.err.splitlines()

    return call


@pytest.mark.parametrize("what", MALFORMED)
def test_what_is_wrong_is_refused_in_a_sentence_each_before_anything_is_written(notebook, tmp_path, sweep, what):
    text, path = MALFORMED[what], tmp_path / "warm.yaml"
    path.write_bytes(text.replace("{notebook}", notebook).encode() if isinstance(text, str) else text)
    told = sweep(path)
    assert 1 <= len(told) <= 3
    assert all(sentence.startswith("error: ") and 20 < len(sentence) < 400 for sentence in told)
    assert not any(word in " ".join(told) for word in ("Traceback", "pydantic", "Input should", "NoneType"))


def make_large(path):
    with path.open("wb") as file:
        file.truncate(100_000_000)


NO_SPECS = {
    "a missing file": (lambda path: None, "there is no file"),
    "a folder": (lambda path: path.mkdir(), "can't read"),
    "a file of 100 MB": (make_large, "is larger than 1 MB: is it the right file?"),
    "a picture": (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n"), "is not text in UTF-8: is it the right file?"),
    "a link to itself": (lambda path: path.symlink_to(path), "can't read"),
}


@pytest.mark.parametrize("what", NO_SPECS)
def test_what_is_no_spec_at_all_is_one_sentence(tmp_path, sweep, what):
    make, words = NO_SPECS[what]
    make(tmp_path / "warm.yaml")
    [told] = sweep(tmp_path / "warm.yaml")
    assert told.startswith("error: ")
    assert words in told


SENTENCES = {
    "an unknown entry": "warm.yaml has an entry seed that no sweep has: did you mean seeds?",
    "an unknown parameter": "05_x has no parameter NUM_EPOCH: did you mean NUM_EPOCHS?",
    "a wrong type": "05_x: NUM_EPOCHS must be a whole number, got 'two'",
    "a key twice": "has 'seeds' twice (line 3): leave one out",
    "the same number twice": "runs 1 and 2 of the sweep would be the same: leave one out",
    "too many runs": f"these are 10,100 runs: {MOST_RUNS:,} is the most for one sweep",
    "an axis that is a number": "warm.yaml: grid: NUM_EPOCHS must be a list, got 3",
    "seeds and SEED": "SEED is set by `seeds`: leave the other out",
    "no notebook": "warm.yaml needs a line `notebook: ...`",
}


@pytest.mark.parametrize(("what", "sentence"), SENTENCES.items())
def test_the_sentences_say_what_is_wrong_and_what_to_do(notebook, tmp_path, what, sentence):
    with pytest.raises(SettingsError) as refused:
        plan(MALFORMED[what].replace("{notebook}", notebook), tmp_path)
    assert sentence in str(refused.value)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.dates()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(["notebook", "grid", "list", "seeds", "parameters", "profile", "name"]) | st.text(max_size=9)
SPECS = st.dictionaries(KEYS, VALUES | st.dictionaries(st.sampled_from(["SEED", "NUM_EPOCHS"]), VALUES), max_size=6)


def problems_of(make, *arguments):
    """Return what `make` makes, and the sentences that refuse it."""
    try:
        return make(*arguments), []
    except CourseError as error:
        return None, str(error).splitlines()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spec=SPECS)
def test_whatever_is_written_there_it_is_a_sweep_or_sentences(spec, notebook, tmp_path):
    made, sentences = problems_of(lambda: make_sweep_plan(read_spec({"notebook": notebook, **spec}), f"{tmp_path}/out"))
    assert all(len(sentence) > 10 for sentence in sentences)
    assert made is None or all(isinstance(run.plan.jobs[0].parameters["SEED"], int) for run in made.runs)


WHOLE = """notebook: {notebook}
name: warm
profile: laptop
parameters: {LEARNING_RATE: 0.5}
grid:
  NUM_EPOCHS: [1, 0x2, 1_0]  # passes
seeds: [0, 1]
"""
SNIPPETS = ["\n", "  ", "\t", ": ", "- ", "[", "]", "{", "}", "&a ", "*a", "!!int ", "'", '"', "#", "|", ">"]
SLIPS = st.sampled_from(SNIPPETS) | st.text(max_size=3)
CHANGES = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 4), SLIPS), max_size=4)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES)
def test_a_good_spec_with_slips_of_the_hand_is_a_sweep_or_sentences(changes, notebook, tmp_path):
    text = WHOLE
    for place, length, snippet in changes:
        place %= len(text) + 1
        text = text[:place] + snippet + text[place + length :]
    content = text.replace("{notebook}", notebook).encode(errors="surrogatepass")
    made, sentences = problems_of(plan, content, tmp_path)
    assert (made is None) == bool(sentences)
    assert all(10 < len(sentence) < 1000 for sentence in sentences)
    assert not (tmp_path / "out").exists()


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=60) | st.text(alphabet="ab:-[]{}&*!#\n \"'|>?,%@01", max_size=40).map(str.encode))
def test_whatever_bytes_a_file_holds_it_is_read_or_refused_in_a_sentence(content):
    assert len(problems_of(parse_yaml, content)[1]) <= 1


@given(
    value=st.recursive(st.none() | st.booleans() | st.integers() | st.text("abc", max_size=5), st.lists, max_leaves=9)
)
def test_what_json_can_hold_is_read_as_it_is(value):
    assert parse_yaml(json.dumps(value).encode()) == value


def test_a_run_does_not_go_where_a_sweep_is_nor_a_sweep_where_a_run_is(notebook, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "summary.json").touch()
    with pytest.raises(SettingsError, match="holds the results of a run: choose another name for the sweep"):
        plan(f"notebook: {notebook}\nseeds: [0]", tmp_path)
    (tmp_path / "out" / "summary.json").rename(tmp_path / "out" / "thesis.txt")
    with pytest.raises(SettingsError, match="holds other things"):
        plan(f"notebook: {notebook}\nseeds: [0]", tmp_path)


def test_the_command_says_it_on_stderr_and_ends_with_2(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("notebook: 05\ngrid: {TEMPERATUR: [0.1]}\nseeds: [0, 0]")
    command = [sys.executable, "-m", "course_utils", "sweep", str(path), "--name", f"{tmp_path}/out"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "error: x.yaml: seeds must be a list of different seeds, got [0, 0]\n"
    assert [item.name for item in tmp_path.iterdir()] == ["x.yaml"]
