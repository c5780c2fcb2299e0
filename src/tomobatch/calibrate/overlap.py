"""Where projections half a turn apart, one the mirror image of the other, overlap best.

``p(angle + pi, t) = p(angle, 2 cor - t)``, so the two convolved with each other peak at 2 cor. The
correlation is normalised over the pixels that overlap, and weighed by their number (Fisher's z),
so that an axis near the edge of the detector (half acquisition) is found as well as a central one.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Floats = NDArray[np.float64]
Row = NDArray[np.float32]

SPACING_PX = 0.5


def overlap_curve(one: Row, other: Row) -> Floats:
    """Return how well the mirrored `other` lies on `one`, for cors half a pixel apart.

    Parameters
    ----------
    one, other
        Shape (pair, x), smooth and without their slow part.

    Returns
    -------
    Fisher's z in standard deviations of unlike pixels, shape (2 x,), for cors 0, 0.5, 1, ... px;
    negative correlation counts as none.
    """
    n_x = one.shape[1]
    length = fft.next_fast_len(2 * n_x, real=True)
    spectrum = np.sum(fft.rfft(one, length, axis=1) * fft.rfft(other, length, axis=1), axis=0)
    energy = np.sqrt(_overlap_energy(one, length) * _overlap_energy(other, length))
    coefficient = fft.irfft(spectrum, length) / np.maximum(energy, 1e-6 * energy.max() + 1e-30)
    doubled = np.arange(2 * n_x)
    overlap = np.minimum(doubled + 1, 2 * n_x - 1 - doubled)
    weight = np.sqrt(np.maximum(overlap - 3, 0))
    return np.asarray(np.arctanh(np.clip(coefficient[: 2 * n_x], 0, 0.9999)) * weight)


def _overlap_energy(part: Row, length: int) -> Floats:
    """Return the energy of the pixels that overlap the mirror image, for each whole 2 cor."""
    n_x = part.shape[1]
    total = np.concatenate([[0.0], np.cumsum(np.sum(part.astype(np.float64) ** 2, axis=0))])
    doubled = np.arange(length)
    stop = np.minimum(doubled, n_x - 1) + 1
    start = np.clip(doubled - n_x + 1, 0, n_x)
    return np.asarray(np.maximum(total[np.maximum(stop, start)] - total[start], 0))
