"""`course pretrain`: in this process, or in several that it starts and watches."""

import os
from dataclasses import dataclass, field
from typing import Any

from course_utils.pretraining.image_sources import open_stream
from course_utils.pretraining.launch import hold_the_leash, launch
from course_utils.pretraining.order import Order, check
from course_utils.pretraining.run import run
from course_utils.pretraining.signals import listening
from course_utils.processes import Place, find_place
from course_utils.running.metrics import Metrics
from course_utils.training import Stopped, check_shares


@dataclass(frozen=True)
class Result:
    """How a pretraining ended.

    Args:
        exit_code: of the command.
        words: to be said on stderr.
        metrics: what was measured, where this process wrote the record.
        folder: where that is.
    """

    exit_code: int = 0
    words: str = ""
    metrics: Metrics = field(default_factory=dict)
    folder: str = ""


def pretrain(order: Order) -> Result:
    """Do what was ordered.

    Raises:
        CourseError: it can't be done; one line, a sentence, for each thing.
        LostProcessError: another process is not there, or no longer.
    """
    environment = dict(os.environ)
    hold_the_leash(environment)
    with listening() as request:
        place = find_place(environment, order.num_devices, order.num_nodes, order.patience)
        num_processes = place.num_processes if place else (order.num_devices or 1) * (order.num_nodes or 1)
        job, run_dir = check(order)
        settings: Any = job.settings
        check_shares(settings.batch_size, num_processes)
        stream = open_stream(order, settings, place.num_local if place else order.num_devices or 1)
        if place is None and num_processes > 1:
            end = launch(order, request, environment)
            return Result(end.exit_code, end.words)
        try:
            record = run(order, job, run_dir, place or Place(), request, stream)
        except Stopped as stopped:
            if place is not None and place.rank > 0:
                return Result(request.exit_code)
            return Result(
                request.exit_code,
                f"stopped by {request.sender} after step {stopped.step}, which is saved: the same command goes on from "
                "there, with any number of processes",
            )
        return Result(metrics=record.metrics, folder=str(record.run_dir)) if record else Result()
