"""Vo's methods of stripe removal on one sinogram, laid out as columns (x, angle).

Source: N. T. Vo, R. C. Atwood, M. Drakopoulos, Optics Express 26, 28396 (2018),
doi 10.1364/OE.26.028396; the numbers of the algorithms are those of the paper. The author's own
implementation, algotom, is the reference in the tests.

``large``, ``dead`` and ``everything`` want transmission, where a column's gain error is a factor
and the mean of a column that saw only air is one and not zero.
"""

import functools

import numpy as np
import scipy.ndimage as ndi

from tomobatch.arrays import BoolArray, Float32Array, Float64Array
from tomobatch.stripes.bridging import bridge
from tomobatch.stripes.detection import find_stripes
from tomobatch.stripes.running_median import running_median
from tomobatch.stripes.settings import Tuning
from tomobatch.stripes.sorted_columns import sort_columns, unsort_columns

# Algorithm 2: width of the low pass along the angles, in frequencies.
_LOW_PASS_SIGMA = 3.0
_LOW_PASS_END = 27  # where the window is down to the rounding of float64
# Algorithm 5: share of the ranks, half at each end, that do not count for the mean of a column.
_DROPPED_SHARE = 0.1
# Algorithm 6: angles in the running mean that the fluctuation of a column is measured against.
_SMOOTHED_ANGLES = 10
_COLUMNS_AT_ONCE = 64


def sorting(columns: Float32Array, tuning: Tuning) -> Float32Array:
    """Take out small and medium stripes: a median across columns at equal rank (algorithm 3)."""
    ranked, order = sort_columns(columns)
    return unsort_columns(running_median(ranked, tuning.small_window_px), order)


def filtering(columns: Float32Array, tuning: Tuning) -> Float32Array:
    """Apply ``sorting`` to the slow part of each column only (algorithm 2)."""
    slow = _low_pass(columns)
    return sorting(slow, tuning) + (columns - slow)


def large(columns: Float32Array, tuning: Tuning) -> Float32Array:
    """Take out wide and strong stripes of transmission (algorithm 5)."""
    ranked, order = sort_columns(columns)
    factors, stripes, smooth = _large_stripes(ranked, tuning)
    corrected = columns / factors[:, None]
    corrected[stripes] = unsort_columns(smooth[stripes], order[stripes])
    return corrected


def dead(columns: Float32Array, tuning: Tuning) -> Float32Array:
    """Bridge unresponsive and fluctuating columns, then take out what is left (algorithm 6)."""
    return large(_bridged(columns, tuning), tuning)


def everything(columns: Float32Array, tuning: Tuning) -> Float32Array:
    """Take out stripes of all kinds: algorithms 6, 5, 4 and 3 in this order.

    Algorithm 5 multiplies whole columns or replaces them rank by rank: both keep the order of the
    values within a column, so one sort serves algorithms 5 and 3.
    """
    ranked, order = sort_columns(_bridged(columns, tuning))
    factors, stripes, smooth = _large_stripes(ranked, tuning)
    ranked /= factors[:, None]
    ranked[stripes] = smooth[stripes]
    return unsort_columns(running_median(ranked, tuning.small_window_px), order)


def _large_stripes(
    ranked: Float32Array, tuning: Tuning
) -> tuple[Float32Array, BoolArray, Float32Array]:
    """Return each column's gain factor, which columns are stripes, and the smoothed ranks."""
    smooth = running_median(ranked, tuning.large_window_px)
    n_ranks = ranked.shape[1]
    n_dropped = int(0.5 * _DROPPED_SHARE * n_ranks)
    counted = slice(n_dropped, n_ranks - n_dropped)
    found = ranked[:, counted].mean(axis=1, dtype=np.float64)
    expected = smooth[:, counted].mean(axis=1, dtype=np.float64)
    factors = np.divide(found, expected, out=np.ones_like(found), where=expected != 0)
    return factors.astype(np.float32), find_stripes(factors, tuning.snr), smooth


def _bridged(columns: Float32Array, tuning: Tuning) -> Float32Array:
    """Replace the columns that fluctuate too much or too little by a line between their sides."""
    profile = np.empty(len(columns))
    for start in range(0, len(columns), _COLUMNS_AT_ONCE):
        some = columns[start : start + _COLUMNS_AT_ONCE]
        fluctuation = np.abs(some - ndi.uniform_filter1d(some, _SMOOTHED_ANGLES, axis=1))
        profile[start : start + len(some)] = fluctuation.sum(axis=1, dtype=np.float64)
    around = running_median(profile[:, None].astype(np.float32), tuning.large_window_px)[:, 0]
    around[around == 0] = around.mean()
    if not around.all():
        return columns
    stripes = find_stripes(profile / around, tuning.snr)
    stripes[:2] = stripes[-2:] = False
    n_stripes = np.count_nonzero(stripes)
    if not 0 < n_stripes < len(columns) // 3:
        return columns
    return bridge(columns, stripes)


def _low_pass(columns: Float32Array) -> Float32Array:
    """Return the slow part of each column, a Gaussian of frequencies with mirrored ends.

    In float64: rounding would swap the ranks of values that are nearly equal.
    """
    n_angles = columns.shape[1]
    spectrum_of, back = _slow_waves(n_angles, min(150, n_angles // 10))
    slow = np.empty_like(columns)
    for start in range(0, len(columns), _COLUMNS_AT_ONCE):
        some = columns[start : start + _COLUMNS_AT_ONCE].astype(np.float64)
        slow[start : start + len(some)] = some @ spectrum_of @ back
    return slow


@functools.lru_cache(maxsize=4)
def _slow_waves(n_angles: int, n_padded: int) -> tuple[Float64Array, Float64Array]:
    """Return what takes a column to its few slow waves, and these to its slow part.

    Two matrices, (angle, wave) and (wave, angle), do what Fourier transforms there and back would:
    of the frequencies all but some fifty are weighted by less than the rounding. The paper's window
    stands half a frequency beside zero; of that only the even part tells in a real column.
    """
    size = n_angles + 2 * n_padded
    mirrored = np.pad(np.arange(n_angles), n_padded, mode="reflect")
    frequencies = np.arange(0.5 * (size % 2), min(_LOW_PASS_END, size / 2 + 0.25))
    above, below = (_window(frequencies + beside) for beside in (0.5, -0.5))
    # Each is a frequency and its negative; zero has none, and the highest only that.
    above[(frequencies == 0) | (2 * frequencies == size)] = 0
    weights = np.tile((above + below) / size, 2)
    phases = 2 * np.pi / size * np.outer(np.arange(size), frequencies)
    waves = np.hstack([np.cos(phases), np.sin(phases)])
    spectrum_of = np.zeros((n_angles, waves.shape[1]))
    np.add.at(spectrum_of, mirrored, waves * weights)
    return spectrum_of, waves[n_padded : n_padded + n_angles].T


def _window(frequencies: Float64Array) -> Float64Array:
    return np.exp(-0.5 * (frequencies / _LOW_PASS_SIGMA) ** 2)
