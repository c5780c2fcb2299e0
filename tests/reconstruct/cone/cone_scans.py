"""Exact scans of ellipsoids in a cone, and how far a reconstruction is from them."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from tomobatch.beam import ConeBeam
from tomobatch.phantom.cone import cone_line_integrals
from tomobatch.phantom.project import phantom_volume
from tomobatch.phantom.solids import Shape, Solid

# x, y, z, half axes, turn in degrees, density; in half sizes, z of those with a name in degrees.
_BODIES = [
    (0.0, 0.0, 0.0, 0.80, 0.72, 0.96, 0, 1.0),
    (0.0, 0.0, 0.0, 0.76, 0.68, 0.93, 0, -0.6),
    (0.30, 0.10, 0.0, 0.18, 0.26, 0.30, 20, 0.2),
    (-0.30, -0.05, 0.0, 0.14, 0.30, 0.25, -18, -0.2),
    (0.0, 0.35, 0.0, 0.16, 0.16, 0.16, 0, 0.3),
    (0.05, -0.40, 0.0, 0.06, 0.04, 0.06, 0, 0.4),
    (0.30, 0.10, "5", 0.20, 0.14, 0.15, 40, 0.3),
    (-0.28, 0.12, "5", 0.12, 0.22, 0.12, 0, -0.2),
    (0.0, -0.30, "5", 0.10, 0.10, 0.10, 0, 0.4),
    (0.20, 0.08, "10", 0.16, 0.10, 0.10, 30, 0.3),
    (-0.18, 0.05, "10", 0.08, 0.14, 0.09, 0, -0.2),
]


def ellipsoids(size: int, source: float) -> list[Solid]:
    """Bodies in a shell, some of them seen under 5 and 10 degrees."""
    half = size / 2
    solids = []
    for x, y, z, a, b, c, turn, density in _BODIES:
        height = math.tan(math.radians(float(z))) * source if isinstance(z, str) else z * half
        axes = (a * half, b * half, c * half)
        solids.append(
            Solid(Shape.ELLIPSOID, x * half, y * half, height, *axes, math.radians(turn), density)
        )
    return solids


def ellipsoids_without_shell(size: int, source: float) -> list[Solid]:
    """The same bodies without the shell, which in a small scan is as thin as a voxel."""
    _, inner, *bodies = ellipsoids(size, source)
    return [replace(inner, attenuation_per_px=0.4), *bodies]


def ideal(size: int) -> tuple[ConeBeam, int, int]:
    """A beam whose source is 2.42 sizes from the axis, and a detector that sees all of the cube."""
    source = 2.42 * size
    nearest = source - math.sqrt(2) * size / 2
    n_cols = int(size * source / nearest * 1.05 / 2) * 2 + 16
    n_rows = size + 2 * math.ceil(size / 2 * (source / nearest - 1)) + 6
    return ConeBeam(source, 2 * source, 2.0, 2.0), n_rows, n_cols


def scan(
    solids: list[Solid], beam: ConeBeam, angles: np.ndarray, n_rows: int, n_cols: int
) -> np.ndarray:
    """Sinograms float32 (row, angle, x)."""
    sinograms = np.empty((n_rows, len(angles), n_cols), dtype=np.float32)
    drifts = beam.drifts(len(angles))

    def take(index: int) -> None:
        sinograms[:, index] = cone_line_integrals(
            solids,
            beam,
            float(angles[index]),
            n_rows=n_rows,
            n_cols=n_cols,
            drift_px=tuple(drifts[index]),
            samples=1,
        )

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(take, range(len(angles))))
    return sinograms


def rmse(
    volume: np.ndarray, solids: list[Solid], beam: ConeBeam, size: int, degrees: float
) -> float:
    """Error of the slice that the source sees under an angle, in a disc of 0.47 sizes."""
    n_rows = len(volume)
    _, plane = beam.principal_px(n_rows, size)
    k = round(plane + math.tan(math.radians(degrees)) * beam.source_voxels)
    # The exact volume has its middle slice in the source's plane.
    shifted = [_moved(solid, plane - (n_rows - 1) / 2) for solid in solids]
    exact = phantom_volume(shifted, size, n_rows, slice(k, k + 1))[0]
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    inside = x**2 + y**2 < (0.47 * size) ** 2
    return float(np.sqrt(np.mean((volume[k].astype(np.float64) - exact)[inside] ** 2)))


def _moved(solid: Solid, z_px: float) -> Solid:
    return Solid(**{**vars(solid), "z_px": solid.z_px + z_px})
