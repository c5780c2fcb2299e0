"""Paganin's filter on a chunk of projections, in threads. Decision 38."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import scipy.fft
from scipy import ndimage

from tomobatch.arrays import Float32Array
from tomobatch.cores import n_usable_cores
from tomobatch.phase.blur import PhaseBlur

MOST_THREADS = 4
"""Each holds a padded projection and its transform."""

_PADDING_LENGTHS = 3
"""Mirrored beyond each edge, in lengths of the blur: more changes nothing (64 px were as good as
256 at a blur of 22 px)."""

_REACH_LENGTHS = 14
"""From a pixel, in lengths of the blur: what lies further weighs less than exp(-14) = 1e-6."""
_REACH_SIGMAS = 4
_REACH_PX = 32
"""More: the filter ends at the highest frequency with a kink, whose echo falls with the square of
the distance only; from here on it adds less than 1e-6 to a projection with 2 % noise."""


def padded_shape(n_rows: int, n_cols: int, length_px: float) -> tuple[int, int]:
    """Return the shape of a projection with its mirrored edges, of lengths that transform fast."""
    beyond = 2 * math.ceil(_PADDING_LENGTHS * length_px)
    rows, cols = (scipy.fft.next_fast_len(n + beyond, real=True) for n in (n_rows, n_cols))
    return int(rows), int(cols)


def reach_px(blur: PhaseBlur) -> int:
    """Return how far around a pixel its value hangs on, to 1e-6."""
    reach = _REACH_LENGTHS * blur.length_px + _REACH_SIGMAS * (blur.unsharp_px or 0.0)
    return _REACH_PX + math.ceil(reach)


def work_mb(n_rows: int, n_cols: int, length_px: float) -> float:
    """Return the memory that all threads need beside the projections: three padded ones each."""
    return MOST_THREADS * 3 * 4 * math.prod(padded_shape(n_rows, n_cols, length_px)) / 1e6


def transfer(shape: tuple[int, int], blur: PhaseBlur) -> Float32Array:
    """Return what the spectrum of the transmission is multiplied by.

    ``1 / (1 + L^2 k^2)`` of Paganin et al., J. Microsc. 206 (2002) 33, or
    ``1 / (1 - 2 L^2 (cos kx + cos ky - 2))`` of Paganin et al., J. Opt. 22 (2020) 115607, with k in
    radians a pixel.

    Returns
    -------
    float32 (rows, cols // 2 + 1)
        1 at frequency zero.
    """
    ky = 2 * np.pi * scipy.fft.fftfreq(shape[0])[:, np.newaxis]
    kx = 2 * np.pi * scipy.fft.rfftfreq(shape[1])[np.newaxis]
    if blur.method == "generalised":
        squared = 2 * (2 - np.cos(kx) - np.cos(ky))
    else:
        squared = kx**2 + ky**2
    return np.asarray(1 / (1 + blur.length_px**2 * squared), np.float32)


def retrieve_phase(line_integrals: Float32Array, blur: PhaseBlur) -> None:
    """Replace apparent line integrals by those of the absorption alone, in place.

    Each projection is filtered as transmission; its edges are continued by their mirror image.

    Parameters
    ----------
    line_integrals : float32 (projection, row, column)
        Minus the logarithm of the transmission at the detector; all finite.
    blur
        The filter, whose length is in pixels.
    """
    n_rows, n_cols = line_integrals.shape[1:]
    shape = padded_shape(n_rows, n_cols, blur.length_px)
    filtered = transfer(shape, blur)
    above, left = (shape[0] - n_rows) // 2, (shape[1] - n_cols) // 2
    edges = ((above, shape[0] - n_rows - above), (left, shape[1] - n_cols - left))
    inside = (slice(above, above + n_rows), slice(left, left + n_cols))
    lowest = np.finfo(np.float32).tiny

    def one(projection: Float32Array) -> None:
        spectrum = scipy.fft.rfft2(np.pad(np.exp(-projection), edges, mode="symmetric"))
        spectrum *= filtered
        transmission = scipy.fft.irfft2(spectrum, shape, overwrite_x=True)[inside]
        projection[...] = -np.log(np.maximum(transmission, lowest))
        if blur.unsharp_px is not None:
            smooth = ndimage.gaussian_filter(projection, blur.unsharp_px, mode="reflect")
            projection += np.float32(blur.unsharp_strength) * (projection - smooth)

    with ThreadPoolExecutor(min(MOST_THREADS, n_usable_cores())) as threads:
        list(threads.map(one, line_integrals))
