import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import NAME, SAMPLE, SampleSettings

from course_utils.errors import SettingsError
from course_utils.paths import notebooks_dir
from course_utils.running.notebooks import select
from course_utils.running.settings import SETTINGS, read_settings, settings_like, validate


def complaint(**changes):
    with pytest.raises(SettingsError) as caught:
        validate(NAME, {**SAMPLE, **changes}, SampleSettings)
    return str(caught.value)


def test_parameters_become_fields_and_come_back():
    settings = validate(NAME, SAMPLE, SampleSettings)
    assert settings.num_epochs == 18
    assert settings.parameters() == SAMPLE


def test_a_whole_number_is_a_number():
    assert validate(NAME, {**SAMPLE, "LEARNING_RATE": 1}, SampleSettings).learning_rate == 1.0


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("NUM_EPOCHS", -1, "05_simclr: NUM_EPOCHS must be at least 1, got -1"),
        ("NUM_EPOCHS", "ten", "05_simclr: NUM_EPOCHS must be a whole number, got 'ten'"),
        ("NUM_EPOCHS", "12", "05_simclr: NUM_EPOCHS must be a whole number, got '12'"),
        ("NUM_EPOCHS", True, "05_simclr: NUM_EPOCHS must be a whole number, got True"),
        ("NUM_EPOCHS", 2.0, "05_simclr: NUM_EPOCHS must be a whole number, got 2.0"),
        ("NUM_EPOCHS", None, "05_simclr: NUM_EPOCHS must be a whole number, got None"),
        ("BATCH_SIZE", 1, "05_simclr: BATCH_SIZE must be at least 2, got 1"),
        ("LEARNING_RATE", 0, "05_simclr: LEARNING_RATE must be greater than 0, got 0"),
        ("LEARNING_RATE", math.nan, "05_simclr: LEARNING_RATE must be a finite number, got nan"),
        ("LEARNING_RATE", math.inf, "05_simclr: LEARNING_RATE must be a finite number, got inf"),
        ("TEMPERATURE", True, "05_simclr: TEMPERATURE must be a number, got True"),
        ("GRAY_PROB", 1.5, "05_simclr: GRAY_PROB must be at most 1, got 1.5"),
        ("LOSS", "ntxent", "05_simclr: LOSS must be 'dcl' or 'nt_xent', got 'ntxent'"),
        ("DATASET", 3, "05_simclr: DATASET must be text in quotes, got 3"),
        ("DATASET", "", "05_simclr: DATASET must be text that is not empty, got ''"),
        (
            "DEVICE",
            "gpu",
            "05_simclr: DEVICE must be 'auto', 'cpu', 'cuda', 'cuda:0' (or another number) or 'mps', got 'gpu'",
        ),
    ],
)
def test_a_wrong_value_gets_one_plain_sentence(name, value, sentence):
    assert complaint(**{name: value}) == sentence


WORDS = "04_masked_words"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("MASK_RATE", 0, "MASK_RATE must be greater than 0, got 0"),
        ("WIDTH", 100, "WIDTH must be a multiple of 32, got 100"),
        ("VOCAB_SIZE", 5, "VOCAB_SIZE must be at least 100, got 5"),
        ("BLOCK_LENGTH", 3, "BLOCK_LENGTH must be at least 8, got 3"),
        ("RANDOM_SHARE", 0.3, "RANDOM_SHARE must be at most 0.2, what MASK_SHARE leaves of 1, got 0.3"),
        ("MASK_SHARE", 1.0, "RANDOM_SHARE must be at most 0, what MASK_SHARE leaves of 1, got 0.1"),
        ("NUM_STEPS", 0, "NUM_STEPS must be at least 1, got 0"),
        ("NUM_TWIN_STEPS", -1, "NUM_TWIN_STEPS must be at least 0, got -1"),
        ("NUM_TUNING_STEPS", -1, "NUM_TUNING_STEPS must be at least 0, got -1"),
        ("FINDING", "../x", "FINDING must be a name of letters, digits, - and _, got '../x'"),
        ("CORPUS", "", "CORPUS must be text that is not empty, got ''"),
        (
            "SENTENCE",
            "no blank",
            "SENTENCE must be a sentence with [MASK] where a word is to be guessed, got 'no blank'",
        ),
    ],
)
def test_a_wrong_value_for_masked_words_gets_one_plain_sentence(name, value, sentence):
    [notebook] = select(["04"], notebooks_dir())
    with pytest.raises(SettingsError) as caught:
        validate(WORDS, {**notebook.defaults(), name: value})
    assert str(caught.value) == f"{WORDS}: {sentence}"


def test_what_a_sweep_of_masked_words_leaves_out_may_be_left_out():
    [notebook] = select(["04"], notebooks_dir())
    without = {"NUM_TWIN_STEPS": 0, "NUM_TUNING_STEPS": 0, "FINDING": ""}
    assert validate(WORDS, {**notebook.defaults(), **without}).parameters().items() >= without.items()
    shares = {"MASK_SHARE": 0.7, "RANDOM_SHARE": 0.3}  # 1 − 0.7 is a little less than 0.3 in floating point
    assert validate(WORDS, {**notebook.defaults(), **shares}).parameters().items() >= shares.items()


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:3", "mps"])
def test_known_devices(device):
    assert validate(NAME, {**SAMPLE, "DEVICE": device}, SampleSettings).device == device


@pytest.mark.parametrize(
    ("seeds", "words"),
    [
        ([], "SEEDS must be a list that is not empty"),
        ([0, 0], "SEEDS must be a list of different seeds"),
        ([0, -1], "each of SEEDS must be at least 0, got -1"),
        ([0, "1"], "each of SEEDS must be a whole number, got '1'"),
        ("0, 1", "SEEDS must be a list"),
        (3, "SEEDS must be a list, got 3"),
    ],
)
def test_wrong_seeds(seeds, words):
    assert words in complaint(SEEDS=seeds)


def test_a_misspelt_name_gets_a_suggestion():
    assert complaint(NUM_EPOCH=3) == "05_simclr has no parameter NUM_EPOCH: did you mean NUM_EPOCHS?"


def test_a_name_that_is_like_no_other_gets_the_list():
    assert complaint(QUUX=3).startswith("05_simclr has no parameter QUUX: it has SEED, RUN_DIR, DATASET")


def test_the_british_spelling_is_understood():
    assert complaint(COLOUR_STRENGTH=0.5).endswith("did you mean COLOR_STRENGTH?")


def test_each_problem_has_its_own_line():
    assert len(complaint(NUM_EPOCHS=0, LOSS="l2", QUUX=1).splitlines()) == 3


def test_a_missing_parameter_is_named():
    with pytest.raises(SettingsError, match="05_simclr needs a value for SEED: set it in the cell tagged"):
        validate(NAME, {name: value for name, value in SAMPLE.items() if name != "SEED"}, SampleSettings)


def test_a_long_value_is_cut():
    assert len(complaint(LOSS="x" * 500)) < 200


def test_every_course_notebook_has_seed_and_run_dir_and_no_default_values():
    for kind in SETTINGS.values():
        assert {"SEED", "RUN_DIR"} <= set(kind.parameter_names())
        assert all(field.is_required() for field in kind.model_fields.values())


@given(
    name=st.sampled_from(sorted(SAMPLE)),
    value=st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.integers(), max_size=3)
    ),
)
def test_any_value_is_taken_as_it_is_or_refused_in_a_sentence_that_names_it(name, value):
    told = ""
    try:
        assert validate(NAME, {**SAMPLE, name: value}, SampleSettings).parameters()[name] == value
    except SettingsError as error:
        told = str(error)
    sentences = (f"05_simclr: {name} must be ", f"05_simclr: each of {name} must be ")
    assert all(line.startswith(sentences) for line in told.splitlines())


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 16**9999], ids=["64", "-64", "long"])
@pytest.mark.parametrize("name", ["NUM_EPOCHS", "SEEDS"])
def test_no_number_is_larger_than_what_others_can_read(name, number):
    value = [0, number] if name == "SEEDS" else number
    with pytest.raises(SettingsError, match=f"05_simclr: {name} must be a number of at most 64 bits, got") as told:
        validate(NAME, {**SAMPLE, name: value}, SampleSettings)
    assert len(str(told.value)) < 200


def test_running_notebooks_variables_become_settings(sample_settings):
    namespace = {**SAMPLE, "torch": object(), "helper": 3, "PALETTE": ["red"], "_": 1}
    assert read_settings(NAME, namespace) == validate(NAME, SAMPLE, SampleSettings)


def test_a_misspelt_parameter_that_papermill_let_through_is_refused(sample_settings):
    with pytest.raises(SettingsError, match="no parameter NUM_EPOCH: did you mean NUM_EPOCHS"):
        read_settings(NAME, {**SAMPLE, "NUM_EPOCH": 1})


def test_an_unknown_notebook_is_refused():
    with pytest.raises(SettingsError, match="no settings for a notebook '99_x'"):
        read_settings("99_x", SAMPLE)


def test_settings_of_other_notebooks_take_the_types_of_their_own_values():
    kind = settings_like({"SEED": 0, "RUN_DIR": "runs/x", "WIDTH": 3, "SHARE": 0.5, "NAMES": ["a"], "LOUD": False})
    good = {"SEED": 1, "RUN_DIR": "runs/y", "WIDTH": 4, "SHARE": 1, "NAMES": [], "LOUD": True}
    assert validate("own", good, kind).parameters() == good
    with pytest.raises(SettingsError, match="own: WIDTH must be a whole number, got 'wide'"):
        validate("own", {**good, "WIDTH": "wide"}, kind)
