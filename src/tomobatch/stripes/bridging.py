"""Columns of a sinogram that measured nothing, and the line that is drawn across them.

A dead or blocked column is no stripe: what it measured is gone, and a method that levels stripes
makes it worse. It is known by its noise, which is far from that of the columns around it.
"""

import numpy as np
import scipy.ndimage as ndi

from tomobatch.arrays import BoolArray, Float32Array
from tomobatch.spread import NORMAL_MAD, median

# Logarithm of the ratio to the columns around: of equal columns, all but one in 10^9 are within six
# standard deviations; the least keeps what a strong but working column loses in light.
_MOST_SIGMAS, _LEAST_LOG_RATIO = 6.0, 0.5
_AROUND_COLUMNS = 41
_MOST_SHARE = 4
_TINY = 1e-9


def find_odd_columns(columns: Float32Array) -> BoolArray:
    """Return the columns that are dead, blocked or fluctuate.

    Parameters
    ----------
    columns
        float32 (x, angle), line integrals.

    Returns
    -------
    ndarray
        bool (x,); never the two outermost on each side, and none at all where a quarter or more
        would be: then it is the sample that makes the columns differ.
    """
    odd = np.zeros(len(columns), bool)
    if columns.shape[1] < 2:
        return odd
    noise = np.log(median(np.abs(np.diff(columns, axis=1))) + _TINY)
    # Padded here: scipy's filter errs where its window is longer than twice the line.
    half = _AROUND_COLUMNS // 2
    padded = np.pad(noise, half, mode="symmetric")
    excess = np.abs(noise - ndi.median_filter(padded, _AROUND_COLUMNS)[half:-half])
    limit = max(_MOST_SIGMAS * NORMAL_MAD * float(np.median(excess)), _LEAST_LOG_RATIO)
    odd[2:-2] = excess[2:-2] > limit
    return odd if np.count_nonzero(odd) * _MOST_SHARE < len(odd) else np.zeros(len(odd), bool)


def bridge(columns: Float32Array, missing: BoolArray) -> Float32Array:
    """Return float32 (x, angle) with a line from side to side in place of the missing columns."""
    gone, good = np.flatnonzero(missing), np.flatnonzero(~missing)
    above = np.clip(np.searchsorted(good, gone), 1, len(good) - 1)
    left, right = good[above - 1], good[above]
    share = ((gone - left) / (right - left))[:, None].astype(columns.dtype)
    bridged = columns.copy()
    bridged[gone] = (1 - share) * columns[left] + share * columns[right]
    return bridged
