"""Projections as a detector parallel to the rotation axis would have seen them.

The ramp filter runs along the rows, which must be perpendicular to the axis: a detector that is
rolled, tilted or slanted is interpolated first, by the cubic of Keys (IEEE Trans. ASSP 29, 1153,
1981), which keeps fine detail better than a straight line does.
"""

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from tomobatch.arrays import Float64Array
from tomobatch.compiled import compiled
from tomobatch.reconstruct.cone.geometry import ConeGeometry

Pictures = npt.NDArray[np.float32] | npt.NDArray[np.float64]


def detector_places(geometry: ConeGeometry, first_row: int, stop_row: int) -> Float64Array:
    """Return the column and row of the detector for every ideal one, (n_cols, row, 2).

    Rows ``first_row`` to ``stop_row`` of the ideal detector, not shifted by any drift.
    """
    u_px, v_px = geometry.principal_px
    u, v = np.meshgrid(
        np.arange(geometry.slices.n_cols) - u_px,
        np.arange(first_row, stop_row) - v_px,
        indexing="ij",
    )
    columns, rows = geometry.beam.on_detector(u, v)
    return np.stack([columns + u_px, rows + v_px], axis=-1)


@compiled
def interpolate(
    picture: Pictures,
    first_row: int,
    places: Float64Array,
    drift_u: float,
    drift_v: float,
    weights: Pictures,
    out: Pictures,
) -> None:
    """Interpolate one projection at places and weigh it.

    Parameters
    ----------
    picture : float (row, column)
        Rows of the detector from ``first_row`` on; beyond it the outermost pixels stand.
    places : float64 (column, row, 2)
        Column and row of the detector.
    drift_u, drift_v
        What is added to every place.
    weights, out : float (column, row)
    """
    n_rows, n_cols = picture.shape
    along_u, along_v = np.empty(4), np.empty(4)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            u = min(max(places[i, j, 0] + drift_u, 0.0), n_cols - 1.0)
            v = min(max(places[i, j, 1] + drift_v - first_row, 0.0), n_rows - 1.0)
            column, row = math.floor(u), math.floor(v)
            _keys(u - column, along_u)
            _keys(v - row, along_v)
            total = 0.0
            for b in range(4):
                line = picture[min(max(row + b - 1, 0), n_rows - 1)]
                part = 0.0
                for a in range(4):
                    part += along_u[a] * line[min(max(column + a - 1, 0), n_cols - 1)]
                total += along_v[b] * part
            out[i, j] = weights[i, j] * total


@njit(nogil=True, inline="always")
def _keys(t: float, weights: Float64Array) -> None:
    """Set the weights of four neighbours for a place at ``t`` behind the second."""
    weights[0] = ((-0.5 * t + 1.0) * t - 0.5) * t
    weights[1] = (1.5 * t - 2.5) * t * t + 1.0
    weights[2] = ((-1.5 * t + 2.0) * t + 0.5) * t
    weights[3] = (0.5 * t - 0.5) * t * t
