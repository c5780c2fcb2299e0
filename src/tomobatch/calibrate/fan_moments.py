"""Moments of the rows of a cone beam along the columns, of which its source's plane is found.

What two views of a cone have in common are integrals over planes through both sources. Such a plane
meets the detector in a line that leans by little, so that the integral along it is one of the
moments of the rows about it and of their change from row to row: few numbers for every view.
"""

import numpy as np
from numpy.typing import NDArray

from tomobatch.beam import ConeBeam
from tomobatch.calibrate.packed import pack, unpack
from tomobatch.turn import FULL_TURN_RAD

Floats = NDArray[np.float64]

N_ORDERS = 5
BAND_ROWS = 96
"""Rows on either side of the source's plane; lines through those further away lean too much."""
_MOST_ANGLES = 256


def is_near_plane(beam: ConeBeam | None, row: int, n_rows: int) -> bool:
    """Return whether a row is one whose moments are kept."""
    return beam is not None and abs(row - beam.principal_px(n_rows, 1)[1]) <= BAND_ROWS


def even_angles(angles_rad: Floats, *, is_full_turn: bool) -> Floats:
    """Return evenly spaced angles over the same range, at most 256."""
    n = min(len(angles_rad), _MOST_ANGLES)
    if is_full_turn:
        return np.asarray(angles_rad[0] + np.arange(n) * FULL_TURN_RAD / n)
    return np.linspace(angles_rad[0], angles_rad[-1], n)


def row_moments(
    row: NDArray[np.float32],
    angles_rad: Floats,
    at_rad: Floats,
    beam: ConeBeam,
    above_plane_px: float,
) -> tuple[str, ...]:
    """Return the packed moments of a row, one text an order, without their means over the angles.

    Of the line integrals times the cosine of their ray to the normal, over the tangent of its angle
    to the ray through the axis.

    Parameters
    ----------
    row
        Sinogram of one row, (angle, x), float32.
    angles_rad
        Of the source, rising.
    at_rad
        Evenly spaced, where the moments are wanted; means over about one step.
    beam
        The cone.
    above_plane_px
        The row's number less that of the source's plane.
    """
    n_x = row.shape[1]
    across = (np.arange(n_x) - beam.cor_px(n_x)) / beam.source_voxels
    along = above_plane_px * beam.row_pitch_mm / beam.source_to_detector_mm
    cosines = 1 / np.sqrt(1 + across**2 + along**2)
    weights = np.stack([cosines * across**order for order in range(N_ORDERS)], axis=1)
    moments = row.astype(np.float64) @ weights
    starts = np.linspace(0, len(row), len(at_rad), endpoint=False).astype(np.intp)
    counts = np.diff(starts, append=len(row))
    means = np.add.reduceat(moments, starts) / counts[:, None]
    middles = np.add.reduceat(angles_rad, starts) / counts
    there = [np.interp(at_rad, middles, mean, period=FULL_TURN_RAD) for mean in means.T]
    return tuple(pack(one - one.mean()) for one in there)


def unpack_moments(texts: tuple[str, ...]) -> Floats:
    """Return the moments that `row_moments` packed, (order, angle)."""
    return np.stack([unpack(text) for text in texts]).astype(np.float64)
