"""Which detector pixels cannot be trusted."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from tomobatch.arrays import BoolArray, Float32Array
from tomobatch.spread import NORMAL_MAD

# Of the signal (flat minus dark) around it: below or above, a pixel does not answer to light.
_DEAD_SHARE = 0.1
_BRIGHT_SHARE = 4.0
# Of the whole image's median signal: where no light reaches, transmission has no meaning.
_UNLIT_SHARE = 0.02
# Robust standard deviations of the dark image, and share of the median signal, of a hot pixel.
_HOT_SIGMAS = 10.0
_HOT_SHARE = 0.02
# Times the photon noise at its counts: a pixel that scatters so much fluctuates by itself.
_NOISY_RATIO = 5.0
_NOISY_MIN_FRAMES = 5
# The level around a pixel is a median over 7 x 7 pixels of every fourth row and column, or of more
# in an image of a few, where one bad pixel would be the level of all.
_LEVEL_STEP_PX = 4
_LEVEL_WINDOW = 7


@dataclass(frozen=True)
class BadPixels:
    """The bad pixels by kind, each bool (y, x); a noisy pixel can be dead or hot as well."""

    dead: BoolArray
    hot: BoolArray
    noisy: BoolArray

    @property
    def mask(self) -> BoolArray:
        """Every bad pixel."""
        return self.dead | self.hot | self.noisy


def find_bad_pixels(
    flats: Float32Array, dark: Float32Array, scatter: Float32Array, n_frames: int
) -> BadPixels:
    """Find the pixels whose transmission means nothing.

    Parameters
    ----------
    flats
        float32 (series, y, x), mean counts of each series of flats.
    dark
        float32 (y, x), mean counts without beam.
    scatter
        float32 (y, x), robust standard deviation of a single flat reading.
    n_frames
        Flats behind ``scatter``; with fewer than five, no pixel is called noisy.

    Returns
    -------
    BadPixels
        hot: a dark reading far above the others; dead: otherwise without signal, not finite, or far
        off the signal around it, in any series; noisy: readings that scatter far more than
        photons do.
    """
    signal = flats - dark
    finite = np.isfinite(signal)
    signal = np.where(finite, signal, np.float32(0))
    typical = float(np.median(signal))
    dead = np.zeros(dark.shape, bool)
    for one, ok in zip(signal, finite, strict=True):
        around = _level(one)
        dead |= ~ok | (one <= _UNLIT_SHARE * typical) | (one <= 0)
        lit = around > _UNLIT_SHARE * typical
        dead |= lit & ((one < _DEAD_SHARE * around) | (one > _BRIGHT_SHARE * around))
    hot = _hot(dark, typical)
    return BadPixels(dead & ~hot, hot, _noisy(signal, scatter, n_frames))


def _level(image: Float32Array) -> Float32Array:
    """Return the coarse level (y, x) around each pixel."""
    n_y, n_x = image.shape
    step = max(1, min(_LEVEL_STEP_PX, min(n_y, n_x) // _LEVEL_WINDOW))
    coarse = ndimage.median_filter(image[::step, ::step], _LEVEL_WINDOW)
    return np.asarray(coarse.repeat(step, axis=0).repeat(step, axis=1)[:n_y, :n_x])


def _hot(dark: Float32Array, typical_signal: float) -> BoolArray:
    finite = np.where(np.isfinite(dark), dark, np.float32(0))
    middle = float(np.median(finite))
    sigma = NORMAL_MAD * float(np.median(np.abs(finite - middle)))
    limit = max(_HOT_SIGMAS * sigma, _HOT_SHARE * typical_signal)
    return ~np.isfinite(dark) | (finite > middle + limit)


def _noisy(signal: Float32Array, scatter: Float32Array, n_frames: int) -> BoolArray:
    if n_frames < _NOISY_MIN_FRAMES:
        return np.zeros(scatter.shape, bool)
    mean_signal = np.clip(signal.mean(axis=0), 1e-6, None)
    factor = scatter / np.sqrt(mean_signal)
    typical = float(np.median(factor))
    return np.asarray((factor > _NOISY_RATIO * typical) & (typical > 0))
