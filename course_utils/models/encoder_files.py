"""Encoders in files: weights as safetensors, and beside them in JSON what trained them, on what and how."""

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from course_utils.errors import DataError
from course_utils.models.vision import Encoder, build_encoder
from course_utils.paths import replacing, write_text


def save_encoder(path: Path, encoder: Encoder, info: dict[str, Any]) -> None:
    """Write the encoder's weights to `path` and `info` beside them, as `path` with .json.

    Args:
        path: ends in .safetensors.
        encoder: as `build_encoder` makes it.
        info: plain data; must say which "encoder" name builds it. What trained it, on what, settings, versions.

    Raises:
        CourseError: the folder can't be written to.
    """
    build_encoder(info["encoder"], [0.0] * 3, [1.0] * 3).load_state_dict(encoder.state_dict())
    with replacing(path) as temporary:
        save_file({name: tensor.contiguous().cpu() for name, tensor in encoder.state_dict().items()}, temporary)
    write_text(path.with_suffix(".json"), json.dumps(info, indent=2) + "\n")


def load_encoder(path: Path) -> tuple[Encoder, dict[str, Any]]:
    """Return the encoder kept at `path`, in eval mode, and what is known about it.

    Raises:
        DataError: a file is missing, cut or not an encoder.
    """
    try:
        info: dict[str, Any] = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        encoder = build_encoder(info["encoder"], [0.0] * 3, [1.0] * 3)
        encoder.load_state_dict(load_file(path))
    except FileNotFoundError as error:
        raise DataError(f"no encoder at {error.filename}: run the notebook that trains it") from None
    except (SafetensorError, OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
        raise DataError(
            f"the encoder {path} is damaged ({type(error).__name__}): delete it and run the notebook that trains it"
        ) from None
    return encoder.eval(), info
