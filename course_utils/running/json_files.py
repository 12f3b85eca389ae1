"""Our own JSON files, read again: they may have been cut, edited or made by somebody else."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError


class Shape(BaseModel):
    """What a file must hold to be believed; more in it does no harm."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


def read_json(path: Path) -> Any:
    """Return what a JSON file holds, None if that can't be read.

    Raises:
        FileNotFoundError: there is no such file.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except NotADirectoryError as error:
        raise FileNotFoundError(str(path)) from error
    except FileNotFoundError:
        raise
    except (OSError, ValueError, RecursionError):
        return None


def has_shape(content: Any, shape: type[Shape]) -> bool:
    """Tell whether what was read is as it should be."""
    try:
        shape.model_validate(content)
    except ValidationError:
        return False
    return True
