"""The device and the precision to compute in, found out and not assumed."""

from typing import Any

import torch
from lightning_fabric import Fabric

from course_utils.errors import CourseError


def make_fabric(device: str = "auto", precision: str = "auto") -> Fabric:
    """Return lightning-fabric's hold on the device and the precision.

    Args:
        device: "auto" (a GPU where there is one), "cpu", "cuda", "cuda:1" or "mps".
        precision: "auto" (see `choose_precision`), "32-true", "bf16-mixed" or "16-mixed".

    Raises:
        CourseError: the device is not there.
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
    return Fabric(accelerator=accelerator, devices=devices, precision=chosen)


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
