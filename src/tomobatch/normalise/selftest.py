"""Build the normalise kernel with every set of options and compare it with its float64 twin."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tomobatch.normalise.normalise import lowest_transmission, normalise
from tomobatch.normalise.references import average_references
from tomobatch.normalise.repair import plan_repair
from tomobatch.normalise.series import ReferenceSeries
from tomobatch.normalise.settings import NormaliseSettings
from tomobatch.normalise.twin import normalise_projection
from tomobatch.opencl.check import KernelCheck, compare
from tomobatch.opencl.devices import Device

# A float32 quotient and a logarithm, each right to a few units in the last place.
TOLERANCE = 2e-6

_TYPES = ("uint8", "uint16", "int16", "int32", "float32")
Shape = tuple[int, int, int]
"""Projections, rows and columns of the counts."""

SHAPE: Shape = (2, 24, 40)


def check_kernels(device: Device, shape: Shape = SHAPE) -> Iterator[KernelCheck]:
    """Build, run and compare, for every type of counts, with and without the search for zingers."""
    for name in _TYPES:
        for threshold in (0.3, None):
            yield _check(device, name, threshold, shape)


def _check(device: Device, type_name: str, threshold: float | None, shape: Shape) -> KernelCheck:
    def run() -> tuple[npt.ArrayLike, npt.ArrayLike]:
        random = np.random.default_rng(0)
        flat = random.integers(90, 110, (1, *shape[1:])).astype(type_name)
        raw = random.integers(30, 60, shape).astype(type_name)
        raw[:, 7, 9] = 120
        settings = NormaliseSettings(flats="mean", zinger_threshold=threshold)
        references = average_references([ReferenceSeries(flat, 0.0)], None, settings)
        found = normalise(raw, 0, references, settings, device=device).line_integrals
        signal, dark = flat[0].astype(np.float64), np.zeros(shape[1:])
        repair = plan_repair(references.bad_pixels)
        lowest = lowest_transmission(references, settings)
        expected = [
            normalise_projection(
                projection.astype(np.float64), signal, dark, repair, settings, 0.0, lowest
            )
            for projection in raw
        ]
        return found, [one.line_integrals for one in expected]

    zingers = "with" if threshold is not None else "without"
    return compare("normalise.cl", f"{type_name} {zingers} zingers", TOLERANCE, run)
