"""Chords and attenuation of a table of solids: the loops of the phantom, compiled by numba.

A table row is ``shape, x, y, z, a, b, c, angle, attenuation`` (see :class:`Solid`).
A ray at angle theta and offset u runs along ``(-sin(theta), cos(theta), 0)`` through the points
with ``x*cos(theta) + y*sin(theta) = u``, in a plane of constant z: it meets a solid in the chord
of one ellipse or one rectangle.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tomobatch.compiled import compiled

_CYLINDER = 1
_BOX = 2


@njit(nogil=True, inline="always")
def _ellipse_chord(
    offset_px: float, half_width_px: float, semi_product: float, scale_squared: float
) -> float:
    """Chord of an ellipse (Kak & Slaney 1988, eq. 3.5) scaled by the root of ``scale_squared``."""
    inside = scale_squared * half_width_px * half_width_px - offset_px * offset_px
    if inside <= 0.0:
        return 0.0
    return 2.0 * semi_product * math.sqrt(inside) / (half_width_px * half_width_px)


@njit(nogil=True, inline="always")
def _box_chord(offset_px: float, a_px: float, b_px: float, cosine: float, sine: float) -> float:
    """Chord of a rectangle: a trapezoid over the offset."""
    flank_a = a_px * abs(cosine)
    flank_b = b_px * abs(sine)
    beyond = flank_a + flank_b - abs(offset_px)
    if beyond <= 0.0:
        return 0.0
    if flank_a < flank_b:
        ridge, slope = 2.0 * a_px / abs(sine), 2.0 * flank_a
    else:
        ridge, slope = 2.0 * b_px / abs(cosine), 2.0 * flank_b
    return ridge * beyond / slope if beyond < slope else ridge


@compiled
def add_line_integrals(
    table: NDArray[np.float64],
    theta_rad: float,
    cor_px: float,
    tilt_rad: float,
    samples: int,
    out: NDArray[np.float64],
) -> None:
    """Add the line integrals of all solids to one projection ``out`` (row, column).

    Each pixel holds the mean over ``samples`` x ``samples`` rays spread evenly over it. The
    detector is turned by the tilt about the point (``cor_px``, middle row).
    """
    n_rows, n_cols = out.shape
    middle_row = (n_rows - 1) / 2.0
    cos_tilt, sin_tilt = math.cos(tilt_rad), math.sin(tilt_rad)
    weight = 1.0 / (samples * samples)
    for solid in range(table.shape[0]):
        shape = int(table[solid, 0])
        x, y, z = table[solid, 1], table[solid, 2], table[solid, 3]
        a, b, c = table[solid, 4], table[solid, 5], table[solid, 6]
        turn = theta_rad - table[solid, 7]
        cosine, sine = math.cos(turn), math.sin(turn)
        centre_u = x * math.cos(theta_rad) + y * math.sin(theta_rad)
        ellipse_width = math.sqrt((a * cosine) ** 2 + (b * sine) ** 2)
        reach_u = a * abs(cosine) + b * abs(sine) if shape == _BOX else ellipse_width
        scaled = table[solid, 8] * weight
        for row in range(n_rows):
            for row_sample in range(samples):
                down = row + (row_sample + 0.5) / samples - 0.5 - middle_row
                # The columns that the solid can shade, widened by a pixel on either side.
                middle = cor_px + (centre_u + down * sin_tilt) / cos_tilt
                reach = reach_u / cos_tilt + 1.0
                first = max(0, math.floor(middle - reach))
                stop = min(n_cols, math.ceil(middle + reach) + 1)
                ends = (first - cor_px) * sin_tilt, (stop - cor_px) * sin_tilt
                if down * cos_tilt + max(ends[0], ends[1]) + 1.0 < z - c:
                    continue
                if down * cos_tilt + min(ends[0], ends[1]) - 1.0 > z + c:
                    continue
                for column in range(first, stop):
                    total = 0.0
                    for column_sample in range(samples):
                        across = column + (column_sample + 0.5) / samples - 0.5 - cor_px
                        offset = across * cos_tilt - down * sin_tilt - centre_u
                        height = (across * sin_tilt + down * cos_tilt - z) / c
                        if abs(height) < 1.0 and shape == _BOX:
                            total += _box_chord(offset, a, b, cosine, sine)
                        elif abs(height) < 1.0:
                            scale = 1.0 if shape == _CYLINDER else 1.0 - height * height
                            total += _ellipse_chord(offset, ellipse_width, a * b, scale)
                    out[row, column] += scaled * total


@compiled
def add_attenuation(
    table: NDArray[np.float64], z_px: float, samples: int, out: NDArray[np.float64]
) -> None:
    """Add the attenuation of all solids to one slice ``out`` (row, column) at height ``z_px``.

    Each voxel holds the mean over ``samples`` cubed points spread evenly over it.
    """
    n_rows, n_cols = out.shape
    middle_row, middle_col = (n_rows - 1) / 2.0, (n_cols - 1) / 2.0
    for solid in range(table.shape[0]):
        shape = int(table[solid, 0])
        x, y, z = table[solid, 1], table[solid, 2], table[solid, 3]
        a, b, c = table[solid, 4], table[solid, 5], table[solid, 6]
        if abs(z_px - z) > c + 1.0:
            continue
        cosine, sine = math.cos(table[solid, 7]), math.sin(table[solid, 7])
        scaled = table[solid, 8] / samples**3
        reach_x = abs(a * cosine) + abs(b * sine) + 1.0
        reach_y = abs(a * sine) + abs(b * cosine) + 1.0
        first_row = max(0, math.floor(y + middle_row - reach_y))
        stop_row = min(n_rows, math.ceil(y + middle_row + reach_y) + 1)
        first_col = max(0, math.floor(x + middle_col - reach_x))
        stop_col = min(n_cols, math.ceil(x + middle_col + reach_x) + 1)
        for row in range(first_row, stop_row):
            for column in range(first_col, stop_col):
                hits = 0
                for sample in range(samples**3):
                    i, j, k = sample % samples, sample // samples % samples, sample // samples**2
                    dx = column - middle_col - x + (i + 0.5) / samples - 0.5
                    dy = row - middle_row - y + (j + 0.5) / samples - 0.5
                    along = (dx * cosine + dy * sine) / a
                    aside = (dy * cosine - dx * sine) / b
                    height = (z_px - z + (k + 0.5) / samples - 0.5) / c
                    if shape == _BOX:
                        inside = abs(along) < 1.0 and abs(aside) < 1.0 and abs(height) < 1.0
                    elif shape == _CYLINDER:
                        inside = along * along + aside * aside < 1.0 and abs(height) < 1.0
                    else:
                        inside = along * along + aside * aside + height * height < 1.0
                    hits += inside
                out[row, column] += scaled * hits
