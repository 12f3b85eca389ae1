"""What a notebook measured, claims and draws, kept as plain data beside its other results."""

import json
import re
import shutil
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.errors import CourseError
from course_utils.paths import replacing, resolve, shipped_encoders_dir
from course_utils.running.claims import ClaimsTable
from course_utils.running.environment import describe_environment
from course_utils.running.metrics import MetricsTable, check_metric_name, finite_number, plain
from course_utils.running.results import checkpoints_dir, load_record, write_record
from course_utils.running.settings import read_settings

if TYPE_CHECKING:
    from IPython.display import Image
    from matplotlib.figure import Figure

    from course_utils.processes import Place

__all__ = ["Record", "begin", "load_record", "start_notebook"]

DOTS_PER_INCH = 160  # of the files; on screens they are shown at half of it, and stay sharp on fine ones
SCREEN_DOTS_PER_INCH = 80
SAME_DATA = ("DATASET", "IMAGE_SIZE", "NUM_TRAIN_IMAGES")  # parameters that two notebooks' numbers must share
SHORT_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


def start_notebook(name: str, namespace: Mapping[str, Any]) -> "tuple[Any, Any, Record]":
    """Turn a notebook's parameters into its settings, seed, device and record.

    Args:
        name: the notebook's own, such as "05_simclr".
        namespace: `globals()`; its UPPER_CASE names that are parameters of this notebook are read.

    Returns:
        Settings (of the notebook's class in `settings`), lightning-fabric's Fabric, the record.

    Raises:
        SettingsError: a parameter has an unknown name, a wrong type or a value out of range.
        CourseError: the device isn't there, or the run's folder can't be written to.
    """
    settings: Any = read_settings(name, namespace)
    return settings, *begin(name, settings)


def begin(name: str, settings: Any, place: "Place | None" = None) -> "tuple[Any, Record]":
    """Seed all random numbers, find the device and begin the record.

    Args:
        name: the notebook's own, such as "05_simclr".
        settings: of the notebook's class in `settings`.
        place: this process's, where several train together.

    Returns:
        lightning-fabric's Fabric, the record.

    Raises:
        CourseError: the device isn't there, or the run's folder can't be written to.
    """
    import numpy as np
    import torch

    from course_utils.devices import make_fabric

    np.random.seed(settings.seed)  # for code that isn't ours
    torch.manual_seed(settings.seed)
    fabric = make_fabric(getattr(settings, "device", "auto"), getattr(settings, "precision", "auto"), place)
    return fabric, Record(name, settings.run_dir, settings.parameters(), describe_environment(fabric))


class Record:
    """A notebook's results in one run, written by `finish`.

    Args:
        notebook: its name, such as "05_simclr".
        run_dir: the run's folder; a relative one counts from the project's root.
        parameters: what the notebook runs with.
        environment: what it runs on.

    Raises:
        CourseError: the run's folder can't be written to.
    """

    def __init__(
        self,
        notebook: str,
        run_dir: str | Path,
        parameters: Mapping[str, Any],
        environment: Mapping[str, Any] | None = None,
    ) -> None:
        self.notebook, self.run_dir = notebook, resolve(run_dir)
        self.parameters = dict(parameters)
        self.environment = dict(environment or describe_environment())
        self.metrics: dict[str, float | int] = {}
        self.claims: dict[str, dict[str, Any]] = {}
        self.figures: dict[str, dict[str, str]] = {}
        self.encoders: dict[str, str] = {}
        self.started, self._clock = datetime.now(UTC), time.monotonic()
        _check_writable(self.run_dir)  # better to learn it now than after minutes of training

    def metric(self, name: str, value: Any) -> None:
        """Keep a measurement.

        Args:
            name: image|text|video / method / how / what, lower case, such as "image/simclr/knn/test_accuracy".
            value: a finite number (of Python, numpy or torch); accuracies are fractions.

        Raises:
            ValueError: the name or the value is not like that.
        """
        self.metrics[check_metric_name(name)] = finite_number(value, name)

    def metric_over_seeds(self, name: str, values: Sequence[Any]) -> None:
        """Keep the mean of a measurement repeated with several seeds, and as `name`_sd their standard deviation.

        One seed has no spread, so it gets no `_sd`.

        Raises:
            ValueError: there are no values, or one is not a finite number.
        """
        numbers = [finite_number(value, name) for value in values]
        if not numbers:
            raise ValueError(f"{name} needs a value for each seed, got none")
        self.metrics.pop(f"{name}_sd", None)
        self.metric(name, statistics.fmean(numbers))
        if len(numbers) > 1:
            self.metric(f"{name}_sd", statistics.stdev(numbers))

    def claim(self, id: str, statement: str, source: str, *, holds: Any, evidence: Mapping[str, Any]) -> None:
        """Keep whether a sentence of a paper or article holds in this run.

        Args:
            id: short and lower case, such as "simclr-beats-untrained".
            statement: the sentence.
            source: who says so, and where.
            holds: whether what was measured agrees.
            evidence: the numbers, each with its name.

        Raises:
            ValueError: a text is empty, the id has other characters, or a piece of evidence is not plain.
        """
        if not SHORT_NAME.fullmatch(id):
            raise ValueError(f"a claim's id is lower case with hyphens, got {id!r}")
        if not statement.strip() or not source.strip():
            raise ValueError(f"the claim {id} needs a statement and a source")
        facts = {name: plain(value, f"{id}: {name}") for name, value in evidence.items()}
        self.claims[id] = {
            "id": id,
            "statement": statement,
            "source": source,
            "holds": bool(holds),
            "evidence": facts,
        }

    def figure(self, figure: "Figure", name: str, caption: str) -> "Image":
        """Keep a figure as a PNG file and return that picture, so that a cell that ends with it shows it once.

        What the notebook shows is what the file and the report hold; the caption is its text for screen readers.

        Args:
            figure: made with or without pyplot.
            name: lower-case letters, digits, _ and -.
            caption: one sentence.

        Raises:
            ValueError: the name has other characters.
            CourseError: the run's folder can't be written to.
        """
        import matplotlib.pyplot as plt
        from IPython.display import Image

        if not SHORT_NAME.fullmatch(name):
            raise ValueError(f"a figure's name is lower case with hyphens, got {name!r}")
        path = self.run_dir / "figures" / f"{self.notebook}_{name}.png"
        with replacing(path) as temporary:
            figure.savefig(temporary, dpi=DOTS_PER_INCH, bbox_inches="tight", facecolor="white")
        plt.close(figure)  # else pyplot's own figures would be shown a second time
        self.figures[name] = {"file": self._relative(path), "caption": caption}
        picture = Image(filename=str(path), alt=caption)
        picture.width = _png_width(picture.data) * SCREEN_DOTS_PER_INCH // DOTS_PER_INCH
        return picture

    def encoder_path(self, name: str) -> Path:
        """Return where this notebook is to save an encoder that it trained."""
        path = self.run_dir / "encoders" / f"{name}.safetensors"
        self.encoders[name] = self._relative(path)
        return path

    def encoder_info(self, encoder: str, task: str, **more: Any) -> dict[str, Any]:
        """Return what `save_encoder` keeps beside an encoder: what trained it, on what, with which settings.

        Args:
            encoder: the name that builds it.
            task: what it was trained to do.
            more: plain data.
        """
        made_by = {"notebook": self.notebook, "parameters": self.parameters, "environment": self.environment}
        date = self.started.date().isoformat()
        return {
            "encoder": encoder,
            "task": task,
            "dataset": self.parameters.get("DATASET") or self.parameters["CORPUS"],
            **more,
            "date": date,
            **made_by,
        }

    @property
    def identity(self) -> str:
        """What a training's checkpoint belongs to: the parameters, but for where results go."""
        own = {name: value for name, value in self.parameters.items() if name != "RUN_DIR"}
        return json.dumps({"notebook": self.notebook, **own}, sort_keys=True)

    def checkpoint_path(self, name: str) -> Path:
        """Return where training is to keep its state, which `finish` deletes."""
        return checkpoints_dir(self.run_dir, self.notebook) / f"{name}.ckpt"

    def find_encoder(self, name: str) -> tuple[Path, str]:
        """Return an encoder's file and where it is from: "this run" or "shipped with the course".

        Raises:
            CourseError: there is none.
        """
        folders = {"this run": self.run_dir / "encoders", "shipped with the course": shipped_encoders_dir()}
        for origin, folder in folders.items():
            path = folder / f"{name}.safetensors"
            if path.exists() and path.with_suffix(".json").exists():
                return path, origin
        raise CourseError(
            f"no encoder {name!r} in {self.run_dir} and none shipped: first run the notebook that trains it, with "
            "the same RUN_DIR"
        )

    def find_metric(self, notebook: str, name: str) -> float | None:
        """Return what another notebook measured in this run on the same data; None if it did not.

        Args:
            notebook: the other's name, such as "01_supervised_baselines".
            name: of the metric.
        """
        other = load_record(self.run_dir, notebook)
        if other is None or any(other["parameters"].get(key) != self.parameters.get(key) for key in SAME_DATA):
            return None
        return other["metrics"].get(name)

    def table(self) -> MetricsTable:
        """Return what was measured so far, to be shown by the notebook."""
        return MetricsTable(self.metrics)

    def finish(self) -> ClaimsTable:
        """Write the record, whole or not at all, and delete the trainings' checkpoints.

        Returns:
            The claims with their verdicts, which a cell that ends with this shows.

        Raises:
            CourseError: the run's folder can't be written to.
        """
        content = {
            "notebook": self.notebook,
            "status": "ok",
            "started": self.started.isoformat(timespec="seconds"),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - self._clock, 2),
            "parameters": self.parameters,
            "environment": self.environment,
            "metrics": self.metrics,
            "claims": list(self.claims.values()),
            "figures": list(self.figures.values()),
            "encoders": list(self.encoders.values()),
        }
        write_record(self.run_dir, content)
        shutil.rmtree(checkpoints_dir(self.run_dir, self.notebook), ignore_errors=True)
        return ClaimsTable(list(self.claims.values()))

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.run_dir).as_posix()


def _check_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise CourseError(f"can't write to {folder}: {error.strerror}; choose another RUN_DIR") from None


def _png_width(content: bytes) -> int:
    """Return the width in pixels that a PNG file's header names."""
    return int.from_bytes(content[16:20], "big")
