"""How far off gridding may be at the worst: the aliases of its kernel, by integration."""

import numpy as np
from tests.reconstruct.exact_rows import row_series

from tomobatch.reconstruct.fourier import grid_px
from tomobatch.reconstruct.geometry import Geometry
from tomobatch.reconstruct.gridding import Spreading, kernel, tap_polynomials

_N_ALIASES = 12
# Of a sum of float32 numbers: coordinates on the grid, and the transforms.
_ROUNDING = 5e-6


def largest_error(
    sinogram: np.ndarray, geometry: Geometry, cor_px: float, spreading: Spreading, filter, padding
) -> np.ndarray:
    """Return float64 (ny, nx): no pixel of a slice is further off than this.

    A sample of the spectrum is a wave of its own size at every pixel. Spread and transformed, it is
    that wave and its aliases, whose size is the kernel's transform at their frequency over that at
    the pixel; all samples may err the same way.
    """
    height, width = geometry.shape_px
    n_grid = grid_px(geometry, spreading)
    exponent = spreading.exponent(n_grid / max(height, width))
    across, down = (_aliases(spreading, exponent, n_grid, n) for n in (width, height))
    sizes = np.abs(row_series(sinogram, geometry, cor_px, filter, padding)).sum()
    both = (1 + down)[:, None] * (1 + across)[None, :] - 1
    return sizes * (both + _ROUNDING)


def _aliases(spreading: Spreading, exponent: float, n_grid: int, n: int) -> np.ndarray:
    """Return the sum of the aliases, and the error of the polynomials, at n pixels of an axis."""
    nodes, weights = np.polynomial.legendre.leggauss(400)
    values = kernel(nodes, exponent) * weights * spreading.width / 2
    cycles = (np.arange(n) - n // 2) / n_grid

    def transform(frequency: np.ndarray) -> np.ndarray:
        phases = np.pi * spreading.width * np.multiply.outer(frequency, nodes)
        return np.abs(np.cos(phases) @ values)

    orders = [m for m in range(-_N_ALIASES, _N_ALIASES + 1) if m]
    aliases = sum(transform(cycles + m) for m in orders)
    return (aliases + _of_polynomials(spreading, exponent)) / transform(cycles)


def _of_polynomials(spreading: Spreading, exponent: float) -> float:
    """Return the largest sum over the points of what their weights are off."""
    f = np.linspace(-1, 1, 401)
    table = tap_polynomials(spreading, exponent).astype(np.float64)
    off = np.zeros_like(f)
    for tap in range(spreading.width):
        z = (tap - (spreading.width - 2) / 2 - (f + 1) / 2) / (spreading.width / 2)
        exact = kernel(np.clip(z, -1, 1), exponent)
        off += np.abs(np.polynomial.polynomial.polyval(f, table[:, tap]) - exact)
    return float(off.max())
