"""The gridding kernel, its weights and fall-off, and which lines cross which tile of the grid.

Gridding computes ``sum over samples of value * exp(2 pi i (x u + y v) / M)`` at whole x, y by
spreading each sample, at any (u, v), to the W x W grid points about it, a fast Fourier transform
and a division by the transform of the weights. The kernel is the exponential of a semicircle
(A. H. Barnett, J. Magland, L. af Klinteberg, SIAM J. Sci. Comput. 41, 2019, C479).

Decision 20.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.polynomial import chebyshev

from tomobatch.arrays import Float64Array

MAX_WIDTH = 8
# Share of the widest exponent at which a wrapped image of the output is still damped.
_EXPONENT = 0.976


@dataclass(frozen=True)
class Spreading:
    """How samples are spread.

    Attributes
    ----------
    width : int
        Grid points along an axis that a sample is spread to (W), at most 8.
    oversampling : float
        Least ratio of the grid's side to the output's.
    degree : int
        Of the polynomials that give the weights.
    """

    width: int
    oversampling: float
    degree: int

    def exponent(self, ratio: float) -> float:
        """Return beta of ``exp(beta (sqrt(1 - z^2) - 1))`` for the grid's true ratio."""
        return _EXPONENT * np.pi * self.width * (1 - 1 / (2 * ratio))


def kernel(z: Float64Array, exponent: float) -> Float64Array:
    """Return the exponential of a semicircle at z in half widths; 0 beyond 1."""
    inside = np.maximum(1 - z * z, 0)
    return np.where(np.abs(z) <= 1, np.exp(exponent * (np.sqrt(inside) - 1)), 0)


def tap_polynomials(spreading: Spreading, exponent: float) -> npt.NDArray[np.float32]:
    """Return the weights of the W points as polynomials, float32 (degree + 1, 8).

    In the variable f = 2 u - 1, where u in [0, 1) is how far the sample lies beyond its point
    W/2 - 1; constant terms first. Points beyond W get zeros.
    """
    width = spreading.width
    nodes = np.cos(np.pi * (np.arange(64) + 0.5) / 64)
    table = np.zeros((spreading.degree + 1, MAX_WIDTH))
    for tap in range(width):
        # A point exactly half a width away has weight exp(-beta), not 0: the limit from inside.
        z = np.clip((tap - (width - 2) / 2 - (nodes + 1) / 2) / (width / 2), -1, 1)
        fit = chebyshev.chebfit(nodes, kernel(z, exponent), spreading.degree)
        table[:, tap] = chebyshev.cheb2poly(fit)
    return table.astype(np.float32)


def fall_off(spreading: Spreading, exponent: float, n_grid: int, n: int) -> Float64Array:
    """Return the transform of the kernel at the n pixels of the output along an axis, float64."""
    offsets = np.arange(n, dtype=np.float64) - n // 2
    z, weights = np.polynomial.legendre.leggauss(64)
    values = kernel(z, exponent) * weights * spreading.width / 2
    cycles = offsets[:, None] * z[None, :] * spreading.width / (2 * n_grid)
    result: Float64Array = (values * np.cos(2 * np.pi * cycles)).sum(axis=1)
    return result


def tile_visits(
    directions_rad: Float64Array, n_grid: int, tile: int, width: int, reach: float
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return which lines may cross which tile of the grid's half v >= 0.

    The grid is periodic: a tile also gets what is spread to its aliases, n_grid away, as far as the
    lines reach.

    Parameters
    ----------
    directions_rad : float64 (line,)
        In [0, pi), ascending; every line goes through the origin to ``reach`` on both sides.
    n_grid, tile, width
        Points of the grid and of a tile along an axis; points a sample is spread to.
    reach : float
        Half length of the lines, in grid points.

    Returns
    -------
    starts : int32 (tile + 1,)
        Where the visits of each tile start; tiles row by row, the first at u = -n_grid / 2, v = 0.
    visits : int32 (visit, 4)
        Corner (u, v) of the tile or its alias; first line and the one after the last, which may be
        beyond the number of lines, wrapping.
    """
    across, down = -(-n_grid // tile), -(-(n_grid // 2 + 1) // tile)
    shifts = np.arange(-int(np.ceil(reach / n_grid)) - 1, int(np.ceil(reach / n_grid)) + 2) * n_grid
    row, column, shift_v, shift_u = np.meshgrid(
        np.arange(down), np.arange(across), shifts, shifts, indexing="ij"
    )
    u = (column * tile - n_grid // 2 + shift_u).ravel()
    v = (row * tile + shift_v).ravel()
    centre_u, centre_v = u + (tile - 1) / 2, v + (tile - 1) / 2
    corner = np.sqrt(2) * (tile - 1 + width) / 2
    distance = np.hypot(centre_u, centre_v)
    seen = distance - corner <= reach
    opening = np.arcsin(np.minimum(corner / np.maximum(distance, 1e-9), 1))
    angle = np.mod(np.arctan2(centre_v, centre_u), np.pi)
    n_lines = len(directions_rad)
    turns = np.concatenate([directions_rad - np.pi, directions_rad, directions_rad + np.pi])
    first = np.searchsorted(turns, angle - opening) - n_lines
    last = np.searchsorted(turns, angle + opening, side="right") - n_lines
    last = np.where(distance <= corner, first + n_lines, np.minimum(last, first + n_lines))
    last, first = last + n_lines * (first < 0), first + n_lines * (first < 0)
    seen &= last > first
    visits = np.stack([u, v, first, last], axis=1)[seen].astype(np.int32)
    per_tile = seen.reshape(down * across, -1).sum(axis=1)
    starts = np.concatenate([[0], np.cumsum(per_tile)]).astype(np.int32)
    return starts, visits
