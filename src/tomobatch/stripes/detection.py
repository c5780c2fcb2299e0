"""Which columns of a sinogram are stripes (algorithm 4 of Vo et al., 2018)."""

import numpy as np

from tomobatch.arrays import BoolArray, Float64Array

# A spread below this says that the data have no noise to measure a stripe by.
_NOISE_FREE = 1e-5
# A line needs some points: of fewer columns none can be told from the others.
_FEWEST_COLUMNS = 8


def find_stripes(profile: Float64Array, snr: float) -> BoolArray:
    """Return the columns whose value stands out from a straight line through the sorted values.

    Parameters
    ----------
    profile
        float64 (x,), one value a column, about 1 for an ordinary one.
    snr
        How far the extreme values must lie beyond the ends of the line, in units of its rise.

    Returns
    -------
    ndarray
        bool (x,), the stripes and the columns next to them; none where the line does not rise, and
        none of fewer than eight columns.
    """
    stripes = np.zeros(len(profile), bool)
    if len(profile) < _FEWEST_COLUMNS:
        return stripes
    in_order = np.sort(profile)
    last = len(profile) - 1
    n_dropped = len(profile) // 4
    inner = slice(n_dropped, last - n_dropped)
    slope, low_end = np.polyfit(np.arange(last + 1.0)[inner], in_order[inner], 1)
    rise = abs(slope * last)
    high_end = low_end + slope * last
    if rise < _NOISE_FREE:
        return stripes
    if in_order[-1] - high_end >= snr * rise:
        stripes |= profile > high_end + 0.5 * snr * rise
    if low_end - in_order[0] >= snr * rise:
        stripes |= profile <= low_end - 0.5 * snr * rise
    return widened(stripes)


def widened(stripes: BoolArray) -> BoolArray:
    """Return the columns marked or next to one marked."""
    wide = stripes.copy()
    wide[1:] |= stripes[:-1]
    wide[:-1] |= stripes[1:]
    return wide
