"""The ramp filter of filtered back-projection, its windows, and what is folded into it.

The ramp is that of Kak and Slaney (Principles of Computerized Tomographic Imaging, 1988, eq. 61):
sampled in real space and then transformed, so that its mean is right; the ramp sampled in frequency
space shifts the grey values of a whole slice.

Decision 16.
"""

import math
from typing import get_args

import numpy as np
import numpy.typing as npt

from tomobatch.arrays import Float64Array
from tomobatch.errors import UserError
from tomobatch.reconstruct.fft import even_fast_length
from tomobatch.reconstruct.geometry import Geometry
from tomobatch.reconstruct.settings import FilterName, Padding

FILTERS: tuple[str, ...] = get_args(FilterName)

# Samples a column of the rows that are back-projected.
SAMPLES_PER_PX = 2


def ramp_kernel(length: int) -> Float64Array:
    """Return the real-space ramp on a ring of ``length`` samples, offset 0 first.

    1/4 at 0, -1/(pi n)^2 at odd offsets n, 0 at even ones.
    """
    offset = np.minimum(np.arange(length), length - np.arange(length))
    kernel = np.zeros(length)
    odd = offset % 2 == 1
    kernel[odd] = -1 / (np.pi * offset[odd]) ** 2
    kernel[0] = 0.25
    return kernel


def window(frequency: Float64Array, filter: FilterName) -> Float64Array:
    """Return the window at frequencies in cycles per pixel (0 to 0.5); 1 at frequency 0.

    Raises
    ------
    UserError
        A name that is not one of ``FILTERS``.
    """
    if filter == "ramp":
        return np.ones_like(frequency)
    if filter == "shepp-logan":
        return np.sinc(frequency)
    if filter == "cosine":
        return np.cos(np.pi * frequency)
    if filter == "hamming":
        return 0.54 + 0.46 * np.cos(2 * np.pi * frequency)
    if filter == "hann":
        return 0.5 + 0.5 * np.cos(2 * np.pi * frequency)
    raise UserError(f"filter: '{filter}' is not one of {', '.join(FILTERS)}")


def frequency_response(length: int, filter: FilterName = "ramp") -> Float64Array:
    """Return the windowed ramp at the frequencies of a real FFT, float64 (length // 2 + 1,)."""
    ramp: Float64Array = np.fft.rfft(ramp_kernel(length)).real
    return ramp * window(_frequencies(length), filter)


def finer_response(
    length: int, filter: FilterName = "ramp", samples_per_px: int = SAMPLES_PER_PX
) -> Float64Array:
    """Return the windowed ramp for rows that are resampled and then interpolated linearly.

    An inverse real FFT of ``samples_per_px * length`` points puts samples between the columns by
    the row's own trigonometric series. Linear interpolation between samples d apart damps the
    frequency f by sinc^2(d f), which is undone here, so that back-projection neither smooths the
    slice nor its noise. With two samples a column, what is left are images of the spectrum that are
    0.11 of it at the highest frequency and less below: their noise is 0.4 % of the whole.

    Returns
    -------
    float64 (length // 2 + 1,)
        ``length`` even, more than one sample a column; the highest frequency, which the longer
        transform meets twice, counts half.
    """
    response = frequency_response(length, filter) * samples_per_px
    response /= np.sinc(_frequencies(length) / samples_per_px) ** 2
    response[-1] /= 2
    return response


def shift_phases(length: int, shift_px: npt.ArrayLike) -> npt.NDArray[np.complex128]:
    """Return the factors that move rows to the right, complex128 (length // 2 + 1, row).

    Multiplied into the real FFT of a row, they interpolate it by its own trigonometric series.
    """
    shift = np.atleast_1d(np.asarray(shift_px, dtype=np.float64))
    phases: npt.NDArray[np.complex128] = np.exp(
        -2j * np.pi * np.multiply.outer(_frequencies(length), shift)
    )
    return phases


def binning_response(length: int, angles_rad: Float64Array, binning: int) -> Float64Array:
    """Return what averaging binning x binning pixels does to the rows, (angle, length // 2 + 1).

    The mean of ``b`` pixels along x multiplies the row at angle theta by the Dirichlet kernel
    sin(b v)/(b sin v) with v = pi f cos(theta), and likewise with sin(theta) along y.
    """
    frequency = _frequencies(length)
    along_x = _dirichlet(np.multiply.outer(np.cos(angles_rad), frequency), binning)
    along_y = _dirichlet(np.multiply.outer(np.sin(angles_rad), frequency), binning)
    return along_x * along_y


def overlap_weights(n_cols: int, cor_px: npt.ArrayLike) -> Float64Array:
    """Return the weights of half acquisition, float64 (row, n_cols).

    Columns that both halves of the turn see get a smooth step from 0 at the detector's near edge to
    1, so that a ray and its opposite sum to 1; columns that one half sees get 1.
    """
    cor = np.atleast_1d(np.asarray(cor_px, dtype=np.float64))[:, None]
    toward_far = np.where(cor < (n_cols - 1) / 2, 1.0, -1.0)
    near_px = np.maximum(np.minimum(cor, n_cols - 1 - cor), 1e-6)
    t = (np.arange(n_cols)[None, :] - cor) * toward_far
    weights: Float64Array = 0.5 + 0.5 * np.sin(np.pi / 2 * np.clip(t / near_px, -1, 1))
    return weights


def padded_length(geometry: Geometry) -> int:
    """Return the FFT length: even, fast, and such that the padding keeps the ends of a row apart.

    At least twice the columns, and twice the longest distance between a column and an output pixel.
    The same for all rows, whatever their centre of rotation: blocks of slices cannot differ by it.
    """
    half = geometry.n_cols if geometry.half_acquisition else geometry.n_cols / 2
    return even_fast_length(max(2 * geometry.n_cols, 2 * math.ceil(half + geometry.reach_px)))


def fill_padding(rows: npt.NDArray[np.float32], n_cols: int, padding: Padding, axis: int) -> None:
    """Fill rows beyond their ``n_cols`` columns along an axis; the left padding comes last."""
    columns = np.moveaxis(rows, axis, -1)
    if padding == "zero":
        columns[..., n_cols:] = 0
        return
    length = columns.shape[-1]
    left = (length - n_cols) // 2
    columns[..., n_cols : length - left] = columns[..., n_cols - 1 : n_cols]
    columns[..., length - left :] = columns[..., :1]


def check_finite(values: npt.NDArray[np.generic], first_row: int, first_angle: int = 0) -> None:
    """Raise a UserError where a value of a transformed row (row, angle) is not finite.

    One value a row is enough: a transform spreads what is not finite to all of them.
    """
    bad = np.argwhere(~np.isfinite(values))
    if bad.size:
        row, angle = bad[0]
        raise not_finite(first_row + row, first_angle + angle)


def not_finite(row: int, angle: int) -> UserError:
    """Return the error of a value that is not finite."""
    return UserError(
        f"sinograms: a value that is not finite (NaN or infinite) in row {row},"
        f" projection {angle}; correct or mask it before reconstructing"
    )


def check_rows(sinograms: npt.NDArray[np.float32], cor_px: Float64Array) -> None:
    """Raise a UserError where a centre of rotation is not on the detector or not one a row."""
    n_rows, _, n_cols = sinograms.shape
    if cor_px.shape != (n_rows,):
        raise UserError(f"cor_px: {cor_px.size} values for {n_rows} sinograms; one a row is needed")
    outside = ~((cor_px >= 0) & (cor_px <= n_cols - 1))
    if outside.any():
        row = int(np.flatnonzero(outside)[0])
        raise UserError(
            f"cor_px: {cor_px[row]:g} (row {row}) is outside the detector, 0 to {n_cols - 1}"
        )


def _frequencies(length: int) -> Float64Array:
    """Frequencies of a real FFT in cycles per pixel, 0 to 0.5."""
    return np.arange(length // 2 + 1) / length


def _dirichlet(cycles: Float64Array, n: int) -> Float64Array:
    """Mean of exp(2 pi i cycles k) over n samples k centred on 0."""
    result: Float64Array = np.mean(
        [np.cos(2 * np.pi * cycles * (k - (n - 1) / 2)) for k in range(n)], axis=0
    )
    return result
