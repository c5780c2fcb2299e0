"""Whether the angles of a cone-beam scan count the way that is believed.

The wrong way gives a mirrored volume that blurs towards its rim, and no error: the mean of a full
circle, which tells the axis, is the same either way. But in the source's plane every ray comes
twice, once from either side, and only with the right sense do the two agree: the ray at the fan
angle g of the source's angle b is that at -g of b + pi + 2 g.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from tomobatch.beam import ConeBeam
from tomobatch.calibrate.fan import Row, to_parallel
from tomobatch.turn import FULL_TURN_RAD, HALF_TURN_RAD, covers_full_turn

# Rays that agree so much better the other way: noise and what is not in the plane are in both.
_CLEARLY = 0.7
# Rows this near the source's plane, in which opposite rays are the same.
_NEAR_PLANE_ROWS = 1.0


def in_plane(beam: ConeBeam | None, row: int, n_rows: int) -> bool:
    """Return whether a row is one next to the plane of a cone's source."""
    if beam is None:
        return False
    return abs(row - beam.principal_px(n_rows, 1)[1]) <= _NEAR_PLANE_ROWS


def mismatches(
    row: Row,
    angles_rad: NDArray[np.float64],
    source_px: float,
    cor_px: float,
    normal_px: float,
) -> tuple[float, float] | None:
    """Return how much opposite rays differ, as the angles count and the other way.

    Parameters
    ----------
    row
        Sinogram of a row in the source's plane, shape (angle, x), float32.
    angles_rad
        Of the source in the sense of the beam's frame, rising.
    source_px
        Distance from the source to the detector in columns.
    cor_px, normal_px
        Column of the axis, and of the detector's normal from the source.

    Returns
    -------
    Mean squares, of what differs from angle to angle; None where the angles are no full circle.
    """
    if not covers_full_turn(angles_rad) or len(angles_rad) < 8:
        return None
    other_way = FULL_TURN_RAD - angles_rad[::-1]
    return (
        _mismatch(row, angles_rad, source_px, cor_px, normal_px),
        _mismatch(row[::-1], other_way, source_px, cor_px, normal_px),
    )


def _mismatch(
    row: Row, angles_rad: NDArray[np.float64], source_px: float, cor_px: float, normal_px: float
) -> float:
    """Return the mean square difference of opposite rays, after rebinning, without their means."""
    parallel, angles = to_parallel(
        np.ascontiguousarray(row), angles_rad, source_px, cor_px, normal_px
    )
    places = np.arange(len(angles), dtype=np.float64)
    round_and_round = np.concatenate([angles, angles + FULL_TURN_RAD])
    at = np.interp(
        angles + HALF_TURN_RAD, round_and_round, np.concatenate([places, places + len(places)])
    )
    low = np.floor(at).astype(int)
    share = (at - low)[:, None]
    n = len(angles)
    opposite = (1 - share) * parallel[low % n] + share * parallel[(low + 1) % n]
    columns = np.arange(parallel.shape[1], dtype=np.float64)
    mirrored = 2 * cor_px - columns
    seen = (mirrored >= 0) & (mirrored <= columns[-1])
    if not seen.any():
        return 0.0
    left = np.floor(np.minimum(mirrored[seen], columns[-1] - 1)).astype(int)
    part = mirrored[seen] - left
    like = (1 - part) * opposite[:, left] + part * opposite[:, left + 1]
    difference = parallel[:, seen] - like
    return float(np.mean((difference - difference.mean(axis=0)) ** 2))


def sense_doubts(found: Iterable[tuple[float, float] | None]) -> list[str]:
    """Return a line if opposite rays of the rows looked at agree far better the other way."""
    pairs = np.array([pair for pair in found if pair is not None])
    if len(pairs) == 0:
        return []
    believed, other = pairs.sum(axis=0)
    if other >= _CLEARLY * believed:
        return []
    return [
        "the angles seem to count the other way: opposite rays then differ by"
        f" {np.sqrt(other / believed):.0%} of what they do now; the volume is mirrored and blurs"
        " towards its rim: set datasets.rotation to the other one"
    ]
