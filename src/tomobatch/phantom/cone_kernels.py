"""Chords of a table of solids along the rays of a cone beam: loops compiled by numba.

A table row is ``shape, x, y, z, a, b, c, angle, attenuation`` (see :class:`Solid`). A ray runs from
the source to a point of the detector; in a solid's own frame, scaled to its half lengths, the solid
is a unit sphere, a unit cylinder or a cube, and the chord is the difference of two parameters of
the ray.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tomobatch.compiled import compiled

_CYLINDER = 1
_BOX = 2

_FAR = 1e30


@njit(nogil=True, inline="always")
def _slab(from_: float, along: float) -> tuple[float, float]:
    """Parameters at which a ray enters and leaves the slab between -1 and 1."""
    if along == 0.0:
        return (-_FAR, _FAR) if abs(from_) < 1.0 else (_FAR, -_FAR)
    one, other = (-1.0 - from_) / along, (1.0 - from_) / along
    return (one, other) if one < other else (other, one)


@njit(nogil=True, inline="always")
def _ball(px: float, py: float, pz: float, dx: float, dy: float, dz: float) -> tuple[float, float]:
    """Parameters at which a ray enters and leaves the unit ball.

    From its point nearest to the middle, which loses no digits however far away it starts.
    """
    length2 = dx * dx + dy * dy + dz * dz
    if length2 == 0.0:
        return (-_FAR, _FAR) if px * px + py * py + pz * pz < 1.0 else (_FAR, -_FAR)
    nearest = -(px * dx + py * dy + pz * dz) / length2
    x, y, z = px + nearest * dx, py + nearest * dy, pz + nearest * dz
    inside = 1.0 - (x * x + y * y + z * z)
    if inside <= 0.0:
        return _FAR, -_FAR
    half = math.sqrt(inside / length2)
    return nearest - half, nearest + half


@njit(nogil=True, inline="always")
def _chord(shape: int, px: float, py: float, pz: float, dx: float, dy: float, dz: float) -> float:
    """Length of the parameter inside the unit solid, along (p) + t (d)."""
    if shape == _BOX:
        first, last = _slab(px, dx)
        in_y, out_y = _slab(py, dy)
        first, last = max(first, in_y), min(last, out_y)
    elif shape == _CYLINDER:
        first, last = _ball(px, py, 0.0, dx, dy, 0.0)
    else:
        first, last = _ball(px, py, pz, dx, dy, dz)
        return max(0.0, last - first)
    in_z, out_z = _slab(pz, dz)
    return max(0.0, min(last, out_z) - max(first, in_z))


@compiled
def _shaded(
    row: NDArray[np.float64],
    source: NDArray[np.float64],
    to_pixels: NDArray[np.float64],
) -> tuple[float, float, float, float]:
    """Lowest and highest column and row of the corners of the box around a solid.

    ``to_pixels`` turns a direction from the source into homogeneous (column, row, 1).
    """
    low_u, high_u, low_v, high_v = _FAR, -_FAR, _FAR, -_FAR
    cosine, sine = math.cos(row[7]), math.sin(row[7])
    for corner in range(8):
        a = row[4] if corner & 1 else -row[4]
        b = row[5] if corner & 2 else -row[5]
        c = row[6] if corner & 4 else -row[6]
        x = row[1] + a * cosine - b * sine - source[0]
        y = row[2] + a * sine + b * cosine - source[1]
        z = row[3] + c - source[2]
        depth = to_pixels[2, 0] * x + to_pixels[2, 1] * y + to_pixels[2, 2] * z
        if depth <= 0.0:  # beside or behind the source: it may shade everything
            return -_FAR, _FAR, -_FAR, _FAR
        u = (to_pixels[0, 0] * x + to_pixels[0, 1] * y + to_pixels[0, 2] * z) / depth
        v = (to_pixels[1, 0] * x + to_pixels[1, 1] * y + to_pixels[1, 2] * z) / depth
        low_u, high_u = min(low_u, u), max(high_u, u)
        low_v, high_v = min(low_v, v), max(high_v, v)
    return low_u, high_u, low_v, high_v


@compiled
def add_cone_integrals(
    table: NDArray[np.float64],
    source: NDArray[np.float64],
    pixels: NDArray[np.float64],
    to_pixels: NDArray[np.float64],
    samples: int,
    out: NDArray[np.float64],
) -> None:
    """Add the line integrals of all solids to one projection ``out`` (row, column).

    Parameters
    ----------
    table
        The solids.
    source
        Its place, (3,).
    pixels
        ``pixels @ (column, row, 1)`` is the way from the source to a point of the detector, (3, 3).
    to_pixels
        The inverse of ``pixels``.
    samples
        Each pixel holds the mean over so many rays each way, spread evenly over it.
    """
    n_rows, n_cols = out.shape
    for solid in range(table.shape[0]):
        shape = int(table[solid, 0])
        a, b, c = table[solid, 4], table[solid, 5], table[solid, 6]
        cosine, sine = math.cos(table[solid, 7]), math.sin(table[solid, 7])
        low_u, high_u, low_v, high_v = _shaded(table[solid], source, to_pixels)
        first_col = max(0, math.floor(max(low_u, -1.0)) - 1)
        stop_col = min(n_cols, math.ceil(min(high_u, n_cols)) + 2)
        first_row = max(0, math.floor(max(low_v, -1.0)) - 1)
        stop_row = min(n_rows, math.ceil(min(high_v, n_rows)) + 2)
        x, y, z = source[0] - table[solid, 1], source[1] - table[solid, 2], source[2]
        px, py = (x * cosine + y * sine) / a, (y * cosine - x * sine) / b
        pz = (z - table[solid, 3]) / c
        scaled = table[solid, 8] / (samples * samples)
        for row in range(first_row, stop_row):
            for column in range(first_col, stop_col):
                total = 0.0
                for sample in range(samples * samples):
                    u = column + (sample % samples + 0.5) / samples - 0.5
                    v = row + (sample // samples + 0.5) / samples - 0.5
                    x = pixels[0, 0] * u + pixels[0, 1] * v + pixels[0, 2]
                    y = pixels[1, 0] * u + pixels[1, 1] * v + pixels[1, 2]
                    z = pixels[2, 0] * u + pixels[2, 1] * v + pixels[2, 2]
                    part = _chord(
                        shape,
                        px,
                        py,
                        pz,
                        (x * cosine + y * sine) / a,
                        (y * cosine - x * sine) / b,
                        z / c,
                    )
                    if part > 0.0:
                        total += part * math.sqrt(x * x + y * y + z * z)
                out[row, column] += scaled * total
