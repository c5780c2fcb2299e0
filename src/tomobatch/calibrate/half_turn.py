"""The part of a scan that covers half a turn, on an even grid of angles."""

import numpy as np
from numpy.typing import NDArray

from tomobatch.turn import HALF_TURN_RAD, angle_step

Floats = NDArray[np.float64]
LARGEST_GAP_RAD = np.pi / 36  # wider, and what is interpolated in it is no longer the object


def half_turn_positions(angles_rad: Floats, start: int = 0) -> Floats | None:
    """Return where to sample a scan for an even half turn.

    Parameters
    ----------
    angles_rad
        Shape (angle,), rising.
    start
        Index of the projection that the half turn begins with.

    Returns
    -------
    Positions along the angle axis, fractional where the angles are uneven, shape (n,), such that
    position i stands for the angle ``angles_rad[start] + pi * i / n``; None when the scan ends
    more than a step and a half short of the half turn, or leaves out more than 5 degrees of it.
    """
    step = angle_step(angles_rad)
    n = round(HALF_TURN_RAD / step)
    wanted = angles_rad[start] + HALF_TURN_RAD / n * np.arange(n)
    if wanted[-1] > angles_rad[-1] + step:
        return None
    stop = int(np.searchsorted(angles_rad, wanted[-1])) + 1
    if np.diff(angles_rad[start:stop]).max() > max(LARGEST_GAP_RAD, 2 * step):
        return None
    positions = np.interp(wanted, angles_rad, np.arange(len(angles_rad), dtype=np.float64))
    near = np.round(positions)
    return np.asarray(np.where(np.abs(positions - near) < 0.01, near, positions))


def take_positions(sinogram: NDArray[np.float32], positions: Floats) -> NDArray[np.float32]:
    """Return the projections at fractional positions, linear between neighbours."""
    low = np.floor(positions).astype(np.intp)
    weight = (positions - low).astype(np.float32)[:, None]
    if not weight.any():
        return sinogram[low]
    high = np.minimum(low + 1, len(sinogram) - 1)
    return sinogram[low] * (1 - weight) + sinogram[high] * weight
