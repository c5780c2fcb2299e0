"""Mean over repeated frames that leaves zingers out."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
RawArray = npt.NDArray[np.integer | np.floating]

# A reading this many standard deviations above the median is a zinger: chance alone reaches it
# once in 10^9 readings, and real zingers are tens to thousands of deviations high.
_ZINGER_SIGMAS = 6.0
_MAD_TO_SIGMA = 1.4826
_BAND_BYTES = 32 << 20


@dataclass(frozen=True)
class SeriesMean:
    """The mean of a series of frames, and how far its readings scatter.

    Attributes
    ----------
    mean
        float32 (y, x), in counts; NaN where a reading was not finite.
    scatter
        float32 (y, x), robust standard deviation of one reading, in counts; zero for one frame.
    n_zingers
        Readings left out.
    """

    mean: FloatArray
    scatter: FloatArray
    n_zingers: int


def robust_mean(frames: RawArray, *, keep_zingers: bool = False) -> SeriesMean:
    """Return the mean over frames (n, y, x) without readings far above their pixel's median.

    Zingers only ever add counts, so the lower median stands for the undisturbed reading even in a
    pair of frames. The noise that decides what is far above follows the photon law, variance
    proportional to counts, with one factor for the whole series: a single pixel's few readings are
    too few to tell.

    With ``keep_zingers`` every reading counts. Only a band of rows at a time is held as float.
    """
    n_frames, n_rows, n_columns = frames.shape
    mean = np.empty((n_rows, n_columns), np.float32)
    scatter = np.empty((n_rows, n_columns), np.float32)
    n_zingers = 0
    rows_in_band = max(1, _BAND_BYTES // (4 * n_frames * n_columns))
    for start in range(0, n_rows, rows_in_band):
        rows = slice(start, start + rows_in_band)
        band = frames[:, rows].astype(np.float32)
        middle = _lower_median(band)
        scatter[rows] = _scatter(band, middle)
        mean[rows] = middle
    noise = _photon_noise(mean, scatter)
    for start in range(0, n_rows, rows_in_band):
        rows = slice(start, start + rows_in_band)
        band = frames[:, rows].astype(np.float32)
        good = keep_zingers | ~(band > mean[rows] + _ZINGER_SIGMAS * noise[rows])
        n_zingers += int(band.size - np.count_nonzero(good))
        total = np.sum(band, axis=0, dtype=np.float64, where=good)
        mean[rows] = total / np.count_nonzero(good, axis=0)
    return SeriesMean(mean, scatter, n_zingers)


def _lower_median(band: FloatArray) -> FloatArray:
    """Return the lower median over the first axis."""
    rank = (band.shape[0] - 1) // 2
    return np.asarray(np.partition(band, rank, axis=0)[rank])


def _scatter(band: FloatArray, middle: FloatArray) -> FloatArray:
    """Return the robust standard deviation of the readings of each pixel about ``middle``."""
    rank = band.shape[0] // 2
    deviation = np.partition(np.abs(band - middle), rank, axis=0)[rank]
    return np.asarray(np.float32(_MAD_TO_SIGMA) * deviation)


def _photon_noise(mean: FloatArray, scatter: FloatArray) -> FloatArray:
    """Return the standard deviation the photon law gives each pixel, from the whole series.

    Without any scatter (a single frame) nothing can be told from it, and the noise is infinite.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = scatter.astype(np.float64) ** 2 / mean
    usable = np.isfinite(factor) & (mean > 0)
    typical = float(np.median(factor[usable])) if usable.any() else 0.0
    if typical == 0.0:
        return np.full_like(mean, np.inf)
    return np.asarray(np.sqrt(typical * np.clip(mean, 0, None)), np.float32)
