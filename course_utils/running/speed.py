"""How fast this machine is, and how long each notebook will take on it."""

import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from course_utils.paths import docs_dir, write_text
from course_utils.running.json_files import read_json
from course_utils.running.profiles import LAPTOP
from course_utils.running.summary import Summary

VIEWS_PER_SECOND = "image/simclr/views_per_second"
BATCH_SIZE, IMAGE_SIZE, VIEW_SIZES = 256, 32, (16, 20, 24)  # notebook 05's
STEPS_TO_WARM_UP = 2
MEASURED = "measured.json"  # in docs/: how long the published run of each profile took


def load_measured(profile: str = LAPTOP) -> dict[str, Any]:
    """Return what the published run of a profile took: {"views_per_second": 0.0, "seconds": {notebook: 0.0}}."""
    measured: dict[str, Any] = _read(docs_dir() / MEASURED).get(profile, {"views_per_second": 0.0, "seconds": {}})
    return measured


def pace_of(summary: Summary, path: Path) -> str:
    """Return under which name a run's times are kept: its profile, or "PROFILE, PRECISION" on another kind of machine.

    What the doctor scales, and plans and README tell, must come from machines of one kind: the first that published.

    Args:
        summary: the run's.
        path: of the times that are known.
    """
    profile, precision = summary["profile"], summary["environment"]["precision"]
    first = _read(path).get(profile, {}).get("precision", precision)
    return profile if precision == first else f"{profile}, {precision}"


def write_measured(summary: Summary, path: Path) -> Path:
    """Keep what a run took in the file at `path`, beside what other notebooks and profiles took; return the path."""
    known = _read(path)
    start = {"precision": summary["environment"]["precision"], "views_per_second": 0.0, "seconds": {}}
    measured = known.setdefault(pace_of(summary, path), start)
    for entry in summary["notebooks"]:
        measured["seconds"][entry["name"]] = entry["seconds"]
        measured["views_per_second"] = entry["metrics"].get(VIEWS_PER_SECOND, measured["views_per_second"])
    write_text(path, json.dumps(known, indent=1, sort_keys=True) + "\n")
    return path


def _read(path: Path) -> dict[str, Any]:
    with suppress(FileNotFoundError):
        return read_json(path) or {}
    return {}


def estimate_minutes(views_per_second: float, measured: Mapping[str, Any]) -> dict[str, float]:
    """Return the minutes that each measured notebook will take on a machine of this speed."""
    if not measured["views_per_second"] or not views_per_second:
        return {}
    slower = measured["views_per_second"] / views_per_second
    return {name: seconds * slower / 60 for name, seconds in measured["seconds"].items()}


def measure_views_per_second(seconds: float = 10.0) -> float:
    """Train SimCLR for about so long, as notebook 05 does in the laptop profile, and return the views a second."""
    from course_utils.progress import STYLE_VARIABLE

    before = os.environ.get(STYLE_VARIABLE)
    os.environ[STYLE_VARIABLE] = "none"
    clock = _Clock(seconds)
    try:
        _train(clock)
    except _TimeIsUpError:
        return 2 * BATCH_SIZE * (clock.steps - STEPS_TO_WARM_UP) / (clock.now - clock.started)
    finally:
        if before is None:
            del os.environ[STYLE_VARIABLE]
        else:
            os.environ[STYLE_VARIABLE] = before
    raise AssertionError("training went on without end and yet came to one")


class _TimeIsUpError(Exception):
    """Training has gone on for long enough."""


class _Clock:
    """Counts training's steps, without the first, which also load libraries, and ends it after some seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.steps = seconds, 0
        self.started = self.now = time.monotonic()

    def __call__(self, step: int) -> dict[str, float]:
        self.steps, self.now = step, time.monotonic()
        if step == STEPS_TO_WARM_UP:
            self.started = self.now
        if step > STEPS_TO_WARM_UP and self.now - self.started > self.seconds:
            raise _TimeIsUpError
        return {}


def _train(clock: _Clock) -> None:
    """Train on noise, which takes as long as pictures do, until the clock says that it is enough."""
    import torch

    from course_utils.devices import make_fabric
    from course_utils.models.vision import ProjectionHead, build_encoder, channel_statistics
    from course_utils.optimizers import make_optimizers
    from course_utils.pretext.contrastive import decoupled_contrastive
    from course_utils.training import Step, fit
    from course_utils.views import ViewSettings, simclr_views

    generator = torch.Generator().manual_seed(0)
    fabric = make_fabric()
    noise = torch.randint(0, 256, (BATCH_SIZE, 3, IMAGE_SIZE, IMAGE_SIZE), dtype=torch.uint8, generator=generator)
    images = noise.to(fabric.device)
    settings = [ViewSettings(size=size, min_area=0.3) for size in VIEW_SIZES]
    encoder = build_encoder("compact", *channel_statistics(images))
    model = torch.nn.Sequential(encoder, ProjectionHead(encoder.feature_dim, 512, 128))

    def compute_loss(model: torch.nn.Module, step: Step) -> dict[str, torch.Tensor]:
        size = settings[clock.steps % len(settings)]  # the notebook's sizes in equal shares
        views = simclr_views(images.repeat(2, 1, 1, 1), size, step.generator)  # (2N, 3, size, size)
        first, second = model(views).chunk(2)
        return {"loss": decoupled_contrastive(first, second, 0.1)}

    fit(
        model,
        compute_loss,
        num_examples=BATCH_SIZE,  # an epoch is a step
        num_epochs=10**9,
        batch_size=BATCH_SIZE,
        optimizers=make_optimizers(model, "muon", 0.1, weight_decay=1e-4),
        fabric=fabric,
        seed=0,
        callback=clock,
    )
