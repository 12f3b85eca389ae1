"""YAML as people write it, with nothing silently lost: no key twice, no bombs, one sentence for what is wrong."""

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from course_utils.errors import SettingsError

MOST_BYTES = 1_000_000
MOST_VALUES = 200_000  # with every alias written out


class _StrictLoader(yaml.SafeLoader):
    """Refuses a mapping that has a key twice, of which YAML would keep the last; 1e-3 is the number that it is."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for index, key in enumerate(keys):
            if key in keys[:index]:
                line = node.value[index][0].start_mark.line + 1
                raise SettingsError(f"has {key!r} twice (line {line}): leave one out")
        return super().construct_mapping(node, deep)


_StrictLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+0123456789.")
)
_StrictLoader.yaml_constructors = {
    **yaml.SafeLoader.yaml_constructors,
    "tag:yaml.org,2002:timestamp": lambda loader, node: node.value,  # JSON, and so a notebook, knows no dates
}


def read_yaml(path: Path) -> Any:
    """Return what a YAML file holds.

    Raises:
        SettingsError: it can't be read, is not YAML, has a key twice or is far too large.
    """
    try:
        return parse_yaml(read_start(path))
    except FileNotFoundError:
        raise SettingsError(f"there is no file {path}") from None
    except SettingsError as error:
        raise SettingsError(f"{path} {error}") from None
    except (OSError, ValueError) as error:
        raise SettingsError(f"can't read {path}: {getattr(error, 'strerror', None) or error}") from None


def read_start(path: Path) -> bytes:
    """Return what a file holds, of a far too large one no more than shows that it is.

    Raises:
        OSError: it can't be read.
        ValueError: no file can have such a name.
    """
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)


def parse_yaml(content: bytes) -> Any:
    """Return what YAML text holds.

    Raises:
        SettingsError: as for `read_yaml`; the sentence begins with its verb.
    """
    if len(content) > MOST_BYTES:
        raise SettingsError(f"is larger than {MOST_BYTES // 1_000_000} MB: is it the right file?")
    try:
        text = content.decode("utf-8")
        node = yaml.compose(text, Loader=_StrictLoader)
        if node is not None and _count(node, {}) > MOST_VALUES:
            raise SettingsError(f"holds more than {MOST_VALUES:,} values: is it the right file?")
        return yaml.load(text, Loader=_StrictLoader)
    except UnicodeDecodeError:
        raise SettingsError("is not text in UTF-8: is it the right file?") from None
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", -1) + 1
        raise SettingsError("is not valid YAML" + (f" (line {line})" if line else "")) from None
    except RecursionError:
        raise SettingsError("has lists within lists without end: write it flat") from None
    except SettingsError:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:  # such as `!!bool x`
        raise SettingsError(f"is not valid YAML: {' '.join(str(error).split())}") from None


def _count(node: yaml.Node, known: dict[int, int]) -> int:
    """Return how many values a node stands for, each alias counted as what it repeats."""
    if id(node) not in known:
        known[id(node)] = MOST_VALUES + 1  # what it is for one that holds itself
        inner = [part for item in node.value for part in (item if isinstance(item, tuple) else (item,))]
        nodes = inner if not isinstance(node, yaml.ScalarNode) else []
        known[id(node)] = 1 + sum(_count(part, known) for part in nodes)
    return known[id(node)]
