"""One process of a pretraining, alone or among others, from checked parameters to the record and the encoder."""

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any

from course_utils.data.streaming import ImageStream, minding_the_workers
from course_utils.errors import LostProcessError
from course_utils.pretraining.order import Order
from course_utils.pretraining.recipe import Pretraining
from course_utils.pretraining.signals import StopRequest
from course_utils.processes import Place
from course_utils.running.locking import locked
from course_utils.running.plan import Job
from course_utils.running.records import Record, begin
from course_utils.running.report import write_report
from course_utils.running.results import load_record, recorded_names, write_record
from course_utils.running.summary import finished_entry, summarize, write_summary
from course_utils.teamwork import is_silence
from course_utils.training import History, fit


def run(
    order: Order, job: Job, run_dir: Path, place: Place, request: StopRequest, stream: ImageStream | None = None
) -> Record | None:
    """Pretrain, and return the record, which process 0 has written; None in all other processes.

    Args:
        order: what was asked for.
        job: the notebook's checked parameters.
        run_dir: the run's folder.
        place: this process's.
        request: asks for a stop.
        stream: images to learn from in place of the data set's.

    Raises:
        Stopped: the request came, and the state is saved.
        CourseError: something can't be done.
        LostProcessError: another process is not there, or no longer.
    """
    with locked(run_dir) if place.rank == 0 else nullcontext():
        fabric, record = begin(job.name, job.settings, place)
        record.environment |= {"processes": place.num_processes, "compiled": order.compiled}
        given, identity = {}, record.identity
        if stream is not None:
            given["stream"], identity = stream, f"{identity} {stream.fingerprint()}"
            record.environment["stream"] = f"{len(stream):,} images of {order.stream}"
        with joined(fabric, place), minding_the_workers():
            prepare = import_module(f"course_utils.pretraining.{order.task}").prepare
            pretraining = prepare(job.settings, fabric, record, **given)
            history = _fit(pretraining, order, fabric, record.checkpoint_path(pretraining.name), identity, request.came)
        if place.rank > 0:
            return None
        pretraining.keep(history)
        finish(record, order.profile)
        return record


@contextmanager
def joined(fabric: Any, place: Place) -> Iterator[None]:
    """Meet the other processes, and part from them at the block's end.

    Raises:
        LostProcessError: they did not come.
    """
    if place.num_processes == 1:
        yield
        return
    import torch.distributed as dist

    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it greets every process
    try:
        fabric.launch()
    except RuntimeError as error:
        if not is_silence(error):
            raise
        raise LostProcessError(_who_is_missing(place, str(error))) from error
    yield
    dist.destroy_process_group()


def _who_is_missing(place: Place, words: str) -> str:
    where = f"{place.address}:{place.port}"
    if "EADDRINUSE" in words or "already in use" in words:
        return f"port {place.port} is taken on this machine: set another MASTER_PORT for all processes"
    if place.rank == 0:
        return (
            f"not all of the {place.num_processes} processes came to {where} within {place.patience:g} s: start as "
            "many, and check that the machines reach each other, or wait longer with --patience"
        )
    return (
        f"process {place.rank} did not meet process 0 and the others of {place.num_processes} at {where} within "
        f"{place.patience:g} s: check MASTER_ADDR and MASTER_PORT, and that all were started, or wait longer with "
        "--patience"
    )


def _fit(
    pretraining: Pretraining, order: Order, fabric: Any, checkpoint: Path, identity: str, stop: Callable[[], bool]
) -> History:
    return fit(
        pretraining.model,
        pretraining.compute_loss,
        fabric=fabric,
        checkpoint=checkpoint,
        identity=identity,
        seconds_between_checkpoints=60 * order.minutes_between_checkpoints,
        stop=stop,
        compiled=order.compiled,
        **pretraining.options,
    )


def finish(record: Record, profile: str) -> None:
    """Write the record, the run's summary and its report.

    The record's identity is that of the encoder, so that `course run 06` in this folder evaluates a new one again.
    """
    record.finish()
    content = load_record(record.run_dir, record.notebook) or {}
    total = hashlib.sha256()
    for name in content["encoders"]:
        total.update((record.run_dir / name).read_bytes())
    content["identity"] = f"pretrained {total.hexdigest()}"
    write_record(record.run_dir, content)
    beside = [load_record(record.run_dir, name) for name in recorded_names(record.run_dir)]
    records = [one for one in beside if one]
    write_summary(record.run_dir, summarize(profile, [finished_entry(one, "ok") for one in records], records))
    write_report(record.run_dir)
