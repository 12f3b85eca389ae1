"""Encoders survive a file; damaged files are named."""

import json

import pytest
import torch

from course_utils.errors import DataError
from course_utils.models.encoder_files import load_encoder, save_encoder
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
