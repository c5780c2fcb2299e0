"""Fill the rays of the cone's projector with what the detector measured."""

from collections.abc import Callable
from functools import partial

import numpy as np

from tomobatch.arrays import Float32Array, Float64Array
from tomobatch.reconstruct.cone.resample import detector_places, interpolate
from tomobatch.reconstruct.cone.walks import RayGrid
from tomobatch.reconstruct.fft import in_parallel
from tomobatch.reconstruct.filter import check_finite
from tomobatch.reconstruct.iterative.rays import noise_sigma

Read = Callable[[slice, slice], Float32Array]

_ANGLES_AT_A_TIME = 64
_ROWS_LOOKED_AT = 64


def seen_pixels(grid: RayGrid) -> Float32Array:
    """Return 1 where the detector has a pixel of the ideal one at every angle, (column, row)."""
    _, n_cols, n_rows = grid.rays_shape
    if not grid.cone.beam.is_turned:
        return np.ones((n_cols, n_rows), dtype=np.float32)
    places, drift = detector_places(grid.cone, 0, n_rows), grid.cone.drift_px
    lowest, highest = places + drift.min(axis=0), places + drift.max(axis=0)
    inside = (lowest >= 0).all(axis=-1) & (highest <= (n_cols - 1, n_rows - 1)).all(axis=-1)
    seen: Float32Array = inside.astype(np.float32)
    return seen


def place_rays(read: Read, grid: RayGrid, seen: Float32Array, out: Float32Array) -> None:
    """Read a scan into ``out`` (angle, column, row), as the ideal detector would have seen it.

    ``read(rows, angles)`` returns float32 (row, angle, x). Pixels not seen become zero.

    Raises
    ------
    UserError
        A value that is not finite, with its row and projection.
    """
    n_angles, _, n_rows = grid.rays_shape
    places = detector_places(grid.cone, 0, n_rows) if grid.cone.beam.is_turned else None
    for first in range(0, n_angles, _ANGLES_AT_A_TIME):
        stop = min(first + _ANGLES_AT_A_TIME, n_angles)
        sinograms = read(slice(0, n_rows), slice(first, stop))
        check_finite(sinograms.sum(axis=2, dtype=np.float64), 0, first)
        work = partial(_place, sinograms, first, grid, places, seen, out)
        in_parallel(work, stop - first, 1)


def _place(
    sinograms: Float32Array,
    first: int,
    grid: RayGrid,
    places: Float64Array | None,
    seen: Float32Array,
    out: Float32Array,
    part: slice,
) -> None:
    """Place some angles of sinograms that begin with the angle ``first``."""
    for at in range(part.start, part.stop):
        projection = sinograms[:, at]
        if places is None:
            out[first + at] = projection.T
        else:
            drift_u, drift_v = grid.cone.drift_px[first + at]
            interpolate(projection, 0, places, drift_u, drift_v, seen, out[first + at])


def volume_noise(rays: Float32Array, seen: Float32Array) -> float:
    """Return the noise of rays (angle, column, row), by those of some rows of the detector."""
    step = max(1, rays.shape[2] // _ROWS_LOOKED_AT)
    sigmas = noise_sigma(rays[:, :, ::step], seen[:, ::step])
    return float(np.median(sigmas[sigmas > 0])) if (sigmas > 0).any() else 0.0
