"""The device and the precision to compute in, found out and not assumed."""

import logging
from datetime import timedelta
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy

from course_utils.errors import CourseError
from course_utils.processes import Place, Surroundings

logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # not a line at every start about the precision


def make_fabric(device: str = "auto", precision: str = "auto", place: Place | None = None) -> Fabric:
    """Return lightning-fabric's hold on the device and the precision.

    Args:
        device: "auto" (a GPU where there is one), "cpu", "cuda", "cuda:1" or "mps".
        precision: "auto" (see `choose_precision`), "32-true", "bf16-mixed" or "16-mixed".
        place: this process's, where several train together; `launch()` then meets the others (gloo on CPUs, NCCL on
            NVIDIA's GPUs, one for each process).

    Raises:
        CourseError: the device is not there, or not as often as there are processes.
    """
    accelerator, _, index = device.partition(":")
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if accelerator == "auto":
        accelerator = next((name for name, here in present.items() if here), "cpu")
    if not present.get(accelerator, accelerator == "cpu"):
        raise CourseError(f"DEVICE is {device!r}, but this machine has none that torch can use: set DEVICE = 'auto'")
    if index and int(index) >= torch.cuda.device_count():
        raise CourseError(f"DEVICE is {device!r}, but there are {torch.cuda.device_count()} GPUs, counted from 0")
    devices: Any = [int(index)] if index else 1
    chosen: Any = choose_precision(accelerator, precision)
    if place is None or place.num_processes == 1:
        return Fabric(accelerator=accelerator, devices=devices, precision=chosen)
    check_devices(accelerator, index, place.num_local)
    strategy = DDPStrategy(timeout=timedelta(seconds=place.patience))
    return Fabric(
        accelerator=accelerator,
        devices=place.num_local,
        num_nodes=place.num_nodes,
        precision=chosen,
        strategy=strategy,
        plugins=[Surroundings(place)],
    )


def check_devices(accelerator: str, index: str, num_local: int) -> None:
    """Make sure that each of a machine's processes can have a device of its own; a CPU has room for all.

    Raises:
        CourseError: it can't.
    """
    if accelerator == "mps":
        raise CourseError("DEVICE 'mps' is one device for one process: leave --devices out, or set DEVICE = 'cpu'")
    if index:
        raise CourseError(f"DEVICE names one GPU, number {index}, but there are {num_local} processes: use 'cuda'")
    if accelerator == "cuda" and num_local > torch.cuda.device_count():
        raise CourseError(
            f"{num_local} processes need as many GPUs, but this machine has {torch.cuda.device_count()}: "
            "use a smaller --devices"
        )


def choose_precision(accelerator: str, precision: str = "auto") -> str:
    """Return `precision`, or for "auto" bfloat16 where the processor computes in it, else float32."""
    if precision != "auto":
        return precision
    return "bf16-mixed" if computes_in_bfloat16(accelerator) else "32-true"


def computes_in_bfloat16(accelerator: str) -> bool:
    """Tell whether the processor has instructions for bfloat16; without them it is many times slower."""
    if accelerator == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if accelerator != "cpu":
        return False
    get_capabilities = getattr(torch.cpu, "get_capabilities", None)
    if get_capabilities is None:  # older torch knows no public way to ask
        return bool(getattr(torch.cpu, "_is_avx512_bf16_supported", bool)())
    capabilities = get_capabilities()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16"))
