"""Median over a window of columns, for every rank of sorted columns at once."""

import numpy as np
import numpy.typing as npt

from tomobatch.stripes.compiled import compiled

FloatArray = npt.NDArray[np.float32]

# Ranks worked on side by side: two windows of 51 such rows just fit the L1 cache of a core.
_LANES = 128


def running_median(columns: FloatArray, window_px: int) -> FloatArray:
    """Return the median of each value and its neighbours along the first axis.

    Parameters
    ----------
    columns
        float32 (x, rank), contiguous, without NaN.
    window_px
        Odd width of the window along x. Beyond its ends, x is mirrored with the end repeated,
        which is scipy's ``reflect``.

    Returns
    -------
    ndarray
        float32 (x, rank), equal to ``scipy.ndimage.median_filter(columns, (window_px, 1))``.
    """
    medians = np.empty_like(columns)
    _slide(columns, window_px, medians)
    return medians


@compiled
def _slide(columns: FloatArray, window_px: int, medians: FloatArray) -> None:
    """Slide a sorted window along x: per step one value leaves it and one enters, in all lanes.

    The window begins as infinities, which leave it while the first real values enter. Rows 0 and
    ``window_px + 1`` of a window are sentinels.
    """
    n_columns, n_ranks = columns.shape
    half = window_px // 2
    infinity = np.float32(np.inf)
    window = np.full((window_px + 2, _LANES), infinity, np.float32)
    updated = np.full((window_px + 2, _LANES), infinity, np.float32)
    for first in range(0, n_ranks, _LANES):
        lanes = min(_LANES, n_ranks - first)
        window[:] = infinity
        window[0] = updated[0] = -infinity
        for x in range(-window_px, n_columns):
            filling = x < 0
            leaving = columns[_mirrored(x - half - 1, n_columns), first : first + lanes]
            entering = columns[_mirrored(x + half, n_columns), first : first + lanes]
            for place in range(1, window_px + 1):
                for lane in range(lanes):
                    here = window[place, lane]
                    left = infinity if filling else leaving[lane]
                    # Where the leaving value was, the entering one or a neighbour moves in;
                    # below and above, a place can only give way to the entering value.
                    moved = max(
                        window[place - 1, lane], min(window[place + 1, lane], entering[lane])
                    )
                    moved = min(here, moved) if here < left else moved
                    moved = max(here, moved) if here > left else moved
                    updated[place, lane] = moved
            window, updated = updated, window
            if not filling:
                medians[x, first : first + lanes] = window[half + 1, :lanes]


@compiled
def _mirrored(index: int, size: int) -> int:
    """Return the index inside the array that stands for one beyond its ends."""
    index = index % (2 * size)
    return index if index < size else 2 * size - 1 - index
