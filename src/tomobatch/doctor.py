"""Examine the OpenCL devices of this machine: what there is, if it computes right, how fast."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pyopencl as cl

from tomobatch.errors import UserError
from tomobatch.normalise.selftest import check_kernels as check_normalise
from tomobatch.opencl.check import KernelCheck
from tomobatch.opencl.devices import Device, find_device, list_devices
from tomobatch.opencl.kind import DeviceKind
from tomobatch.reconstruct import vkfft
from tomobatch.reconstruct.cone.selftest import check_kernels as check_cone
from tomobatch.reconstruct.direct import BackProjector
from tomobatch.reconstruct.geometry import make_geometry
from tomobatch.reconstruct.methods import make_plan
from tomobatch.reconstruct.rows import RowFilter
from tomobatch.reconstruct.selftest import check_kernels
from tomobatch.reconstruct.variants import choose_variant

_SPEED_PX, _SPEED_ANGLES, _SPEED_LANES = 512, 256, 32
_COPY_BYTES = 128 * 2**20
_ZERO = np.zeros(1, dtype=np.float32)
_TYPICAL = ((512, 804), (1024, 1500), (2048, 1800))


@dataclass(frozen=True)
class DeviceFacts:
    """What one OpenCL device says of itself."""

    platform: str
    name: str
    kind: str
    compute_units: int
    memory_mb: int
    local_memory_kb: int
    images: bool
    driver: str


@dataclass
class DoctorReport:
    """What was found; ``ok`` is what the exit code tells.

    Attributes
    ----------
    devices
        Every device of every platform.
    chosen, reason
        The one that would be used (empty: none) and why.
    problem
        Why there is none, or what failed.
    checks
        One a kernel and set of options.
    variant
        How the direct method cuts its work on the device.
    gups
        10^9 pixel updates a second by back-projection: pixels inside the circle x angles x slices.
    copy_gb_s
        Bytes read and written by a copy in the device's memory, a second.
    transforms
        Where Fourier transforms run.
    plans
        Method and block that 32 slices of a typical size would get.
    """

    devices: list[DeviceFacts]
    chosen: str = ""
    reason: str = ""
    problem: str = ""
    checks: list[KernelCheck] = field(default_factory=list)
    variant: str = ""
    gups: float = 0.0
    copy_gb_s: float = 0.0
    transforms: str = ""
    plans: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether there is a device as asked for and every kernel is right on it."""
        return not self.problem and bool(self.checks) and all(c.passed for c in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**asdict(self), "ok": self.ok}


def examine(device: DeviceKind = "auto") -> DoctorReport:
    """List the devices, then check and measure the one that ``device`` asks for."""
    report = DoctorReport([_facts(one) for one in list_devices()])
    try:
        found = find_device(device)
    except UserError as error:
        report.problem = str(error)
        return report
    report.chosen = found.description
    report.reason = _reason(found, device)
    report.transforms = _transforms(found)
    report.checks = [*check_kernels(found), *check_cone(found), *check_normalise(found)]
    try:
        report.variant, report.gups = _measure_gups(found)
        report.copy_gb_s = _measure_copy_gb_s(found)
        report.plans = [_plan(found, n_px, n_angles) for n_px, n_angles in _TYPICAL]
    except (UserError, cl.Error) as error:
        report.problem = str(error).splitlines()[0]
    return report


def render(report: DoctorReport) -> str:
    """Return the report as lines for a terminal."""
    lines = ["OpenCL devices:" if report.devices else "OpenCL devices: none"]
    lines += [
        f"  {one.kind.upper()} {one.name} ({one.platform}, driver {one.driver}):"
        f" {one.compute_units} compute units, {one.memory_mb} MB,"
        f" local memory {one.local_memory_kb} KB, images {'yes' if one.images else 'no'}"
        for one in report.devices
    ]
    if report.chosen:
        lines += [f"would be used: {report.chosen}", f"  because {report.reason}"]
        lines += [f"transforms: {report.transforms}", "kernels:"]
        lines += [f"  {_line(check)}" for check in report.checks]
    if report.gups:
        lines += [
            f"back-projection, variant {report.variant}: {report.gups:.1f} GUPS"
            " (10^9 pixel-angle-slice updates a second)",
            f"memory: {report.copy_gb_s:.1f} GB/s",
            *report.plans,
        ]
    if report.problem:
        lines.append(f"error: {report.problem}")
    failed = sum(not check.passed for check in report.checks)
    if failed:
        lines.append(f"error: {failed} of {len(report.checks)} kernels fail")
    if report.ok:
        lines.append("all is well")
    return "\n".join(lines)


def _line(check: KernelCheck) -> str:
    name = f"{check.kernel} {check.options}"
    if check.error is None:
        return f"FAILED {name}: {check.problem}"
    return f"{'ok' if check.passed else 'FAILED'} {name}: off by {check.error:.1e} of the largest"


def _facts(device: cl.Device) -> DeviceFacts:
    kind = "gpu" if device.type & cl.device_type.GPU else "cpu"
    return DeviceFacts(
        platform=device.platform.version.strip(),
        name=device.name.strip(),
        kind=kind if device.type & (cl.device_type.GPU | cl.device_type.CPU) else "other",
        compute_units=int(device.max_compute_units),
        memory_mb=int(device.global_mem_size) // 2**20,
        local_memory_kb=int(device.local_mem_size) // 2**10,
        images=bool(device.image_support),
        driver=device.driver_version.strip(),
    )


def _reason(device: Device, asked: DeviceKind) -> str:
    if asked != "auto":
        return f"{asked} was asked for"
    if device.kind == "gpu":
        return "auto prefers a GPU"
    return "auto found no GPU"


def _transforms(device: Device) -> str:
    if vkfft.is_used(device):
        return "on the device, by VkFFT"
    if device.kind == "cpu":
        return "on the host, by scipy"
    return "on the host, by scipy, for pyvkfft is not installed (the container image has it)"


def _measure_gups(device: Device) -> tuple[str, float]:
    """Back-project zeros, once to build and touch memory, then three times; the best counts."""
    angles = np.arange(_SPEED_ANGLES) * np.pi / _SPEED_ANGLES
    geometry = make_geometry(angles, _SPEED_PX)
    lanes = _SPEED_LANES
    variant = choose_variant(device, geometry, lanes)
    shape = RowFilter(geometry, variant.margin_px + 2)
    project = BackProjector(device, geometry, shape.n_samples, shape.axis, variant)
    queue, flags = device.queue(), cl.mem_flags.READ_WRITE
    rows = cl.Buffer(device.context, flags, 4 * lanes * _SPEED_ANGLES * shape.n_samples)
    slices = cl.Buffer(device.context, flags, 4 * lanes * project.width * project.height)
    for buffer in (rows, slices):
        cl.enqueue_fill_buffer(queue, buffer, _ZERO, 0, buffer.size)

    def work() -> None:
        project(queue, rows, slices)
        queue.finish()

    updates = np.pi / 4 * _SPEED_PX**2 * _SPEED_ANGLES * lanes
    return variant.name, float(updates / _least_s(work) / 1e9)


def _measure_copy_gb_s(device: Device) -> float:
    queue, flags = device.queue(), cl.mem_flags.READ_WRITE
    source, target = (cl.Buffer(device.context, flags, _COPY_BYTES) for _ in range(2))
    cl.enqueue_fill_buffer(queue, source, _ZERO, 0, _COPY_BYTES)

    def work() -> None:
        cl.enqueue_copy(queue, target, source)
        queue.finish()

    return 2 * _COPY_BYTES / _least_s(work) / 1e9


def _least_s(work: Callable[[], None]) -> float:
    work()
    times = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def _plan(device: Device, n_px: int, n_angles: int) -> str:
    geometry = make_geometry(np.arange(n_angles) * np.pi / n_angles, n_px)
    plan = make_plan(device, geometry, 32, "auto")
    return f"32 slices of {n_px} px from {n_angles} angles: {plan.description}"
