"""The command in one process: what it leaves, and that the notebooks find it."""

import pytest
import tiny
import torch
from safetensors.torch import load_file

from course_utils import cli
from course_utils.evaluation import extract_features
from course_utils.models.encoder_files import load_encoder, load_language_model
from course_utils.paths import notebooks_dir
from course_utils.pretraining.command import pretrain
from course_utils.pretraining.order import Order
from course_utils.running.notebooks import select
from course_utils.running.records import Record, load_record
from course_utils.running.summary import load_summary

SMALL_TEXTS = {"WIDTH": 32, "NUM_LAYERS": 1, "VOCAB_SIZE": 300, "NUM_STEPS": 6, "BATCH_SIZE": 8, "DEVICE": "cpu"}


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", "none")
    monkeypatch.setattr("course_utils.running.environment._commit", lambda: "")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return the folder of an undisturbed tiny run."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_PROGRESS", "none")
        assert pretrain(Order("simclr", tiny.PARAMETERS, name=str(folder))).exit_code == 0
    return folder


def test_notebook_06_finds_and_loads_the_encoder(finished):
    """By the very lines of its cell `06-06`."""
    [notebook] = select(["06"], notebooks_dir())
    [cell] = [source for source in notebook.code if "record.find_encoder(name)" in source]
    assert "load_encoder(path)" in cell
    path, origin = Record("06_linear_evaluation", finished, {}).find_encoder("simclr")
    encoder, made = load_encoder(path)
    assert origin == "this run"
    assert (made["task"], made["num_train_images"], made["dataset"]) == ("SimCLR", 100, "cifar10-mini")
    assert made["parameters"]["LEARNING_RATE"] == 1e-4
    features = extract_features(encoder, torch.zeros(2, 3, 32, 32, dtype=torch.uint8))
    assert features.shape == (2, encoder.feature_dim)


def test_the_record_is_a_notebooks(finished):
    record = load_record(finished, "05_simclr")
    assert record["status"] == "ok"
    assert record["encoders"] == ["encoders/simclr.safetensors"]
    assert (record["environment"]["processes"], record["environment"]["compiled"]) == (1, False)
    assert {"image/simclr/loss", "image/simclr/validation_accuracy"} <= record["metrics"].keys()
    [entry] = load_summary(finished)["notebooks"]
    assert (entry["name"], entry["metrics"]) == ("05_simclr", record["metrics"])
    assert (finished / "report.html").exists()
    assert not tiny.checkpoint(finished).exists(), "what is finished needs no checkpoint"


def test_another_encoder_is_another_identity(finished, tmp_path):
    """So that `course run 06` in the same folder evaluates it again."""
    again, other = tmp_path / "again", tmp_path / "other"
    pretrain(Order("simclr", tiny.PARAMETERS, name=str(again)))
    pretrain(Order("simclr", {**tiny.PARAMETERS, "SEED": 1}, name=str(other)))
    identities = [load_record(folder, "05_simclr")["identity"] for folder in (finished, again, other)]
    assert identities[0] == identities[1] != identities[2]


def test_rotations_are_learned_as_well(tmp_path):
    own = {name: tiny.PARAMETERS[name] for name in ("NUM_TRAIN_IMAGES", "VIEW_SIZES", "BATCH_SIZE", "DEVICE")}
    result = pretrain(Order("rotation", {**own, "NUM_EPOCHS": 1}, name=f"{tmp_path}/run"))
    assert result.exit_code == 0
    assert 0 <= result.metrics["image/rotation/pretext/test_accuracy"] <= 1
    _encoder, made = load_encoder(Record("06_linear_evaluation", tmp_path / "run", {}).find_encoder("rotation")[0])
    assert made["task"] == "rotations"


def test_words_are_learned_as_well(tmp_path):
    """And the next word with the vocabulary of the masked ones, from the same folder."""
    (tmp_path / "texts").mkdir()
    sentences = " ".join(f"The president of year {year} spoke to the people and to congress." for year in range(400))
    (tmp_path / "texts" / "all.txt").write_text("\n\n".join([sentences] * 6))
    values = {**SMALL_TEXTS, "CORPUS": str(tmp_path / "texts")}
    masked = pretrain(Order("masked_words", values, name=f"{tmp_path}/run"))
    own = {name: values[name] for name in ("CORPUS", "NUM_STEPS", "BATCH_SIZE", "DEVICE")}
    following = pretrain(Order("next_word", own, name=f"{tmp_path}/run"))
    assert masked.metrics["text/masked_words/loss"] > 0
    assert following.metrics["text/next_word/perplexity"] > 1
    model, _pieces, made = load_language_model(tmp_path / "run" / "encoders" / "next_word.safetensors")
    assert made["task"] == "next word"
    assert model.encoder.shape.causal
    assert [entry["name"] for entry in load_summary(tmp_path / "run")["notebooks"]] == [
        "04_masked_words",
        "07_next_word",
    ]


def test_ctrl_c_saves_and_the_same_command_goes_on(finished, tmp_path, monkeypatch):
    import course_utils.training as training

    folder, steps = tmp_path / "run", 0
    asked = training._Saving.look

    def interrupted(self):
        nonlocal steps
        steps += 1
        if steps == 20:
            import os
            import signal

            os.kill(os.getpid(), signal.SIGINT)
        asked(self)

    monkeypatch.setattr(training._Saving, "look", interrupted)
    result = pretrain(Order("simclr", tiny.PARAMETERS, name=str(folder)))
    assert result.exit_code == 130
    assert result.words.startswith("stopped by Ctrl-C after step 20, which is saved: the same command goes on")
    assert tiny.saved_step(folder) == 20
    monkeypatch.undo()
    assert pretrain(Order("simclr", tiny.PARAMETERS, name=str(folder))).exit_code == 0
    whole, resumed = (load_file(path / "encoders" / "simclr.safetensors") for path in (finished, folder))
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["-p", "BATCH_SIZE", "9", "--devices", "2"], "must be a multiple of their number, 2, got 9: 8 would do"),
        (["-p", "NUM_EPOCH", "3"], "05_simclr has no parameter NUM_EPOCH: did you mean NUM_EPOCHS?"),
        (["-p", "BATCH_SIZE", "ten"], "05_simclr: BATCH_SIZE must be a whole number, got 'ten'"),
        (["--nodes", "2"], "--nodes 2 needs MASTER_ADDR, MASTER_PORT, NODE_RANK in the environment"),
    ],
)
def test_wrong_use_is_one_sentence(capsys, monkeypatch, tmp_path, words, sentence):
    for name in ("MASTER_ADDR", "MASTER_PORT", "NODE_RANK"):
        monkeypatch.delenv(name, raising=False)  # fabric leaves some of them
    with pytest.raises(SystemExit) as stopped:
        cli.main(["pretrain", "simclr", "--name", str(tmp_path / "run"), *words])
    said = capsys.readouterr()
    assert stopped.value.code == 2
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert sentence in said.err
    assert said.err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_help_has_examples(capsys):
    with pytest.raises(SystemExit):
        cli.main(["pretrain", "--help"])
    assert "course pretrain simclr --profile smoke" in capsys.readouterr().out
