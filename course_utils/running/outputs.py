"""Outputs of executed notebooks, made fit for a repository: no bars, no widgets' state, no large pictures."""

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

from course_utils.errors import CourseError
from course_utils.running.pictures import Shrinking, shrink_picture

Output = dict[str, Any]

WIDGET = "application/vnd.jupyter.widget-view+json"
WIDGET_NOTE = "*Here is a widget when the notebook runs in JupyterLab (`make lab`).*"
PROGRESS_LINE = re.compile(r"^[^\n]*: \d+ % · [^\n]*s left\n?", re.M)  # `progress` says it while work goes on
PNG = "image/png"


def clean_outputs(outputs: Sequence[Output], root: str) -> list[Output]:
    """Return what is worth keeping of a cell's outputs; the machine's paths become those in the project.

    Args:
        outputs: as they are in the executed notebook.
        root: the project's folder.

    Raises:
        CourseError: one of them is an error.
    """
    cleaned: list[Output] = []
    for output in outputs:
        kind = output["output_type"]
        if kind == "error":
            raise CourseError(f"a cell ended with {output['ename']}: only a notebook that ran well is published")
        if kind == "stream":
            _add_text(cleaned, output["name"], _without_root(_joined(output["text"]), root))
        elif kind in ("display_data", "execute_result"):
            cleaned.append(_displayed(output, root))
    for output in cleaned:
        if output["output_type"] == "stream":
            output["text"] = tidy_text(output["text"]).splitlines(keepends=True)
    return [output for output in cleaned if output.get("text") != []]


def tidy_text(text: str) -> str:
    """Return printed text as a terminal would leave it, without the lines that only tell how far the work is."""
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in text.replace("\r\n", "\n").split("\n")]
    return PROGRESS_LINE.sub("", "\n".join(lines))


def shrink_pictures(outputs: Sequence[Output], shrinking: Shrinking) -> list[Output]:
    """Return the outputs with smaller pictures; how wide they are shown, and their texts, stay the same."""
    return [_with_small_picture(output, shrinking) for output in outputs]


def _add_text(outputs: list[Output], name: str, text: str) -> None:
    """Put printed text behind what was printed just before."""
    if outputs and outputs[-1].get("name") == name:
        outputs[-1]["text"] += text
    else:
        outputs.append({"name": name, "output_type": "stream", "text": text})


def _displayed(output: Output, root: str) -> Output:
    data = {kind: content for kind, content in output["data"].items() if kind != WIDGET}
    if WIDGET in output["data"] and "text/html" not in data:  # a quiz can be read without its widget
        data = {"text/markdown": WIDGET_NOTE, "text/plain": WIDGET_NOTE.strip("*")}
    metadata = output.get("metadata", {})
    pictures = [kind for kind in data if kind.startswith("image/")]
    for kind in pictures:
        data["text/plain"] = metadata.get(kind, {}).get("alt", data.get("text/plain", ""))
    data = {
        kind: content if kind in pictures else _without_root(_joined(content), root).splitlines(keepends=True)
        for kind, content in data.items()
        if isinstance(content, str | list)
    }
    return {**output, "data": dict(sorted(data.items())), "metadata": metadata}


def _with_small_picture(output: Output, shrinking: Shrinking) -> Output:
    data: Mapping[str, Any] = output.get("data", {})
    if PNG not in data:
        return output
    kind, content = shrink_picture(base64.b64decode(_joined(data[PNG])), shrinking)
    about = output.get("metadata", {})
    return {
        **output,
        "data": {**{key: data[key] for key in data if key != PNG}, kind: base64.b64encode(content).decode()},
        "metadata": {kind if key == PNG else key: about[key] for key in about},
    }


def _without_root(text: str, root: str) -> str:
    return text.replace(f"{root}/", "").replace(root, ".")


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)
