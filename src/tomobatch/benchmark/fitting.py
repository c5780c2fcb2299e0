"""Fit a device's row of the cost table, ``reconstruct/costs.json``, to times of both methods."""

import numpy as np
from scipy.optimize import nnls

from tomobatch.benchmark.timing import full_blocks_s, half_turn
from tomobatch.opencl.devices import Device
from tomobatch.reconstruct.engine import Engine
from tomobatch.reconstruct.geometry import Geometry
from tomobatch.reconstruct.methods import METHODS
from tomobatch.reconstruct.settings import ReconstructSettings

SIZES = (
    (64, 90),
    (256, 200),
    (256, 800),
    (512, 200),
    (512, 800),
    (1024, 200),
    (1024, 600),
    (2048, 400),
)
"""Columns and angles of the scans that are timed."""

Costs = dict[str, float]

_ITERATIONS = 3
"""Made where a method iterates; more cost as much each."""


def typical_settings(method: str) -> ReconstructSettings:
    """Return the settings by which a method is timed."""
    return ReconstructSettings.model_validate({"method": method, "iterations": _ITERATIONS})


def fit(
    device: Device, method: str, lanes: int, most_px: int = 2048
) -> tuple[Costs, tuple[float, float]]:
    """Return nanoseconds a block and a unit of each term of work, and how well they fit.

    None is negative, and relative errors are least; of the fit the least and the greatest ratio of
    expected and measured time are told. Sizes beyond ``most_px`` are left out, but for two.
    """
    its = METHODS[method]
    sizes = [size for size in SIZES if size[0] <= most_px]
    sizes = sizes if len(sizes) > 2 else [(most_px, 90), (most_px, 180), (most_px // 2, 120)]
    settings = typical_settings(method)
    times = lanes * settings.n_iterations(method)
    rows, measured, names = [], [], ["block"]

    def make(geometry: Geometry) -> Engine:
        return its.make(device, geometry, lanes, settings)

    for n_px, n_angles in sizes:
        geometry = half_turn(n_px, n_angles)
        terms = its.work(geometry)
        names = ["block", *terms]
        rows.append([1.0, *(times * count for count in terms.values())])
        measured.append(1e9 * full_blocks_s(device, geometry, lanes, make))
    scaled = np.array(rows) / np.array(measured)[:, None]
    scale = scaled.max(axis=0)
    found, _ = nnls(scaled / scale, np.ones(len(measured)))
    ratios = scaled @ (found / scale)
    costs = {name: float(f"{c:.3g}") for name, c in zip(names, found / scale, strict=True)}
    return costs, (float(ratios.min()), float(ratios.max()))
