"""What each stage of our two methods costs, and what share of the machine's peak it reaches."""

import time
from collections.abc import Callable

import numpy as np

from tomobatch.cores import n_usable_cores
from tomobatch.opencl.buffers import Shared
from tomobatch.opencl.devices import Device
from tomobatch.reconstruct.direct import BackProjector
from tomobatch.reconstruct.fourier import STANDARD, FourierEngine
from tomobatch.reconstruct.geometry import Geometry, make_geometry
from tomobatch.reconstruct.rows import RowFilter
from tomobatch.reconstruct.splitting import SliceSplitter
from tomobatch.reconstruct.variants import tiles

# Most slices of a block.
LANES = {"direct": 32, "fourier": 16}


def stage_costs(
    device: Device, sinograms: np.ndarray, angles_rad: np.ndarray, rounds: int
) -> dict[str, dict[str, dict[str, float]]]:
    """Return milliseconds, GFLOP/s and GB/s a slice, by method and stage.

    Medians of the CPU time of all threads divided by their number: what the stage takes on cores
    that nobody else uses. Operations and bytes are counted, not measured: see the explanation of
    the roofline.
    """
    geometry = make_geometry(angles_rad, sinograms.shape[2])
    found = {}
    for method, stages in (
        ("direct", _direct_stages(device, geometry, sinograms[: LANES["direct"]])),
        ("fourier", _fourier_stages(device, geometry, sinograms[: LANES["fourier"]])),
    ):
        counts = _counts(geometry, method)
        for work in stages.values():
            work()
        times_ms = {name: [_cpu_ms(work) for _ in range(rounds)] for name, work in stages.items()}
        n_slices = min(len(sinograms), LANES[method])
        found[method] = {}
        for name, samples in times_ms.items():
            ms = float(np.median(samples)) / n_slices
            gflop, gbyte = counts[name]
            found[method][name] = {
                "ms": ms,
                "gflop_s": gflop / ms * 1e3,
                "gb_s": gbyte / ms * 1e3,
            }
    return found


def _direct_stages(
    device: Device, geometry: Geometry, sinograms: np.ndarray
) -> dict[str, Callable[[], object]]:
    lanes, queue = len(sinograms), device.queue()
    variant = tiles(lanes)
    row_filter = RowFilter(geometry, variant.margin_px + 2)
    project = BackProjector(device, geometry, row_filter.n_samples, row_filter.axis, variant)
    split = SliceSplitter(device, geometry, lanes, project.width)
    rows = np.empty((geometry.n_angles, row_filter.n_samples, lanes), np.float32)
    shared = Shared(queue, rows.shape)
    image = Shared(queue, (geometry.shape_px[0], project.width, lanes))
    slices = Shared(queue, (lanes, *geometry.shape_px))
    cors = np.full(len(sinograms), (geometry.n_cols - 1) / 2)
    return {
        "filter": lambda: row_filter(sinograms, cors, rows),
        "back-project": lambda: (project(queue, shared.buffer, image.buffer), queue.finish()),
        "split": lambda: (split(queue, image.buffer, slices.buffer, lanes), queue.finish()),
    }


def _fourier_stages(
    device: Device, geometry: Geometry, sinograms: np.ndarray
) -> dict[str, Callable[[], object]]:
    engine = FourierEngine(device, geometry, LANES["fourier"])
    cors = np.full(len(sinograms), (geometry.n_cols - 1) / 2)
    out = np.empty((len(sinograms), *geometry.shape_px), np.float32)
    return {
        "sample lines": lambda: engine.sample_lines(sinograms, cors),
        "spread": lambda: (engine.spread_samples(), engine.queue.finish()),
        "transform": engine.transform_grid,
        "cut": lambda: (engine.cut_slices(out), engine.queue.finish()),
    }


def _counts(geometry: Geometry, method: str) -> dict[str, tuple[float, float]]:
    """Return 10^9 operations and 10^9 bytes to and from main memory, of one slice, by stage."""
    n, n_angles = geometry.size_px, geometry.n_angles
    length = 2 * geometry.n_cols
    row_fft = n_angles * 2.5 * length * np.log2(length)
    sinogram, image = 4.0 * n_angles * n, 4.0 * n * n
    if method == "direct":
        updates = np.pi / 4 * n * n * n_angles
        return {
            "filter": (2e-9 * row_fft, 2e-9 * sinogram),
            "back-project": (4e-9 * updates, 1e-9 * (sinogram + image)),
            "split": (0.0, 2e-9 * image),
        }
    grid = (STANDARD.oversampling * n) ** 2
    samples = n_angles * length / 2
    taps = STANDARD.width**2 + STANDARD.width
    side = STANDARD.oversampling * n
    transforms = (side + n) / 2 * 5 * side * np.log2(side)
    return {
        "sample lines": (1e-9 * row_fft, 1e-9 * (sinogram + 8 * samples)),
        "spread": (4e-9 * samples * taps, 1e-9 * (8 * samples + 4 * grid)),
        "transform": (1e-9 * transforms, 4e-9 * (3 * grid + 2 * n * side) / 2),
        "cut": (0.0, 1e-9 * (image + image)),
    }


def _cpu_ms(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1e3 / n_usable_cores()
