"""Median over a window of columns, for every rank of sorted columns at once."""

import numpy as np

from tomobatch.arrays import Float32Array
from tomobatch.compiled import compiled

# Ranks worked on side by side: two windows of 51 such rows just fit the L1 cache of a core.
_LANES = 128


def running_median(columns: Float32Array, window_px: int) -> Float32Array:
    """Return the median of each value and its neighbours along the first axis.

    Parameters
    ----------
    columns
        float32 (x, rank), contiguous, without NaN.
    window_px
        Odd width of the window along x. Beyond its ends, x is mirrored with the end repeated,
        which is scipy's ``reflect``, again and again where the window is wider than x.

    Returns
    -------
    ndarray
        float32 (x, rank). ``scipy.ndimage.median_filter(columns, (window_px, 1))`` gives the same,
        but for axes much shorter than the window, where it reads beyond them (scipy 1.17).
    """
    medians = np.empty_like(columns)
    # The sorted window before and after a step, between two rows of sentinels each.
    windows = np.full((2, window_px + 2, _LANES), np.inf, np.float32)
    windows[:, 0] = -np.inf
    _slide(columns, window_px, windows[0], windows[1], medians)
    return medians


@compiled
def _slide(
    columns: Float32Array,
    window_px: int,
    window: Float32Array,
    updated: Float32Array,
    medians: Float32Array,
) -> None:
    """Slide a sorted window along x: per step one value leaves it and one enters, in all lanes.

    The window begins as infinities, which leave it while the first values enter.
    """
    n_columns, n_ranks = columns.shape
    half = window_px // 2
    period = 2 * n_columns
    infinity = np.float32(np.inf)
    for first in range(0, n_ranks, _LANES):
        lanes = min(_LANES, n_ranks - first)
        for place in range(1, window_px + 1):
            for lane in range(lanes):
                window[place, lane] = infinity
        for x in range(-window_px, n_columns):
            behind, ahead = (x - half - 1) % period, (x + half) % period
            leaving = columns[min(behind, period - 1 - behind), first:]
            entering = columns[min(ahead, period - 1 - ahead), first:]
            filling = x < 0
            for place in range(1, window_px + 1):
                for lane in range(lanes):
                    here = window[place, lane]
                    left = infinity if filling else leaving[lane]
                    # Where the leaving value was, the entering one or a neighbour moves in;
                    # below and above, a place can only give way to the entering value.
                    above = min(window[place + 1, lane], entering[lane])
                    moved = max(window[place - 1, lane], above)
                    moved = min(here, moved) if here < left else moved
                    moved = max(here, moved) if here > left else moved
                    updated[place, lane] = moved
            window, updated = updated, window
            if not filling:
                for lane in range(lanes):
                    medians[x, first + lane] = window[half + 1, lane]
