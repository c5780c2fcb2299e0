"""Slices between pixels: how far two volumes lie apart beyond whole pixels, and one moved there.

By cubic splines, each axis for itself: a linear mean of neighbours would blur one volume and not
the other. Decision 126.
"""

import numpy as np
from scipy.ndimage import correlate1d, gaussian_filter, spline_filter1d

from tomobatch.arrays import Float32Array, Float64Array

Shift = tuple[float, float, float]
"""Slices, rows and columns."""

LEAST_PX = 0.1
"""A smaller part of a pixel is left alone."""
REACH_SLICES = 12
"""From a slice to the farthest that its value between slices hangs on, to 1e-7."""
_FEWEST_SLICES = 5
_MOST_SLICES, _MOST_PX = 16, 1024
_SMOOTHING_PX = 1.5
_EDGE_PX = 3
"""Of the stack, where its smoothing knows one side only."""
_STEPS = 4


def find_fraction(first: Float32Array, second: Float32Array) -> Shift:
    """Return by which part of a pixel the second of two equal stacks lies further than the first.

    By Gauss-Newton steps on smoothed slices, so that noise has little part in the slopes; in the
    middle of the stack. Too few slices do not tell how they lie along the axis.

    Parameters
    ----------
    first, second
        (z, y, x), alike to a pixel.

    Returns
    -------
    Slices, rows and columns, within a pixel; zeros where the stacks do not lie closer that way.
    """
    one, other = (gaussian_filter(_middle(stack), _SMOOTHING_PX) for stack in (first, second))
    axes = [axis for axis in range(3) if axis or len(one) >= _FEWEST_SLICES]
    inner = tuple(
        slice(_EDGE_PX, -_EDGE_PX) if n > 3 * _EDGE_PX else slice(None) for n in one.shape
    )
    # Neither the level of the greys nor their contrast is a shift.
    goal = one[inner] - one[inner].mean()
    found, best, least = np.zeros(3), np.zeros(3), np.inf
    for _ in range(_STEPS):
        near = at_fraction(other, found)
        part = near[inner] - near[inner].mean()
        power = float(np.vdot(part, part))
        gain = float(np.vdot(part, goal)) / power if power else 0.0
        left = (goal - gain * part).ravel()
        if not gain > 0 or float(left @ left) >= least:
            break
        least, best = float(left @ left), found.copy()
        slopes = np.stack([gain * np.gradient(near, axis=axis)[inner].ravel() for axis in axes])
        slopes -= slopes.mean(axis=1, keepdims=True)
        step = np.linalg.lstsq(slopes @ slopes.T, slopes @ left, rcond=1e-6)[0]
        found[axes] = np.clip(found[axes] + step, -1, 1)
    return float(best[0]), float(best[1]), float(best[2])


def at_fraction(stack: Float32Array, shift_px: Float64Array | Shift) -> Float32Array:
    """Return a stack (z, y, x) whose voxel at a place is what it has so much further.

    What is zero, outside the field of view, stays zero.
    """
    out = stack
    for axis, shift in enumerate(shift_px):
        if shift and stack.shape[axis] > 1:
            coefficients = spline_filter1d(out, order=3, axis=axis, output=np.float32)
            out = correlate1d(coefficients, _taps(float(shift)), axis=axis, mode="mirror")
    return out if out is stack else np.where(stack == 0, 0, out)


def _taps(shift: float) -> Float64Array:
    """Return the cubic B-spline at -2 .. 2 about a place up to a pixel away, float64 (5,)."""
    away = np.abs(np.arange(-2, 3) - shift)
    near = 2 / 3 - away**2 + away**3 / 2
    far = np.maximum(2 - away, 0) ** 3 / 6
    return np.asarray(np.where(away < 1, near, far), np.float64)


def _middle(stack: Float32Array) -> Float32Array:
    """Cut the middle of a stack, as much as tells where it lies."""
    most = (_MOST_SLICES, _MOST_PX, _MOST_PX)
    starts = [max(0, (n - limit) // 2) for n, limit in zip(stack.shape, most, strict=True)]
    return stack[tuple(slice(a, a + limit) for a, limit in zip(starts, most, strict=True))]


def moved(slices: Float32Array, shift_px: tuple[int, int]) -> Float32Array:
    """Return slices whose point at (y, x) is the one that they have ``shift_px`` further.

    What is not seen is zero, as everything outside the field of view.
    """
    if shift_px == (0, 0):
        return slices
    out = np.zeros_like(slices)
    places = [
        (slice(max(0, -s), n - max(0, s)), slice(max(0, s), n - max(0, -s)))
        for s, n in zip(shift_px, slices.shape[1:], strict=True)
    ]
    (to_y, from_y), (to_x, from_x) = places
    out[:, to_y, to_x] = slices[:, from_y, from_x]
    return out
