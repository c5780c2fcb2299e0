"""Centre of rotation from projections half a turn apart, one the mirror image of the other.

``p(angle + pi, t) = p(angle, 2 cor - t)``, so the two convolved with each other peak at 2 cor. The
correlation is normalised over the pixels that overlap, and weighed by their number (Fisher's z),
so that an axis near the edge of the detector (half acquisition) is found as well as a central one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from tomobatch.calibrate.candidate import Candidate
from tomobatch.calibrate.rows import remove_slow_part
from tomobatch.turn import HALF_TURN_RAD, angle_step

Floats = NDArray[np.float64]
Row = NDArray[np.float32]
SMOOTHING_PX = 1.0
LARGEST_GAP_STEPS = 3.0  # across which an opposite projection is interpolated


def mirror_cor(row: Row, angles_rad: Floats, search_px: tuple[float, float]) -> Candidate | None:
    """Find the cor at which opposite projections agree best.

    Parameters
    ----------
    row
        Sinogram of one detector row, shape (angle, x), float32.
    angles_rad
        Shape (angle,), rising.
    search_px
        Lowest and highest cor looked at.

    Returns
    -------
    The cor; None when no projections are half a turn apart (to within a step), or the best lies at
    the end of the search.
    """
    first, second = opposite_projections(row, angles_rad)
    if len(first) == 0:
        return None
    first, second = (
        ndimage.gaussian_filter1d(remove_slow_part(part), SMOOTHING_PX, axis=1)
        for part in (first, second)
    )
    doubled = _best_overlap(first, second, search_px)
    return None if doubled is None else _refine(first, second, doubled / 2)


def _best_overlap(first: Row, second: Row, search_px: tuple[float, float]) -> int | None:
    """Return the whole number 2 cor of the best correlation; None if at the end of the search."""
    n_x = first.shape[1]
    length = fft.next_fast_len(2 * n_x, real=True)
    spectrum = np.sum(fft.rfft(first, length, axis=1) * fft.rfft(second, length, axis=1), axis=0)
    energy = np.sqrt(_overlap_energy(first, length) * _overlap_energy(second, length))
    coefficient = fft.irfft(spectrum, length) / np.maximum(energy, 1e-6 * energy.max() + 1e-30)
    doubled = np.arange(length)
    overlap = np.minimum(doubled + 1, 2 * n_x - 1 - doubled)
    fisher_z = np.arctanh(np.clip(coefficient, 0, 0.9999)) * np.sqrt(np.maximum(overlap - 3, 0))
    lowest, highest = int(np.ceil(2 * search_px[0])), int(np.floor(2 * search_px[1]))
    best = lowest + int(np.argmax(fisher_z[lowest : highest + 1]))
    return None if best in (lowest, highest) else best


def _refine(first: Row, second: Row, cor_px: float) -> Candidate | None:
    """Move the cor, by Gauss-Newton steps, to the least squared difference of the mirror images.

    Compared is a fixed stretch inside the overlap: no part of the difference is then due to how
    much overlaps, and none to the ends, where the slow part is not well known.
    """
    n_x = first.shape[1]
    left, right = max(0.0, 2 * cor_px - (n_x - 1)), min(n_x - 1.0, 2 * cor_px)
    margin = min(n_x / 16, (right - left) / 4)
    x = np.arange(int(np.ceil(left + margin)), int(right - margin) + 1)
    one, start_px = first[:, x], cor_px
    for _ in range(4):
        source = 2 * cor_px - x
        low = np.clip(np.floor(source).astype(np.intp), 1, n_x - 3)
        part = (source - low).astype(np.float32)
        before, at, after, beyond = (second[:, low + i] for i in (-1, 0, 1, 2))
        other = at * (1 - part) + after * part
        by_cor = (after - before) * (1 - part) + (beyond - at) * part  # d other / d cor
        difference = one - other
        power = float(np.vdot(by_cor, by_cor))
        if power == 0:
            return None
        cor_px += float(np.clip(np.vdot(by_cor, difference) / power, -1, 1))
    if abs(cor_px - start_px) > 2:
        return None
    left_over = float(np.mean(difference**2))
    # Smoothed noise is alike over 2 sqrt(pi) SMOOTHING_PX pixels.
    variance = left_over / power * 2 * np.sqrt(np.pi) * SMOOTHING_PX
    return Candidate(cor_px, float(np.sqrt(variance)))


def opposite_projections(row: Row, angles_rad: Floats) -> tuple[Row, Row]:
    """Return projections and their opposites, half a turn on, two arrays of shape (pair, x).

    Between two angles the opposite is interpolated, and up to a step beyond the last one
    extrapolated, which a scan of [0, pi) needs. What has its opposite in a gap is left out.
    """
    step = angle_step(angles_rad)
    wanted = angles_rad + HALF_TURN_RAD
    after = np.searchsorted(angles_rad, wanted).clip(1, len(angles_rad) - 1)
    in_gap = angles_rad[after] - angles_rad[after - 1] > LARGEST_GAP_STEPS * step
    pairs = np.flatnonzero((wanted <= angles_rad[-1] + 1.01 * step) & ~in_gap)
    after = after[pairs]
    before = after - 1
    weight = (wanted[pairs] - angles_rad[before]) / (angles_rad[after] - angles_rad[before])
    near = np.round(weight)
    weight = np.where(np.abs(weight - near) < 0.01, near, weight).astype(np.float32)[:, None]
    return row[pairs], row[before] * (1 - weight) + row[after] * weight


def _overlap_energy(part: Row, length: int) -> Floats:
    """Return the energy of the pixels that overlap the mirror image, for each whole 2 cor."""
    n_x = part.shape[1]
    total = np.concatenate([[0.0], np.cumsum(np.sum(part.astype(np.float64) ** 2, axis=0))])
    doubled = np.arange(length)
    stop = np.minimum(doubled, n_x - 1) + 1
    start = np.clip(doubled - n_x + 1, 0, n_x)
    return np.asarray(np.maximum(total[np.maximum(stop, start)] - total[start], 0))
