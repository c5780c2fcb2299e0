"""A sample that moves while it is scanned: slowly, by a leap, or to and fro.

The views that meet at the two ends of half a turn lay on each other wherever the sample has gone
meanwhile, so that an axis between its two places is found and looks certain. What tells is in
between: the centre of mass leaves its circle, and two neighbouring projections differ by more than
neighbours do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tomobatch.calibrate.moments import circle, weigh
from tomobatch.calibrate.packed import pack, unpack
from tomobatch.calibrate.rows import remove_slow_part
from tomobatch.spread import NORMAL_MAD
from tomobatch.turn import angle_step

Row = NDArray[np.float32]
Floats = NDArray[np.float64]

N_BLOCKS = 12  # of angles, whose means tell a path from noise
FEWEST_ANGLES = 2 * N_BLOCKS
NOISE_SIGMAS = 2.0
# A mass that changes by more with the angle is of a sample that reaches beyond the detector, or
# hardens the beam; what a smaller change makes of the path, as a share of the width.
MOST_MASS_CHANGE, BY_MASS = 0.02, 0.1
# What a beam that drifts makes of the path, as a share of the width times its change at the rim.
BY_DRIFT = 0.1
# The error of the cor by a path that leaves the circle by so much: three times that of a leap
# halfway. A steady drift is nearly a circle, and moves the cor by half of it.
OF_PATH, OF_STEADY, STEADY_SHARE = 3.0, 0.5, 0.5
# A leap between two projections: what it is at least, and how far beyond what is usual.
LEAST_LEAP_PX, LEAP_SIGMAS = 0.2, 8.0
SMOOTHING_PX, FEWEST_AROUND = 2.0, 9
LEAST_JITTER_PX = 0.3


@dataclass(frozen=True)
class Movement:
    """How a sample moves along the detector, in pixels; all 0 where nothing tells so.

    Attributes
    ----------
    error_px
        What it may do to the cor, one standard deviation.
    size_px
        About how far the sample goes.
    how
        In words; empty where it stands still.
    """

    error_px: float = 0.0
    size_px: float = 0.0
    how: str = ""


STANDS_STILL = Movement()
SLOWLY, AT_ONCE = "while it is scanned", "between two projections"
TO_AND_FRO = "from one projection to the next"


def pack_masses(row: Row) -> str:
    """Return each projection's mass and first moment as text; empty where the object is cut off."""
    found = weigh(row)
    if found is None:
        return ""
    return pack(np.stack([found.mass * row.shape[1], found.moment]))


def pack_steps(row: Row) -> str:
    """Return as text the shift from each projection to the next by least squares.

    Its two parts: the product of gradient and difference, and the square of the gradient.
    """
    smooth = ndimage.gaussian_filter1d(remove_slow_part(row), SMOOTHING_PX, axis=1)
    slope = np.gradient(smooth, axis=1)
    slope = (slope[1:] + slope[:-1]) / 2
    score = -np.sum(slope * np.diff(smooth, axis=0), axis=1, dtype=np.float64)
    return pack(np.stack([score, np.sum(slope**2, axis=1, dtype=np.float64)]))


def movement_of(
    masses: Sequence[str],
    steps: Sequence[str],
    angles: str,
    n_x: int,
    air_change: float,
    jitter_px: float,
) -> Movement:
    """Return how a sample moves, slowly or by a leap, whichever may do more to the cor; or jitters.

    Parameters
    ----------
    masses, steps
        By row, as `pack_masses` and `pack_steps` give them.
    angles
        Packed, rising; empty where rows have angles of their own, and nothing can be told.
    n_x
        Columns of the detector.
    air_change
        How the level at the rim changes, as a share of the sample's.
    jitter_px
        Its movement from projection to projection, of which the methods' errors know.
    """
    shaking = Movement(0.0, jitter_px, TO_AND_FRO) if jitter_px > LEAST_JITTER_PX else STANDS_STILL
    angles_rad = unpack(angles).astype(np.float64) if angles else np.zeros(0)
    if len(angles_rad) < FEWEST_ANGLES:
        return shaking
    slow = slow_movement(masses, angles_rad, n_x, air_change) if masses else STANDS_STILL
    at_once = leap(steps, angles_rad) if steps else STANDS_STILL
    return max(shaking, slow, at_once, key=lambda movement: movement.error_px)


def slow_movement(
    masses: Sequence[str], angles_rad: Floats, n_x: int, air_change: float
) -> Movement:
    """Return the movement that the path of the centre of mass shows.

    Parameters
    ----------
    masses
        By row, at least one, as `pack_masses` gives them.
    angles_rad
        Shape (angle,), rising.
    n_x
        Columns of the detector.
    air_change
        How the level at the rim changes, as a share of the sample's.
    """
    mass, moment = _summed(masses)
    path = moment / mass * n_x
    mass_change, _ = _slow_part(mass / mass.mean() - 1)
    if mass_change > MOST_MASS_CHANGE:
        return STANDS_STILL
    basis = circle(angles_rad)
    left = path - basis @ np.linalg.lstsq(basis, path, rcond=None)[0]
    off_px, noise_px = _slow_part(left)
    explained = (NOISE_SIGMAS * noise_px, BY_MASS * n_x * mass_change, BY_DRIFT * n_x * air_change)
    beyond_px = float(np.sqrt(max(off_px**2 - np.sum(np.square(explained)), 0.0)))
    if beyond_px == 0:
        return STANDS_STILL
    time = (angles_rad - angles_rad.mean()) / np.ptp(angles_rad)
    with_drift = np.column_stack([basis, time])
    solution = np.linalg.lstsq(with_drift, path, rcond=None)[0]
    still_off_px, _ = _slow_part(path - with_drift @ solution)
    size_px = 2 * OF_PATH * beyond_px
    error_px = OF_PATH * beyond_px
    if still_off_px < STEADY_SHARE * off_px:
        size_px = float(abs(solution[-1]))
        error_px = max(error_px, OF_STEADY * size_px)
    return Movement(error_px, size_px, SLOWLY)


def leap(steps: Sequence[str], angles_rad: Floats) -> Movement:
    """Return the movement between the two neighbouring projections that are the furthest apart.

    Parameters
    ----------
    steps
        By row, at least one, as `pack_steps` gives them.
    angles_rad
        Shape (angle,), rising.
    """
    score, power = _summed(steps)
    if not power.all():
        return STANDS_STILL
    shifts_px = score / power
    n_around = max(FEWEST_AROUND, len(shifts_px) // N_BLOCKS | 1)
    shifts_px -= ndimage.median_filter(shifts_px, n_around, mode="nearest")
    in_gap = np.diff(angles_rad) > 1.5 * angle_step(angles_rad)
    sizes_px = np.where(in_gap, 0.0, np.abs(shifts_px))
    size_px = float(sizes_px.max())
    usual_px = NORMAL_MAD * float(np.median(sizes_px[~in_gap]))
    if size_px < max(LEAST_LEAP_PX, LEAP_SIGMAS * usual_px):
        return STANDS_STILL
    return Movement(size_px, size_px, AT_ONCE)


def _summed(packed: Sequence[str]) -> Floats:
    """Return the sum of what rows say, shape (2, angle)."""
    rows = np.stack([unpack(text).reshape(2, -1) for text in packed])
    return np.asarray(rows.sum(axis=0, dtype=np.float64))


def _slow_part(values: Floats) -> tuple[float, float]:
    """Return the rms of what changes slowly, without its noise, and that noise."""
    steps = np.diff(values)
    noise = NORMAL_MAD * float(np.median(np.abs(steps - np.median(steps)))) / np.sqrt(2)
    means = np.array([block.mean() for block in np.array_split(values, N_BLOCKS)])
    noise /= np.sqrt(len(values) / N_BLOCKS)
    free = N_BLOCKS - 3  # an offset and a circle are taken out of a path
    return float(np.sqrt(max(np.sum(means**2) / free - noise**2, 0.0))), noise
