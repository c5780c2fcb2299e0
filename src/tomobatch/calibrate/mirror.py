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
from tomobatch.calibrate.half_turn import angle_step
from tomobatch.calibrate.peak import parabola_vertex
from tomobatch.calibrate.rows import remove_slow_part

Floats = NDArray[np.float64]
UPSAMPLING = 16
SMOOTHING_PX = 1.0  # white noise above this scale only blurs the peak


def mirror_cor(
    row: NDArray[np.float32], angles_rad: Floats, search_px: tuple[float, float]
) -> Candidate | None:
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
    The cor; score is the correlation coefficient there. None when no projections are half a turn
    apart (to within a step), or the best lies at the end of the search.
    """
    first, second = opposite_projections(row, angles_rad)
    if len(first) == 0:
        return None
    n_x = row.shape[1]
    length = fft.next_fast_len(2 * n_x, real=True)
    first, second = (
        ndimage.gaussian_filter1d(remove_slow_part(part), SMOOTHING_PX, axis=1)
        for part in (first, second)
    )
    spectrum = np.sum(fft.rfft(first, length, axis=1) * fft.rfft(second, length, axis=1), axis=0)
    correlation = fft.irfft(spectrum, length * UPSAMPLING) * UPSAMPLING
    energy = np.sqrt(_overlap_energy(first, length) * _overlap_energy(second, length))
    doubled = np.arange(length * UPSAMPLING) / UPSAMPLING  # 2 cor
    energy = np.interp(doubled, np.arange(length), energy)
    coefficient = correlation / np.maximum(energy, 1e-6 * energy.max() + 1e-30)
    overlap = np.minimum(doubled + 1, 2 * n_x - 1 - doubled)
    fisher_z = np.arctanh(np.clip(coefficient, 0, 0.9999)) * np.sqrt(np.maximum(overlap - 3, 0))

    inside = slice(int(2 * search_px[0] * UPSAMPLING), int(2 * search_px[1] * UPSAMPLING) + 1)
    best = inside.start + int(np.argmax(fisher_z[inside]))
    if best in (inside.start, inside.stop - 1):
        return None
    offset, curvature = parabola_vertex(*coefficient[best - 1 : best + 2])
    if curvature >= 0:
        return None
    # Of two noisy images of one signal: var = (1 - r) / (-r'' samples), r'' by the shift 2 cor.
    samples = overlap[best] * len(first) / (2 * np.sqrt(np.pi) * SMOOTHING_PX)
    variance = (1 - coefficient[best]) / (-curvature * UPSAMPLING**2 * samples) / 4
    return Candidate(
        cor_px=(best + offset) / (2 * UPSAMPLING),
        sigma_px=float(np.sqrt(max(variance, 0.0))),
        score=float(np.clip(coefficient[best], 0, 1)),
    )


def opposite_projections(
    row: NDArray[np.float32], angles_rad: Floats
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return projections and their opposites, half a turn on, two arrays of shape (pair, x).

    Between two angles the opposite is interpolated, and up to a step beyond the last one
    extrapolated, which a scan of [0, pi) needs.
    """
    step = angle_step(angles_rad)
    wanted = angles_rad + np.pi
    pairs = np.flatnonzero(wanted <= angles_rad[-1] + 1.01 * step)
    after = np.searchsorted(angles_rad, wanted[pairs]).clip(1, len(angles_rad) - 1)
    before = after - 1
    weight = (wanted[pairs] - angles_rad[before]) / (angles_rad[after] - angles_rad[before])
    near = np.round(weight)
    weight = np.where(np.abs(weight - near) < 0.01, near, weight).astype(np.float32)[:, None]
    return row[pairs], row[before] * (1 - weight) + row[after] * weight


def _overlap_energy(part: NDArray[np.float32], length: int) -> Floats:
    """Return the energy of the pixels that overlap the mirror image, for each whole 2 cor."""
    n_x = part.shape[1]
    total = np.concatenate([[0.0], np.cumsum(np.sum(part.astype(np.float64) ** 2, axis=0))])
    doubled = np.arange(length)
    stop = np.minimum(doubled, n_x - 1) + 1
    start = np.clip(doubled - n_x + 1, 0, n_x)
    return np.asarray(np.maximum(total[np.maximum(stop, start)] - total[start], 0))
