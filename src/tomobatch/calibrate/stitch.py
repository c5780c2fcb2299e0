"""One even half turn out of any scan: what the slower methods work on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tomobatch.calibrate.half_turn import half_turn_positions, take_positions
from tomobatch.turn import HALF_TURN_RAD, angle_step, covers_full_turn

Row = NDArray[np.float32]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class HalfTurn:
    """Sinogram over half a turn.

    Attributes
    ----------
    sinogram
        Shape (angle, x), float32; x may be wider than the detector.
    angles_rad
        Shape (angle,).
    shift_px
        What to add to an x of the detector to get that of the sinogram.
    """

    sinogram: Row
    angles_rad: Floats
    shift_px: float


def half_turn_of(row: Row, angles_rad: Floats, cor_px: float) -> HalfTurn:
    """Return an even half turn of a scan; of a full turn the halves are put side by side.

    Parameters
    ----------
    row
        Sinogram of one detector row, shape (angle, x), float32.
    angles_rad
        Shape (angle,), rising. A scan short of half a turn is returned as it is.
    cor_px
        Centre of rotation, about which the second half of a full turn is mirrored.
    """
    first = half_turn_positions(angles_rad)
    if first is None:
        return HalfTurn(row, angles_rad, 0.0)
    half = take_positions(row, first)
    angles = angles_rad[0] + HALF_TURN_RAD / len(first) * np.arange(len(first))
    if not covers_full_turn(angles_rad):
        return HalfTurn(half, angles, 0.0)
    opposite_rad = angles + HALF_TURN_RAD
    # Where the full turn has its gap, half of the sample is not seen.
    seen = opposite_rad <= angles_rad[-1] + 1.5 * angle_step(angles_rad)
    positions = np.interp(opposite_rad[seen], angles_rad, np.arange(len(row)))
    return _side_by_side(half[seen], take_positions(row, positions), angles[seen], cor_px)


def _side_by_side(half: Row, opposite: Row, angles: Floats, cor_px: float) -> HalfTurn:
    """Join two halves, the second mirrored about the cor, blended linearly where they overlap."""
    n_x = half.shape[1]
    before = max(0, int(np.ceil(n_x - 1 - 2 * cor_px)))
    after = max(0, int(np.ceil(2 * cor_px)) - (n_x - 1))
    x = np.arange(-before, n_x + after)
    source = 2 * cor_px - x  # where in the opposite projection x is seen
    low = np.clip(np.floor(source).astype(np.intp), 0, n_x - 2)
    part = np.clip(source - low, 0, 1).astype(np.float32)
    mirrored = opposite[:, low] * (1 - part) + opposite[:, low + 1] * part
    direct = half[:, np.clip(x, 0, n_x - 1)]
    direct_weight = np.clip(np.minimum(x + 1, n_x - x), 0, None)
    mirrored_weight = np.clip(np.minimum(source + 1, n_x - source), 0, None)
    weight = (direct_weight / (direct_weight + mirrored_weight)).astype(np.float32)
    return HalfTurn(direct * weight + mirrored * (1 - weight), angles, float(before))
