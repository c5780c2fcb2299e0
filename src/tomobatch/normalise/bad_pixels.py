"""Which detector pixels cannot be trusted, and what stands in for them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage, spatial

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float32]

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
_WINDOW_PX = 7
_N_NEIGHBOURS = 8


@dataclass(frozen=True)
class BadPixels:
    """The bad pixels by kind, each bool (y, x); a pixel can be of several kinds."""

    dead: BoolArray
    hot: BoolArray
    noisy: BoolArray

    @property
    def mask(self) -> BoolArray:
        """Every bad pixel."""
        return self.dead | self.hot | self.noisy


def find_bad_pixels(
    flats: FloatArray, dark: FloatArray, scatter: FloatArray, n_frames: int
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
        dead: no signal, not finite, or far off the median of the signal around it, in any series;
        hot: a dark reading far above the others; noisy: readings that scatter far more than
        photons do.
    """
    signal = flats - dark
    finite = np.isfinite(signal)
    signal = np.where(finite, signal, np.float32(0))
    typical = float(np.median(signal))
    dead = np.zeros(dark.shape, bool)
    for one, ok in zip(signal, finite, strict=True):
        around = ndimage.median_filter(one, _WINDOW_PX)
        dead |= ~ok | (one <= _UNLIT_SHARE * typical) | (one <= 0)
        dead |= (one < _DEAD_SHARE * around) | (one > _BRIGHT_SHARE * around)
    return BadPixels(dead, _hot(dark, typical), _noisy(signal, scatter, n_frames))


def _hot(dark: FloatArray, typical_signal: float) -> BoolArray:
    finite = np.where(np.isfinite(dark), dark, np.float32(0))
    middle = float(np.median(finite))
    sigma = 1.4826 * float(np.median(np.abs(finite - middle)))
    limit = max(_HOT_SIGMAS * sigma, _HOT_SHARE * typical_signal)
    return ~np.isfinite(dark) | (finite > middle + limit)


def _noisy(signal: FloatArray, scatter: FloatArray, n_frames: int) -> BoolArray:
    if n_frames < _NOISY_MIN_FRAMES:
        return np.zeros(scatter.shape, bool)
    mean_signal = np.clip(signal.mean(axis=0), 1e-6, None)
    factor = scatter / np.sqrt(mean_signal)
    typical = float(np.median(factor))
    return np.asarray((factor > _NOISY_RATIO * typical) & (typical > 0))


@dataclass(frozen=True)
class Repair:
    """Where each bad pixel takes its value from.

    Attributes
    ----------
    pixels
        int32 (bad,), flat index y * n_x + x of each bad pixel, ascending.
    neighbours
        int32 (bad, 8), flat indices of the nearest good pixels.
    weights
        float32 (bad, 8), their shares, falling with the square of the distance; each row adds up
        to 1.
    """

    pixels: npt.NDArray[np.int32]
    neighbours: npt.NDArray[np.int32]
    weights: FloatArray


def plan_repair(bad: BoolArray) -> Repair:
    """Choose the good neighbours of every bad pixel of a mask bool (y, x) with a good pixel."""
    good_yx = np.argwhere(~bad)
    bad_yx = np.argwhere(bad)
    n_neighbours = min(_N_NEIGHBOURS, len(good_yx))
    if len(bad_yx) == 0:
        empty = np.empty((0, n_neighbours))
        return Repair(np.empty(0, np.int32), empty.astype(np.int32), empty.astype(np.float32))
    distance, nearest = spatial.KDTree(good_yx).query(bad_yx, k=n_neighbours)
    distance = np.asarray(distance).reshape(len(bad_yx), n_neighbours)
    nearest = np.asarray(nearest).reshape(len(bad_yx), n_neighbours)
    weights = 1 / distance**2
    weights /= weights.sum(axis=1, keepdims=True)
    n_columns = bad.shape[1]
    flat_good = good_yx[:, 0] * n_columns + good_yx[:, 1]
    return Repair(
        (bad_yx[:, 0] * n_columns + bad_yx[:, 1]).astype(np.int32),
        flat_good[nearest].astype(np.int32),
        weights.astype(np.float32),
    )
