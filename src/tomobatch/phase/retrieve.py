"""Paganin's filter on a chunk of projections, in threads. Decision 38."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import scipy.fft

from tomobatch.arrays import Float32Array, Float64Array
from tomobatch.cores import n_usable_cores
from tomobatch.phase.blur import PhaseBlur

_REACH_LENGTHS = 14
"""From a pixel, in lengths of the blur: what lies further weighs less than exp(-14) = 1e-6."""
_REACH_SIGMAS = 4
_REACH_PX = 32
"""More: the filter ends at the highest frequency with a kink, whose echo falls with the square of
the distance only; from here on it adds less than 1e-6 to a projection with 2 % noise."""

_LOWEST = np.finfo(np.float32).tiny
"""Transmission whose logarithm is taken, at least."""


def reach_px(blur: PhaseBlur) -> int:
    """Return how far around a pixel its value hangs on, to 1e-6."""
    reach = _REACH_LENGTHS * blur.length_px + _REACH_SIGMAS * (blur.unsharp_px or 0.0)
    return _REACH_PX + math.ceil(reach)


def work_mb(n_rows: int, n_cols: int, blur: PhaseBlur) -> float:
    """Return the memory beside the projections: the filter, and that of a mask."""
    n_images = 1 if blur.unsharp_px is None else 2
    return n_images * 4 * n_rows * n_cols / 1e6


def transfer(shape: tuple[int, int], blur: PhaseBlur) -> Float32Array:
    """Return what the spectrum of the transmission is multiplied by.

    ``1 / (1 + L^2 k^2)`` of Paganin et al., J. Microsc. 206 (2002) 33, or
    ``1 / (1 - 2 L^2 (cos kx + cos ky - 2))`` of Paganin et al., J. Opt. 22 (2020) 115607, with k in
    radians a pixel.

    Returns
    -------
    float32 (rows, cols)
        1 at frequency zero. For cosine transforms: k of the n-th is ``pi n / rows``.
    """
    down, across = _frequencies(shape)
    if blur.method == "generalised":
        down, across = 2 - 2 * np.cos(down), 2 - 2 * np.cos(across)
    else:
        down, across = down**2, across**2
    factors = _sums(1 + blur.length_px**2 * down, blur.length_px**2 * across)
    return np.divide(1, factors, out=factors)


def mask_transfer(shape: tuple[int, int], sigma_px: float, strength: float) -> Float32Array:
    """Return what the spectrum of a picture is multiplied by to sharpen it by an unsharp mask.

    The picture, plus ``strength`` times what a Gaussian of ``sigma_px`` takes away from it.
    """
    down, across = (-0.5 * (sigma_px * k) ** 2 for k in _frequencies(shape))
    gaussian = _sums(down, across)
    np.exp(gaussian, out=gaussian)
    gaussian *= -strength
    gaussian += 1 + strength
    return gaussian


def _frequencies(shape: tuple[int, int]) -> tuple[Float64Array, Float64Array]:
    """Return those of cosine transforms down and across, in radians a pixel."""
    n_rows, n_cols = shape
    return np.linspace(0, np.pi, n_rows, endpoint=False), np.linspace(0, np.pi, n_cols, False)


def _sums(down: Float64Array, across: Float64Array) -> Float32Array:
    return np.add.outer(down.astype(np.float32), across.astype(np.float32))


def retrieve_phase(line_integrals: Float32Array, blur: PhaseBlur) -> None:
    """Replace apparent line integrals by those of the absorption alone, in place.

    Each projection is filtered as transmission. Beyond its edges it goes on as its mirror image,
    without end: that is what cosine transforms do, and they need no padding.

    Parameters
    ----------
    line_integrals : float32 (projection, row, column)
        Minus the logarithm of the transmission at the detector; all finite.
    blur
        The filter, whose length is in pixels.
    """
    shape = (line_integrals.shape[1], line_integrals.shape[2])
    factors = transfer(shape, blur)
    mask = None
    if blur.unsharp_px is not None:
        mask = mask_transfer(shape, blur.unsharp_px, blur.unsharp_strength)

    def one(projection: Float32Array) -> None:
        transmission = np.negative(projection, out=projection)
        np.exp(transmission, out=transmission)
        _multiply_spectrum(transmission, factors)
        np.maximum(transmission, _LOWEST, out=transmission)
        np.negative(np.log(transmission, out=transmission), out=projection)
        if mask is not None:
            _multiply_spectrum(projection, mask)

    with ThreadPoolExecutor(n_usable_cores()) as threads:
        list(threads.map(one, line_integrals))


def _multiply_spectrum(picture: Float32Array, factors: Float32Array) -> None:
    """Filter a picture, in place."""
    spectrum = scipy.fft.dctn(picture, overwrite_x=True)
    spectrum *= factors
    filtered = scipy.fft.idctn(spectrum, overwrite_x=True)
    # It is the picture itself where the transforms worked in place.
    if not np.may_share_memory(filtered, picture):
        picture[...] = filtered
