"""Profiles: other values for the notebooks' parameters, and how values are read from text."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from course_utils.errors import SettingsError

LAPTOP = "laptop"


@dataclass(frozen=True)
class Profile:
    """Values by notebook and parameter; "laptop" is the notebooks' own values, so it has none."""

    name: str
    values: dict[str, dict[str, Any]]


class Loader(yaml.SafeLoader):
    """YAML with 1e-3 as the number that it is; YAML 1.1 wants 1.0e-3."""


Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+0123456789.")
)


def read_value(text: str) -> Any:
    """Return the value that a person means by `text`: a number, true, a list, or else text as it stands."""
    try:
        value = yaml.load(text, Loader=Loader)
    except yaml.YAMLError:
        return text
    return text if value is None else value


def list_profiles(folder: Path) -> list[str]:
    """Return the names of the profiles that come with the course."""
    return sorted([LAPTOP, *(path.stem for path in folder.glob("*.yaml"))])


def read_profile(name: str, folder: Path) -> Profile:
    """Return a profile.

    Args:
        name: of one in `folder`, or a YAML file's path.
        folder: where the course's profiles are.

    Raises:
        SettingsError: there is none, or it is not a mapping of notebooks to mappings of parameters.
    """
    if name == LAPTOP:
        return Profile(LAPTOP, {})
    is_path = name.endswith((".yaml", ".yml"))
    path = Path(name).expanduser() if is_path else folder / f"{name}.yaml"
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=Loader)
    except FileNotFoundError:
        known = ", ".join(list_profiles(folder))
        raise SettingsError(f"there is no profile {name}: choose one of {known}, or a .yaml file") from None
    except (OSError, ValueError) as error:
        raise SettingsError(f"can't read the profile {path}: {getattr(error, 'strerror', None) or error}") from None
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", -1) + 1
        raise SettingsError(f"the profile {path} is not valid YAML (line {line})") from None
    return Profile(path.stem, _checked(content, path))


def _checked(content: Any, path: Path) -> dict[str, dict[str, Any]]:
    content = {} if content is None else content
    if not isinstance(content, dict) or not all(isinstance(values, dict) for values in content.values()):
        raise SettingsError(f"the profile {path} should hold lines such as `05_simclr: {{NUM_EPOCHS: 2}}`")
    return {str(notebook): {str(name): value for name, value in values.items()} for notebook, values in content.items()}
