"""Encoders in files: weights as safetensors, and beside them in JSON what trained them, on what and how.

A network for texts is of no use without its vocabulary, so the JSON file holds that too.
"""

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from course_utils.data.shipped import how_to_mend
from course_utils.data.tokenization import WordPieces
from course_utils.errors import DataError
from course_utils.models.language import LanguageShape, MaskedLanguageModel, build_language_model, describe_shape
from course_utils.models.vision import Encoder, build_encoder
from course_utils.paths import replacing, shipped_encoders_dir, write_text

TRANSFORMER = "transformer"
SHIPPED = ("masked_words", "rotation", "simclr", "supervised")
"""Names of the encoders that come with the course, in data/encoders/."""


def save_encoder(path: Path, encoder: Encoder, info: dict[str, Any]) -> None:
    """Write the encoder's weights to `path` and `info` beside them, as `path` with .json.

    Args:
        path: ends in .safetensors.
        encoder: as `build_encoder` makes it.
        info: plain data; must say which "encoder" name builds it. What trained it, on what, settings, versions.

    Raises:
        CourseError: the folder can't be written to.
    """
    _build_image_encoder(info).load_state_dict(encoder.state_dict())
    _write(path, encoder, info)


def load_encoder(path: Path) -> tuple[Encoder, dict[str, Any]]:
    """Return the encoder kept at `path`, in eval mode, and what is known about it.

    Raises:
        DataError: a file is missing, cut or not an encoder.
    """
    try:
        info = _read_info(path)
        encoder = _build_image_encoder(info)
        encoder.load_state_dict(load_file(path))
    except FileNotFoundError as error:
        raise _missing(path, error) from None
    except (SafetensorError, OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
        raise _damaged(path, error) from None
    return encoder.eval(), info


def save_language_model(path: Path, model: MaskedLanguageModel, pieces: WordPieces, info: dict[str, Any]) -> None:
    """Write a network's weights to `path`, and beside them as `path` with .json `info`, its shape and its vocabulary.

    Args:
        path: ends in .safetensors.
        model: as `build_language_model` makes it.
        pieces: the vocabulary that it was trained with.
        info: plain data. What trained it, on what, settings, versions.

    Raises:
        ValueError: the vocabulary has another size than the network.
        CourseError: the folder can't be written to.
    """
    shape = model.encoder.shape
    if len(pieces) != shape.vocab_size:
        raise ValueError(f"the network knows {shape.vocab_size} tokens, but the vocabulary has {len(pieces)}")
    whole = {**info, "encoder": TRANSFORMER, "shape": describe_shape(shape), "tokenizer": pieces.to_json()}
    _write(path, model, whole)


def load_language_model(path: Path) -> tuple[MaskedLanguageModel, WordPieces, dict[str, Any]]:
    """Return the network kept at `path`, in eval mode, its vocabulary and what else is known about it.

    Raises:
        DataError: a file is missing, cut or not a network for texts.
    """
    try:
        info = _read_info(path)
        pieces = WordPieces.from_json(info.pop("tokenizer"))
        model = build_language_model(LanguageShape(**info["shape"]))
        model.load_state_dict(_tie_again(model, load_file(path)))
        if len(pieces) != model.encoder.shape.vocab_size:
            raise ValueError("another vocabulary's network")
    except FileNotFoundError as error:
        raise _missing(path, error) from None
    except (SafetensorError, OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
        raise _damaged(path, error) from None
    return model.eval(), pieces, info


def check_shipped() -> None:
    """Load every encoder that comes with the course.

    Raises:
        DataError: one is missing or damaged.
    """
    for name in SHIPPED:
        load = load_language_model if name == "masked_words" else load_encoder
        load(shipped_encoders_dir() / f"{name}.safetensors")


def _build_image_encoder(info: dict[str, Any]) -> Encoder:
    return build_encoder(info["encoder"], [0.0] * 3, [1.0] * 3)


def _write(path: Path, model: nn.Module, info: dict[str, Any]) -> None:
    state, seen = {}, set()
    for name, tensor in model.state_dict().items():
        if tensor.data_ptr() not in seen or tensor.numel() == 0:  # one that has two names is written once
            state[name] = tensor.contiguous().cpu()
            seen.add(tensor.data_ptr())
    with replacing(path) as temporary:
        save_file(state, temporary)
    write_text(path.with_suffix(".json"), json.dumps(info, indent=2) + "\n")


def _tie_again(model: MaskedLanguageModel, state: dict[str, Any]) -> dict[str, Any]:
    if model.encoder.shape.tied_output:
        state["predict.weight"] = state["encoder.embed.weight"]
    return state


def _read_info(path: Path) -> dict[str, Any]:
    info: dict[str, Any] = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    return info


def _missing(path: Path, error: FileNotFoundError) -> DataError:
    return DataError(f"no encoder at {error.filename}: {_cure(path, 'run the notebook that trains it')}")


def _damaged(path: Path, error: Exception) -> DataError:
    cure = _cure(path, "delete it and run the notebook that trains it")
    return DataError(f"the encoder {path}, or the .json beside it, is damaged ({type(error).__name__}): {cure}")


def _cure(path: Path, of_a_run: str) -> str:
    """Return what to do about a file: one that ships with the course can be had again, one of a run is made anew."""
    ships = path.parent == shipped_encoders_dir() and path.stem in SHIPPED
    return how_to_mend(path.parent) if ships else of_a_run
