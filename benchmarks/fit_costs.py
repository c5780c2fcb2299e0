"""Fit the table by which ``method: auto`` chooses: measure both methods, write costs.json.

    python benchmarks/fit_costs.py [gpu|cpu]

Times are CPU seconds of the process over the CPUs it may use where the device is the CPU (what the
work takes on a machine that does nothing else), wall seconds on a GPU. Only the row of the device's
kind is replaced.
"""

import json
import platform
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

from tomobatch.cores import n_usable_cores
from tomobatch.opencl.devices import Device, find_device
from tomobatch.reconstruct.geometry import make_geometry
from tomobatch.reconstruct.methods import METHODS
from tomobatch.reconstruct.settings import ReconstructSettings

TABLE = Path(__file__).parents[1] / "src/tomobatch/reconstruct/costs.json"
SIZES = [(64, 90), (256, 200), (256, 800), (512, 200), (512, 800), (1024, 200), (1024, 600)]
LANES = {"direct": (1, 4, 16, 32), "fourier": (1, 4, 16)}
REPEATS = 3


def seconds(device: Device, method: str, lanes: int, n_px: int, n_angles: int) -> float:
    """Return the least time of a full block, after a first one that builds kernels and tables."""
    geometry = make_geometry(np.arange(n_angles) * np.pi / n_angles, n_px)
    engine = METHODS[method].make(device, geometry, lanes, ReconstructSettings())
    rows = np.random.default_rng(0).normal(size=(lanes, n_angles, n_px)).astype(np.float32)
    cors, out = np.full(lanes, (n_px - 1) / 2), np.empty((lanes, n_px, n_px), dtype=np.float32)
    engine(rows, cors, out)
    clock = time.process_time if device.kind == "cpu" else time.perf_counter
    share = n_usable_cores() if device.kind == "cpu" else 1
    times = []
    for _ in range(REPEATS):
        start = clock()
        engine(rows, cors, out)
        times.append((clock() - start) / share)
    return min(times)


def fit(device: Device, method: str, lanes: int) -> dict[str, float]:
    """Return nanoseconds a block and a unit of each term, none negative, relative errors least."""
    rows, measured = [], []
    for n_px, n_angles in SIZES:
        geometry = make_geometry(np.arange(n_angles) * np.pi / n_angles, n_px)
        terms = METHODS[method].work(geometry)
        rows.append([1.0, *(lanes * count for count in terms.values())])
        measured.append(seconds(device, method, lanes, n_px, n_angles) * 1e9)
    scaled = np.array(rows) / np.array(measured)[:, None]
    scale = scaled.max(axis=0)
    found, _ = nnls(scaled / scale, np.ones(len(measured)))
    ratios = scaled @ (found / scale)
    print(f"{method} x{lanes}: expected over measured {ratios.min():.2f} to {ratios.max():.2f}")
    names = ["block", *terms]
    return {name: float(f"{c:.3g}") for name, c in zip(names, found / scale, strict=True)}


def main() -> None:
    """Measure, fit and write."""
    device = find_device(sys.argv[1] if len(sys.argv) > 1 else "auto")
    print(device.description)
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    table["nanoseconds"][device.kind] = {
        method: {str(lanes): fit(device, method, lanes) for lanes in LANES[method]}
        for method in LANES
    }
    today = datetime.now(UTC).date().isoformat()
    table["measured"][device.kind] = (
        f"{today}, benchmarks/fit_costs.py, {device.description}, {platform.machine()},"
        f" {n_usable_cores()} CPUs"
    )
    TABLE.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
