"""Find the OpenCL device that reconstructs."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pyopencl as cl

from tomobatch.errors import UserError
from tomobatch.opencl import pocl
from tomobatch.opencl.kind import DeviceKind
from tomobatch.opencl.link_tools import INSTALL


@dataclass(frozen=True)
class Device:
    """One OpenCL device and the context that all work on it shares.

    One context a device: launching gets slower with every device a context holds.
    """

    cl_device: cl.Device
    context: cl.Context
    kind: Literal["gpu", "cpu"]

    @property
    def description(self) -> str:
        """One line for the log: kind, name, runtime, compute units, memory."""
        device = self.cl_device
        return (
            f"{self.kind.upper()}: {device.name.strip()} ({device.platform.name.strip()}, "
            f"{device.platform.version.split(',')[0].strip()}), "
            f"{device.max_compute_units} compute units, "
            f"{device.global_mem_size / 2**30:.1f} GiB"
        )

    @property
    def has_wide_builtins(self) -> bool:
        """Whether built-ins (fma, floor, ...) of 16 floats work; they abort PoCL 3.0's compiler."""
        return not pocl.is_version_3(self.cl_device)

    @property
    def n_engines(self) -> int:
        """How many blocks are worked on at a time: rows are filtered on the host.

        While one engine of a GPU does so, another keeps the device busy.
        """
        return 2 if self.kind == "gpu" else 1

    def queue(self) -> cl.CommandQueue:
        """Return a new in-order command queue."""
        return cl.CommandQueue(self.context)

    def free_memory_bytes(self) -> int:
        """Memory that buffers may take now.

        OpenCL has no portable way to ask a GPU, so nine tenths of its memory are assumed free
        unless its driver tells (AMD does); a CPU device has what the host has available.
        """
        total = int(self.cl_device.global_mem_size)
        if self.kind == "cpu":
            return min(total, _available_host_bytes(total))
        if "cl_amd_device_attribute_query" in self.cl_device.extensions:
            free_kib = np.atleast_1d(self.cl_device.global_free_memory_amd)[0]
            return int(free_kib) * 1024
        return total * 9 // 10


def find_device(kind: DeviceKind = "auto") -> Device:
    """Return the device to reconstruct on.

    Parameters
    ----------
    kind : {"auto", "gpu", "cpu"}
        ``auto`` prefers a GPU and takes a CPU where there is none.

    Raises
    ------
    UserError
        No device of that kind, or one that cannot compile a kernel for want of system packages.
        Where a GPU is asked for, a CPU never computes instead.
    """
    return find_devices(kind)[0]


def find_devices(kind: DeviceKind = "auto") -> list[Device]:
    """Return all devices of the kind that ``find_device`` would pick, that one first.

    Several GPUs of a node are used side by side; a node has one CPU device.
    """
    if kind not in get_args(DeviceKind):
        raise UserError(f"device: '{kind}' is not one of {', '.join(get_args(DeviceKind))}")
    found = list_devices()
    gpus = [device for device in found if device.type & cl.device_type.GPU]
    cpus = [device for device in found if device.type & cl.device_type.CPU]
    if kind == "gpu" and not gpus:
        raise UserError(
            "device: gpu was asked for, but OpenCL lists no GPU here"
            f" (it lists {_names(found)}); install the GPU's driver with its OpenCL part,"
            " or set device to cpu or auto"
        )
    if kind == "cpu" and not cpus:
        raise UserError(
            f"device: cpu was asked for, but OpenCL lists no CPU device here (it lists"
            f" {_names(found)}); install PoCL: pip install pocl-binary-distribution"
        )
    if not gpus and not cpus:
        raise UserError(
            "no OpenCL device found: install a GPU driver with its OpenCL part,"
            " or PoCL for the CPU: pip install pocl-binary-distribution"
        )
    if gpus and kind != "cpu":
        return [_open(device, "gpu") for device in gpus]
    return [_open(max(cpus, key=_runtime_rank), "cpu")]


def list_devices() -> list[cl.Device]:
    """Return every OpenCL device of every platform (none where there is no OpenCL at all)."""
    pocl.use_writable_cache()
    try:
        platforms = cl.get_platforms()
    except cl.Error:
        return []
    found: list[cl.Device] = []
    for platform in platforms:
        try:
            found += platform.get_devices()
        except cl.Error:
            continue
    return [device for device in found if device.available]


@cache
def _open(device: cl.Device, kind: Literal["gpu", "cpu"]) -> Device:
    """Return the device with its context, made once, after a check that it can link kernels."""
    missing = pocl.missing_link_tools(device)
    if missing:
        raise UserError(
            f"the OpenCL device '{device.name.strip()}' cannot link kernels without"
            f" {', '.join(missing)}: {INSTALL}"
        )
    pocl.correct_cpu_name(device)
    return Device(device, cl.Context([device]), kind)


def _runtime_rank(device: cl.Device) -> bool:
    """Rank CPU runtimes: any other goes before PoCL 3, the embedded default."""
    return not pocl.is_version_3(device)


def _names(devices: list[cl.Device]) -> str:
    return ", ".join(device.name.strip() for device in devices) or "nothing"


def _available_host_bytes(fallback: int) -> int:
    """Memory the host can still give, from Linux's own estimate and the container's limit."""
    available = fallback
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        fields = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
        available = int(fields["MemAvailable"].split()[0]) * 1024
    limit, used = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
    if limit.exists() and used.exists() and limit.read_text().strip() != "max":
        available = min(available, int(limit.read_text()) - int(used.read_text()))
    return max(available, os.sysconf("SC_PAGE_SIZE"))
