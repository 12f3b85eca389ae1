"""What a run ran on: versions, device, precision, the commit."""

import os
import platform
import shutil
import subprocess
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.paths import project_root

if TYPE_CHECKING:
    from lightning_fabric import Fabric

BYTES_A_KERNEL = 1.5 * 2**30  # with torch and the shipped data, generously


def describe_environment(fabric: "Fabric | None" = None) -> dict[str, Any]:
    """Return versions and hardware as plain data; device and precision are "" unless `fabric` knows them."""
    return {
        "python": platform.python_version(),
        "torch": _version("torch"),
        "device": _describe_device(fabric) if fabric else "",
        "precision": str(fabric._precision.precision) if fabric else "",  # fabric shows it nowhere else
        "cores": count_cores(),
        "package": _version("course-utils"),
        "commit": _commit(),
    }


def free_memory() -> int:
    """Return the bytes of memory that are free for us, which in a container may be fewer than the machine's."""
    import psutil

    free = int(psutil.virtual_memory().available)
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        with suppress(OSError, ValueError):  # elsewhere than on Linux, or without a limit ("max")
            read = [int(Path("/sys/fs/cgroup", name).read_text()) for name in (limit, used)]
            free = min(free, max(read[0] - read[1], 0))
    return free


def list_gpus() -> list[str]:
    """Return the NVIDIA GPUs that this process may use, without loading torch."""
    if "CUDA_VISIBLE_DEVICES" in os.environ:
        return [
            name.strip() for name in os.environ["CUDA_VISIBLE_DEVICES"].split(",") if name.strip() not in ("", "-1")
        ]
    if not (program := shutil.which("nvidia-smi")):
        return []
    command = [program, "--query-gpu=index", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return answer.stdout.split()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _describe_device(fabric: "Fabric") -> str:
    if fabric.device.type != "cuda":
        return str(fabric.device)
    import torch

    return f"{fabric.device} ({torch.cuda.get_device_name(fabric.device)})"


def count_cores() -> int:
    """Return the processor cores that this process may use, which in a container are fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _commit() -> str:
    """Return the commit of the course's folder, with "-dirty" where files differ from it, or "" without git."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        answer = subprocess.run(command, cwd=project_root(), capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip()
