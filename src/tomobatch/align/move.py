"""Move projections by parts of a pixel."""

import math

import numpy as np
import scipy.fft

from tomobatch.arrays import Float32Array, Float64Array
from tomobatch.reconstruct.fft import in_parallel
from tomobatch.shifts import TAPS, Shifts

_BEYOND_PX = 16
"""Columns beyond the edges, and beyond the farthest shift, that hold the edge's value."""


def moved(sinograms: Float32Array, shifts: Shifts, kept: slice) -> Float32Array:
    """Return rows of sinograms (row, angle, x) as they were without the shifts, float32.

    Along x by the shift theorem, with the edges' values beyond; across rows by Lanczos' kernel of
    six. A row is made of `Shifts.halo_rows` around it; of fewer at the end of the detector, whose
    last row stands for those beyond.

    Parameters
    ----------
    sinograms
        With those rows around.
    shifts
        Of every projection.
    kept
        Rows to return.
    """
    if shifts.is_still:
        return sinograms[kept]
    x_px, y_px = shifts.arrays
    rows = across_rows(sinograms, y_px, kept) if np.any(y_px) else sinograms[kept].copy()
    along_rows(rows, x_px)
    return rows


def along_rows(rows: Float32Array, x_px: Float64Array) -> None:
    """Take every projection of rows (row, angle, x) from ``x_px`` (angle,) further, in place."""
    if not np.any(x_px):
        return
    n_x = rows.shape[2]
    beyond = math.ceil(np.abs(x_px).max()) + _BEYOND_PX
    length = int(scipy.fft.next_fast_len(n_x + 2 * beyond, real=True))
    turns = 2j * np.pi * scipy.fft.rfftfreq(length) * x_px[:, np.newaxis]
    factors = np.exp(turns).astype(np.complex64)

    def work(part: slice) -> None:
        for row in rows[part]:
            padded = np.pad(row, ((0, 0), (beyond, length - n_x - beyond)), mode="edge")
            spectrum = scipy.fft.rfft(padded, axis=1, overwrite_x=True)
            spectrum *= factors
            back = scipy.fft.irfft(spectrum, length, axis=1, overwrite_x=True)
            row[...] = back[:, beyond : beyond + n_x]

    in_parallel(work, len(rows), 1)


def across_rows(rows: Float32Array, y_px: Float64Array, kept: slice) -> Float32Array:
    """Return ``kept`` of rows (row, angle, x), every projection ``y_px`` (angle,) further down."""
    wanted = np.arange(len(rows))[kept]
    whole = np.floor(y_px).astype(np.intp)
    taps = np.arange(1 - TAPS, TAPS + 1)
    away = taps - (y_px - whole)[:, np.newaxis]
    weights = np.sinc(away) * np.sinc(away / TAPS)
    weights = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    out = np.zeros((len(wanted), *rows.shape[1:]), np.float32)
    every = np.arange(rows.shape[1])

    def work(part: slice) -> None:
        for target, row in zip(out[part], wanted[part], strict=True):
            for tap, weight in zip(taps, weights.T, strict=True):
                source = np.clip(row + whole + tap, 0, len(rows) - 1)
                target += weight[:, np.newaxis] * rows[source, every]

    in_parallel(work, len(wanted), 1)
    return out
