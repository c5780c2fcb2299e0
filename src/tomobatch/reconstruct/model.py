"""What a slice should take a GPU that nobody has measured yet: bytes, operations, occupancy, bus.

Every limit is counted from the geometry and divided by the maker's figures, of which the share is
taken that an H100 was measured to reach. Rows are transformed on the device, as in the image. A
slice takes what the kernels take, and the copies, which host and bus make side by side: two engines
wait for each other's copies. docs/explanation/roofline.md tells what is counted.
"""

import math
from dataclasses import dataclass

from tomobatch.reconstruct.direct import row_samples
from tomobatch.reconstruct.filter import SAMPLES_PER_PX, padded_length
from tomobatch.reconstruct.fourier import STANDARD, grid_px
from tomobatch.reconstruct.geometry import Geometry
from tomobatch.reconstruct.sampling import row_length

REACHED = {"direct": 0.3, "fourier": 0.25, "sirt": 0.3, "cgls": 0.3, "tv": 0.3}
"""Share of the kernels' hardest limit that they reach together, as measured on an H100: lower than
that of the hardest kernel, since the others take turns with it. Those of iterations have not been
measured."""

ENOUGH_OCCUPANCY = 0.25
"""Share of a unit's work-items from which on they hide their waiting, each having several
independent additions under way; assumed."""

# What a core of the host reads and writes: copies between ordinary memory and a GPU pass through
# the driver's own, and reach half of it, 10 GB/s (8 to 15 of 53 measured beside an H100).
_HOST_GB_S = 20.0
# Side of a tile: of the slice in direct back-projection, of the grid in spreading 16 slices.
_SIDE, _TILE = 16, 8
# Of an iteration of TV, the longest.
_IMAGE_PASSES, _RAY_PASSES = 16, 8


@dataclass(frozen=True)
class Gpu:
    """Figures of the maker at boost clock; the bus is what a pinned copy reaches of PCIe x16.

    Sources: NVIDIA's data sheets of T4 (2019), A10G (as of A10, 2021, with AWS's 24 GB and 300 W),
    L4 (2023) and H100 SXM (2022).

    Attributes
    ----------
    spread_occupancy, direct_occupancy
        Share of a unit's work-items that full blocks fill, by benchmarks/kernel_resources.py.
    """

    name: str
    tflops: float
    memory_gb_s: float
    units: int
    clock_ghz: float
    bus_gb_s: float
    l2_mb: int
    memory_gb: int
    direct_occupancy: float
    spread_occupancy: float

    @property
    def local_gb_s(self) -> float:
        """Local memory gives 128 bytes a clock and unit."""
        return 128 * self.units * self.clock_ghz


T4 = Gpu("T4", 8.1, 320, 40, 1.59, 12, 4, 16, 0.50, 0.62)
GPUS = (
    T4,
    Gpu("A10G", 31.2, 600, 72, 1.70, 24, 6, 24, 0.33, 0.62),
    Gpu("L4", 30.3, 300, 58, 2.04, 24, 48, 24, 0.33, 0.62),
    Gpu("H100", 66.9, 3350, 132, 1.98, 50, 50, 80, 0.25, 0.62),
)


@dataclass(frozen=True)
class Work:
    """What one slice asks for.

    Attributes
    ----------
    flops
        Operations on the device.
    memory_bytes, local_bytes, bus_bytes
        Through the device's main memory, its local memory, and the bus.
    host_s
        Seconds of the host's cores.
    """

    flops: float
    memory_bytes: float
    local_bytes: float
    bus_bytes: float
    host_s: float


def find_gpu(name: str) -> Gpu:
    """Return the GPU that a device's name tells, else the smallest of those known."""
    words = name.replace("-", " ").split()
    return next((gpu for gpu in GPUS if gpu.name in words), T4)


def least_ms(gpu: Gpu, geometry: Geometry, method: str, n_iterations: int = 1) -> dict[str, float]:
    """Return the least milliseconds a slice by each limit, at the maker's figures."""
    work = _WORKS[method](gpu, geometry)
    return {
        "arithmetic": 1e-9 * n_iterations * work.flops / gpu.tflops,
        "memory": 1e-6 * n_iterations * work.memory_bytes / gpu.memory_gb_s,
        "local": 1e-6 * n_iterations * work.local_bytes / gpu.local_gb_s,
        "bus": 1e-6 * work.bus_bytes / gpu.bus_gb_s,
        "host": 1e3 * work.host_s,
    }


def expected_ms(
    gpu: Gpu, geometry: Geometry, method: str, n_iterations: int = 1
) -> dict[str, float]:
    """Return the milliseconds a slice that device, bus and host should need."""
    least = least_ms(gpu, geometry, method, n_iterations)
    occupancy = gpu.spread_occupancy if method == "fourier" else gpu.direct_occupancy
    hidden = min(1.0, occupancy / ENOUGH_OCCUPANCY)
    kernels = max(least["arithmetic"], least["memory"], least["local"])
    return {
        "device": kernels / (REACHED[method] * hidden),
        "bus": least["bus"],
        "host": least["host"],
    }


def slice_s(gpu: Gpu, geometry: Geometry, method: str, n_iterations: int = 1) -> float:
    """Return the seconds that a slice among a full block should take."""
    expected = expected_ms(gpu, geometry, method, n_iterations)
    return 1e-3 * (expected["device"] + max(expected["bus"], expected["host"]))


def _direct(gpu: Gpu, geometry: Geometry) -> Work:
    """Two multiply-adds and two local reads an update; strips of the rows loaded by every tile."""
    height, width = geometry.shape_px
    area = float(height * width)
    if geometry.mask_radius_px is not None:
        area = min(area, math.pi * (geometry.mask_radius_px / geometry.binning) ** 2)
    updates = area * geometry.n_angles
    rows = 4.0 * geometry.n_angles * row_samples(geometry)
    strip = 4 * (2 * _SIDE * geometry.binning * math.sqrt(2) + 3) / _SIDE**2
    # What the tiles at work at one time share comes from main memory once: a wave is two groups a
    # unit, and reaches over nearly all columns.
    waves = max(1.0, area / _SIDE**2 / (2 * gpu.units))
    # Rows padded, transformed, filtered, transformed back twice as long, interleaved: each is
    # written by one kernel and read by the next.
    passes = 48.0 * geometry.n_angles * padded_length(geometry)
    return Work(
        flops=4 * updates,
        memory_bytes=min(waves * rows, updates * strip) + passes + 12.0 * height * width,
        local_bytes=8 * updates,
        bus_bytes=_bus_bytes(geometry),
        host_s=_host_s(geometry),
    )


def _fourier(gpu: Gpu, geometry: Geometry) -> Work:
    """Rows, samples, grid and slice each cross main memory once a pass; VkFFT transforms."""
    height, width = geometry.shape_px
    n_angles, length, side = geometry.n_angles, row_length(geometry), grid_px(geometry, STANDARD)
    samples = n_angles * length / 2
    taps, halo = STANDARD.width**2, ((_TILE + STANDARD.width) / _TILE) ** 2
    padded = 4.0 * n_angles * length
    traffic = (
        2 * padded  # rows padded, and in
        + 3 * 8 * samples  # spectra out, in, samples out
        + 8 * samples * halo
        + 4 * side**2  # spreading
        + 2 * 8 * side**2  # two passes of the transform, a complex value two slices
        + 8 * height * width  # cut
    )
    rows_fft = n_angles * 2.5 * length * math.log2(length)
    grid_fft = 5.0 * side * math.log2(side) * side
    return Work(
        flops=rows_fft + grid_fft + 4 * samples * taps * halo,
        memory_bytes=traffic,
        # An addition reads a weight, reads and writes a complex value.
        local_bytes=28 * taps * samples * halo,
        bus_bytes=_bus_bytes(geometry),
        host_s=_host_s(geometry),
    )


def _iterative(gpu: Gpu, geometry: Geometry) -> Work:
    """One iteration on the device, to and fro; the bus and the host once, whatever their number.

    A projection and its adjoint make two multiply-adds of two values an update each, which groups
    share through the caches at the rate of local memory; images and rays cross main memory.
    """
    height, width = geometry.shape_px
    updates = 2.0 * height * width * geometry.n_angles
    rays = 4.0 * geometry.n_angles * row_samples(geometry) / SAMPLES_PER_PX
    return Work(
        flops=4 * updates,
        memory_bytes=_IMAGE_PASSES * 4.0 * height * width + _RAY_PASSES * rays,
        local_bytes=8 * updates,
        bus_bytes=_bus_bytes(geometry),
        host_s=_host_s(geometry),
    )


def _bus_bytes(geometry: Geometry) -> float:
    """Return what crosses the bus: the sinogram as it is, and the slice."""
    height, width = geometry.shape_px
    return 4.0 * (geometry.n_angles * geometry.n_cols + height * width)


def _host_s(geometry: Geometry) -> float:
    """Return the seconds of a core that hands the sinogram over and takes the slice."""
    return 2e-9 * _bus_bytes(geometry) / _HOST_GB_S


_WORKS = {
    "direct": _direct,
    "fourier": _fourier,
    "sirt": _iterative,
    "cgls": _iterative,
    "tv": _iterative,
}
