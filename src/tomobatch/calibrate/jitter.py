"""How far the sample moves along the detector from projection to projection."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tomobatch.calibrate.rows import remove_slow_part
from tomobatch.spread import NORMAL_MAD
from tomobatch.turn import angle_step

Floats = NDArray[np.float64]

SMOOTHING_PX = 1.0
MOST_MOTION_PX = 3.0  # of the edge of the view from one projection to the next
# What second differences, taken twice and halved each time, make of white movement: 70 / 16.
GROWN = 70 / 16


def jitter_px(row: NDArray[np.float32], angles_rad: Floats, noise: float) -> float:
    """Return the standard deviation of the sample's movement along x.

    Each projection is held against the mean of its neighbours: the shift that makes them alike, by
    least squares, less what turns smoothly with the sample, and less what noise makes of it.

    Parameters
    ----------
    row
        Sinogram of one detector row, shape (angle, x), float32.
    angles_rad
        Shape (angle,), rising.
    noise
        Standard deviation of the row's white noise.

    Returns
    -------
    0 where the angles are too coarse to tell, or noise explains all.
    """
    step = angle_step(angles_rad)
    if len(row) < 9 or step * row.shape[1] / 2 > MOST_MOTION_PX:
        return 0.0
    even = np.abs(np.diff(angles_rad) - step) < 0.5 * step
    smooth = ndimage.gaussian_filter1d(remove_slow_part(row), SMOOTHING_PX, axis=1)
    mean = (smooth[:-2] + smooth[2:]) / 2
    slope = np.gradient(mean, axis=1)
    power = np.sum(slope**2, axis=1, dtype=np.float64)
    if not power.all():
        return 0.0
    scores = np.sum(slope * (mean - smooth[1:-1]), axis=1, dtype=np.float64)
    shift: Floats = np.asarray(scores / power)
    rough = shift[1:-1] - (shift[:-2] + shift[2:]) / 2
    whole = even[:-3] & even[1:-2] & even[2:-1] & even[3:]
    if whole.sum() < 5:
        return 0.0
    moved = (NORMAL_MAD * float(np.median(np.abs(rough[whole])))) ** 2 / GROWN
    # Smoothing lowers the noise of a pixel, and makes its neighbours alike, by the same factor.
    by_noise = noise**2 / float(np.median(power))
    return float(np.sqrt(max(moved - 1.5 * by_noise, 0.0)))
