"""Profiles: other values for the notebooks' parameters, and how values are read from text."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_utils.errors import SettingsError
from course_utils.paths import expand
from course_utils.running.strict_yaml import parse_yaml, read_start

LAPTOP, LIGHT, SMOKE, GPU = "laptop", "light", "smoke", "gpu"
AUTO = "auto"
"""The laptop profile, or the light one on a machine whose processor (or GPU) does not compute in bfloat16."""


@dataclass(frozen=True)
class Profile:
    """Values by notebook and parameter; "laptop" is the notebooks' own values, so it has none."""

    name: str
    values: dict[str, dict[str, Any]]


def read_value(text: str) -> Any:
    """Return the value that a person means by `text`: a number, true, a list, or else text as it stands."""
    try:
        value = parse_yaml(text.encode(errors="surrogatepass"))
    except SettingsError:
        return text
    return text if value is None else value


def list_profiles(folder: Path) -> list[str]:
    """Return the names of the profiles that come with the course."""
    return sorted([LAPTOP, *(path.stem for path in folder.glob("*.yaml"))])


def read_profile(name: str, folder: Path) -> Profile:
    """Return a profile.

    Args:
        name: of one in `folder`, "auto", or a YAML file's path.
        folder: where the course's profiles are.

    Raises:
        SettingsError: there is none, or it is not a mapping of notebooks to mappings of parameters.
    """
    if name == AUTO:
        name = suited_to_this_machine()
    if name == LAPTOP:
        return Profile(LAPTOP, {})
    is_path = name.endswith((".yaml", ".yml"))
    path = expand(name) if is_path else folder / f"{name}.yaml"
    try:
        content = parse_yaml(read_start(path))
    except FileNotFoundError:
        known = ", ".join([AUTO, *list_profiles(folder)])
        raise SettingsError(f"there is no profile {name}: choose one of {known}, or a .yaml file") from None
    except SettingsError as error:
        raise SettingsError(f"the profile {path} {error}") from None
    except (OSError, ValueError) as error:
        raise SettingsError(f"can't read the profile {path}: {getattr(error, 'strerror', None) or error}") from None
    return Profile(path.stem, _checked(content, path))


def suited_to_this_machine() -> str:
    """Return the name of the profile that "auto" stands for here."""
    from course_utils import devices  # here, for torch takes seconds to import

    return LAPTOP if devices.computes_in_bfloat16(devices.make_fabric().device.type) else LIGHT


def _checked(content: Any, path: Path) -> dict[str, dict[str, Any]]:
    content = {} if content is None else content
    if not isinstance(content, dict) or not all(isinstance(values, dict) for values in content.values()):
        raise SettingsError(f"the profile {path} should hold lines such as `05_simclr: {{NUM_EPOCHS: 2}}`")
    return {str(notebook): {str(name): value for name, value in values.items()} for notebook, values in content.items()}
