"""By how much the last projection of a half turn misses the opposite of the first.

Files list [0, 180) degrees for scans of [0, 180] and the other way round. A wrong list costs up to
half a pixel of cor, and sharpness. The projections tell: the last, mirrored, differs from the first
by the gap times the sinogram's derivative along the angle.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tomobatch.calibrate.rows import remove_slow_part

SMOOTHING_PX = 2.0
MOVED_PX = 2.0  # of a point a quarter of the width from the axis


class SeamGap(NamedTuple):
    """What a row tells of the gap: sums that add up over rows, in units of the row's noise.

    The gap is ``product / power`` steps, its variance ``noise / power**2``. It is 0 where the half
    turn is closed, [0, 180], and -1 where it is open, [0, 180).
    """

    product: float
    power: float
    noise: float


def seam_gap(row: NDArray[np.float32], cor_px: float) -> SeamGap | None:
    """Measure the gap from a sinogram of about half a turn, angles rising by even steps.

    The derivative is taken twice, at either end of the scan, and the product of the two stands
    for its square, so that noise makes the gap uncertain but not smaller. A small error of the
    cor is fitted along.

    Parameters
    ----------
    row
        Sinogram of one detector row, shape (angle, x), float32.
    cor_px
        Centre of rotation, to about a pixel.

    Returns
    -------
    The sums; None where too little of the mirror images overlaps, or projections are few.
    """
    n_angles, n_x = row.shape
    # Far enough for the object to move, near enough that it moves along a straight line.
    lag = max(1, int(MOVED_PX / (np.pi / n_angles * n_x / 4)))
    if n_angles < 4 * lag + 4:
        return None
    starts = _smooth(row[[0, 1, 1 + 2 * lag]])
    ends = _smooth(row[[-1, -2, -2 - 2 * lag]])
    x = np.arange(n_x, dtype=np.float64)
    for _ in range(3):
        opposite = 2 * cor_px - x
        seen = (opposite >= 0) & (opposite <= n_x - 1)
        if np.count_nonzero(seen) < n_x // 8:
            return None
        first, start, start_on = starts[:, seen]
        last, end, end_back = (np.interp(opposite[seen], x, part) for part in ends)
        difference = last - first
        at_start, at_end = (start_on - start) / (2 * lag), (end - end_back) / (2 * lag)
        slope, shift = (at_start + at_end) / 2, np.gradient((first + last) / 2)
        own_gap, doubled_error = np.linalg.lstsq(np.stack([slope, shift], axis=1), difference)[0]
        cor_px += float(np.clip(doubled_error / 2, -1, 1))
    along = shift / max(float(np.linalg.norm(shift)), 1e-30)
    difference, at_start, at_end, slope = (
        part - (part @ along) * along for part in (difference, at_start, at_end, slope)
    )
    variance = float(np.mean((difference - own_gap * slope) ** 2))
    if variance == 0:
        return None
    # Smoothed noise is alike over 2 sqrt(pi) SMOOTHING_PX pixels.
    noise = float(slope @ slope) * 2 * np.sqrt(np.pi) * SMOOTHING_PX
    return SeamGap(
        product=float(difference @ slope) / variance,
        power=float(at_start @ at_end) / variance,
        noise=noise / variance,
    )


def pooled_gap(gaps: Iterable[SeamGap]) -> tuple[float, float]:
    """Return the gap in steps and its standard deviation from many rows; infinite if unknown."""
    product, power, noise = np.sum([(0.0, 0.0, 0.0), *gaps], axis=0)
    if power <= 0:
        return 0.0, float("inf")
    return float(product / power), float(np.sqrt(noise) / power)


def _smooth(projections: NDArray[np.float32]) -> NDArray[np.float64]:
    smooth = ndimage.gaussian_filter1d(remove_slow_part(projections), SMOOTHING_PX, axis=1)
    return smooth.astype(np.float64)
