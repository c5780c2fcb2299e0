"""How far values spread, told robustly."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

NORMAL_MAD = 1.4826
"""Standard deviation of normal values over their median absolute deviation, 1 / Phi^-1(3/4)."""
_OF_SECOND_DIFFERENCE = np.sqrt(6)


def median(values: NDArray[np.floating[Any]], axis: int = -1) -> NDArray[np.floating[Any]]:
    """Return the median along an axis, of the values' own dtype: what ``numpy.median`` gives.

    That asks for three ranks at once, which numpy finds one value at a time; a single rank it finds
    with vector instructions, five times as fast (decision 128).

    Parameters
    ----------
    values
        Floating point, at least one along the axis. NaN makes the median NaN.
    axis
        Along which the median is taken.
    """
    ranked = np.moveaxis(np.partition(values, values.shape[axis] // 2, axis), axis, -1)
    below, above = np.split(ranked, [values.shape[axis] // 2], axis=-1)
    middle = above[..., 0]
    if values.shape[axis] % 2 == 0:
        middle = (below.max(axis=-1) + middle) / 2
    return np.where(np.isnan(above.max(axis=-1)), np.nan, middle).astype(values.dtype)


def white_noise(values: NDArray[np.floating[Any]], axis: int = -1) -> float:
    """Return the standard deviation of white noise, from second differences along an axis.

    Parameters
    ----------
    values
        Floating point, at least three along the axis.
    axis
        Along which the object is smooth.
    """
    lines = np.moveaxis(values, axis, -1)
    second = lines[..., 2:] - 2 * lines[..., 1:-1] + lines[..., :-2]
    return float(NORMAL_MAD * median(np.abs(second).ravel()) / _OF_SECOND_DIFFERENCE)
