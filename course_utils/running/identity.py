"""What makes a notebook's result what it is: if none of it changed, the notebook need not run again."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import course_utils
from course_utils.paths import docs_dir, shipped_encoders_dir
from course_utils.running.notebooks import Notebook


def identify(notebook: Notebook, parameters: Mapping[str, Any], needs: Mapping[str, str]) -> str:
    """Return a hash of the notebook's code (not its prose), parameters, package, data and what it builds on.

    Args:
        notebook: whose code it is.
        parameters: all of them; where results go (RUN_DIR) makes no difference.
        needs: the identities of the notebooks whose encoders it uses.
    """
    own = {name: value for name, value in parameters.items() if name != "RUN_DIR"}
    parts = [
        notebook.code,
        own,
        dict(needs),
        package_identity(),
        _data_identity(own),
        _findings_identity(notebook, own),
    ]
    return _hash([json.dumps(parts, sort_keys=True).encode()])


@cache
def package_identity() -> str:
    """Return a hash of all of the package's code."""
    folder = Path(course_utils.__file__).parent
    files = sorted(folder.rglob("*.py"))
    return _hash(part for file in files for part in (str(file.relative_to(folder)).encode(), file.read_bytes()))


@cache
def shipped_encoders_identity() -> str:
    """Return a hash of the encoders that come with the course."""
    files = sorted(shipped_encoders_dir().glob("*.*"))
    return _hash(part for file in files for part in (file.name.encode(), file.read_bytes()))


def _data_identity(parameters: Mapping[str, Any]) -> list[str]:
    fingerprints = []
    if "DATASET" in parameters:
        from course_utils.data.images import dataset_fingerprint  # late: it may load torch, which takes seconds

        fingerprints.append(dataset_fingerprint(parameters["DATASET"]))
    if "TEXT_DATASET" in parameters:
        from course_utils.data.text import text_fingerprint

        fingerprints.append(text_fingerprint(parameters["TEXT_DATASET"]))
    if "CORPUS" in parameters:
        from course_utils.data.corpus import corpus_fingerprint

        fingerprints.append(corpus_fingerprint(parameters["CORPUS"]))
    if "VIDEO" in parameters:
        from course_utils.data.clip_sources import clips_fingerprint

        fingerprints.append(clips_fingerprint(parameters["VIDEO"]))
    if "SCENES" in parameters:
        from course_utils.data.scene_sources import scenes_fingerprint

        fingerprints.append(scenes_fingerprint(parameters["SCENES"]))
    return fingerprints


def _findings_identity(notebook: Notebook, parameters: Mapping[str, Any]) -> list[str]:
    """Return a hash of each recorded finding that the notebook shows, whether its code or a parameter names it."""
    text = "\n".join(notebook.code)
    names = [*re.findall(r"""load_finding\(["']([\w-]+)["']\)""", text), parameters.get("FINDING", "")]
    paths = [docs_dir() / "findings" / f"{name}.json" for name in names]
    return [_hash([path.read_bytes()]) for path in paths if path.is_file()]


def _hash(parts: Iterable[bytes]) -> str:
    total = hashlib.sha256()
    for part in parts:
        total.update(hashlib.sha256(part).digest())  # of hashes, so that no two lists of parts look alike
    return total.hexdigest()
