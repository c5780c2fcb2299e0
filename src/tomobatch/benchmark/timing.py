"""Time blocks of slices."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from tomobatch.arrays import Float32Array, Float64Array
from tomobatch.cores import n_usable_cores
from tomobatch.opencl.devices import Device
from tomobatch.reconstruct.engine import Engine
from tomobatch.reconstruct.geometry import Geometry, make_geometry

REPEATS = 3


def half_turn(n_px: int, n_angles: int) -> Geometry:
    """Return the geometry of so many angles over half a turn."""
    return make_geometry(np.arange(n_angles) * np.pi / n_angles, n_px)


def least_s(device: Device, work: Callable[[], object]) -> float:
    """Return the least time of a few calls, after a first one that builds and touches memory.

    Wall seconds on a GPU; on a CPU device CPU seconds over the CPUs, which is what the work takes
    where nothing else runs.
    """
    clock = time.process_time if device.kind == "cpu" else time.perf_counter
    share = n_usable_cores() if device.kind == "cpu" else 1
    work()
    times = []
    for _ in range(REPEATS):
        start = clock()
        work()
        times.append((clock() - start) / share)
    return min(times)


def block(geometry: Geometry, lanes: int) -> tuple[Float32Array, Float64Array, Float32Array]:
    """Return sinograms of noise, their centres of rotation, and where the slices go."""
    shape = (lanes, geometry.n_angles, geometry.n_cols)
    rows = np.random.default_rng(0).standard_normal(size=shape, dtype=np.float32)
    cors = np.full(lanes, (geometry.n_cols - 1) / 2)
    return rows, cors, np.empty((lanes, *geometry.shape_px), dtype=np.float32)


def block_s(device: Device, geometry: Geometry, lanes: int, engine: Engine) -> float:
    """Return the least time of a full block by an engine."""
    rows, cors, out = block(geometry, lanes)
    return least_s(device, lambda: engine(rows, cors, out))


def full_blocks_s(
    device: Device, geometry: Geometry, lanes: int, make: Callable[[Geometry], Engine]
) -> float:
    """Return the time of a full block where as many engines work as a job has of the device."""
    if device.n_engines == 1:
        return block_s(device, geometry, lanes, make(geometry))
    made = [make(geometry) for _ in range(device.n_engines)]
    return min(side_by_side_s(geometry, lanes, made, 2) for _ in range(REPEATS))


def side_by_side_s(geometry: Geometry, lanes: int, engines: list[Engine], n_blocks: int) -> float:
    """Return the wall time of a block when engines take so many blocks each in threads."""
    blocks = [block(geometry, lanes) for _ in engines]

    def run(number: int) -> None:
        for _ in range(n_blocks):
            engines[number](*blocks[number])

    with ThreadPoolExecutor(len(engines)) as threads:
        list(threads.map(lambda number: engines[number](*blocks[number]), range(len(engines))))
        start = time.perf_counter()
        list(threads.map(run, range(len(engines))))
        return (time.perf_counter() - start) / (n_blocks * len(engines))
