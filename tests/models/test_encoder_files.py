"""Encoders survive a file; damaged files are named."""

import json

import pytest
import torch

from course_utils.data.tokenization import train_tokenizer
from course_utils.errors import DataError
from course_utils.models.encoder_files import load_encoder, load_language_model, save_encoder, save_language_model
from course_utils.models.language import CARELESS, LanguageShape, build_language_model
from course_utils.models.vision import build_encoder


@pytest.fixture
def saved(tmp_path):
    encoder = build_encoder("compact", [0.5, 0.4, 0.3], [0.2, 0.2, 0.2])
    encoder(torch.rand(8, 3, 32, 32))  # moves the batch norms' running statistics
    path = tmp_path / "deep" / "encoder.safetensors"
    save_encoder(path, encoder, {"encoder": "compact", "task": "test"})
    return encoder, path


def test_round_trip_is_exact(saved):
    encoder, path = saved
    loaded, info = load_encoder(path)
    assert info == {"encoder": "compact", "task": "test"}
    assert not loaded.training
    for name, tensor in encoder.state_dict().items():
        assert torch.equal(tensor, loaded.state_dict()[name]), name
    images = torch.rand(3, 3, 32, 32)
    assert torch.equal(encoder.eval()(images), loaded(images))


def test_no_temporary_files_stay(saved):
    _, path = saved
    assert sorted(p.name for p in path.parent.iterdir()) == ["encoder.json", "encoder.safetensors"]


def test_missing_file(tmp_path):
    with pytest.raises(DataError, match=r"no encoder at .*: run the notebook that trains it"):
        load_encoder(tmp_path / "absent.safetensors")


def test_a_missing_file_of_those_that_ship_is_not_to_be_trained_anew(tmp_path, monkeypatch):
    monkeypatch.setattr("course_utils.models.encoder_files.shipped_encoders_dir", lambda: tmp_path)
    with pytest.raises(DataError, match=r"no encoder at .*simclr\.json: (get it back with `git|unpack the course)"):
        load_encoder(tmp_path / "simclr.safetensors")
    with pytest.raises(DataError, match="run the notebook that trains it"):
        load_encoder(tmp_path / "next_word.safetensors")


@pytest.mark.parametrize("harm", ["cut", "no_json", "not_json", "other_encoder", "no_name"])
def test_damage_is_named(saved, harm):
    _, path = saved
    description = path.with_suffix(".json")
    if harm == "cut":
        path.write_bytes(path.read_bytes()[:5000])
    elif harm == "no_json":
        description.unlink()
    elif harm == "not_json":
        description.write_text("{")
    elif harm == "other_encoder":
        description.write_text(json.dumps({"encoder": "resnet18"}))
    else:
        description.write_text("{}")
    with pytest.raises(DataError, match="run the notebook that trains it"):
        load_encoder(path)


@pytest.fixture(params=[{}, CARELESS], ids=["ours", "careless"])
def saved_words(tmp_path, request):
    pieces = train_tokenizer(["the senate of the united states"] * 3, 40)
    shape = LanguageShape(len(pieces), max_tokens=12, width=16, head_dim=8, **request.param)
    model = build_language_model(shape)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter))
    path = tmp_path / "deep" / "words.safetensors"
    save_language_model(path, model, pieces, {"task": "test"})
    return model, pieces, path


def test_a_network_for_texts_comes_back_with_its_vocabulary(saved_words):
    model, pieces, path = saved_words
    loaded, loaded_pieces, info = load_language_model(path)
    assert sorted(p.name for p in path.parent.iterdir()) == ["words.json", "words.safetensors"]
    assert (info["task"], info["encoder"], info["shape"]["width"]) == ("test", "transformer", 16)
    assert "tokenizer" not in info, "what is known about it can be printed"
    assert loaded_pieces.tokens == pieces.tokens
    assert not loaded.training
    tokens = torch.tensor([pieces.encode(["the senate of the states"])[0]])
    everywhere = torch.ones_like(tokens, dtype=torch.bool)
    assert torch.equal(loaded(tokens, everywhere), model.eval()(tokens, everywhere))
    tied = loaded.predict.weight is loaded.encoder.embed.weight
    assert tied == model.encoder.shape.tied_output


@pytest.mark.parametrize("harm", ["cut", "no_json", "not_json", "no_tokenizer", "other_shape", "image_encoder"])
def test_damage_to_a_network_for_texts_is_named(saved_words, harm):
    _, _, path = saved_words
    description = path.with_suffix(".json")
    info = json.loads(description.read_text())
    if harm == "cut":
        path.write_bytes(path.read_bytes()[:2000])
    elif harm == "no_json":
        description.unlink()
    elif harm == "not_json":
        description.write_text("{")
    elif harm == "no_tokenizer":
        description.write_text(json.dumps({**info, "tokenizer": {}}))
    elif harm == "other_shape":
        description.write_text(json.dumps({**info, "shape": {**info["shape"], "width": 24}}))
    else:
        description.write_text(json.dumps({"encoder": "compact"}))
    with pytest.raises(DataError, match="run the notebook that trains it"):
        load_language_model(path)


def test_a_vocabulary_of_another_size_is_not_saved(saved_words):
    model, _, path = saved_words
    other = train_tokenizer(["peace and war"] * 3, 25)
    with pytest.raises(ValueError, match=r"the network knows \d+ tokens, but the vocabulary has 25"):
        save_language_model(path, model, other, {})
