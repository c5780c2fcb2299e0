"""Mean over repeated frames that leaves zingers out."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
RawArray = npt.NDArray[np.integer | np.floating]

# A reading this many standard deviations above the median is a zinger: chance alone reaches it
# once in 10^9 readings, and real zingers are tens to thousands of deviations high.
_ZINGER_SIGMAS = 6.0
_MAD_TO_SIGMA = 1.4826
# Median of the square of a difference of two readings, in units of the variance of one.
_MEDIAN_SQUARED_DIFFERENCE = 0.9099
_BAND_BYTES = 32 << 20
_SAMPLED_READINGS = 1 << 20


@dataclass(frozen=True)
class SeriesMean:
    """The mean of a series of frames, and how far its readings scatter.

    Attributes
    ----------
    mean
        float32 (y, x), in counts; NaN where a reading was not finite.
    scatter
        float32 (y, x), robust standard deviation of one reading about the median, in counts.
    variance_per_count
        Variance of a reading as a share of its counts, the same for all pixels where photons are
        what makes them scatter; infinite where a single frame cannot tell.
    n_zingers
        Readings left out.
    """

    mean: FloatArray
    scatter: FloatArray
    variance_per_count: float
    n_zingers: int


def robust_mean(frames: RawArray, *, keep_zingers: bool = False) -> SeriesMean:
    """Return the mean over frames (n, y, x) without readings far above their pixel's median.

    Zingers only ever add counts, so the lower median stands for the undisturbed reading even in a
    pair of frames. What is far above follows the photon law with one factor for the whole series: a
    single pixel's few readings are too few to tell.

    With ``keep_zingers`` every reading counts. Only a band of rows at a time is held as float.
    """
    n_frames, n_rows, n_columns = frames.shape
    variance_per_count = _variance_per_count(frames)
    limit_factor = math.inf if keep_zingers else _ZINGER_SIGMAS * math.sqrt(variance_per_count)
    # Whole counts scatter by a count even where every reading so far is the same.
    least_limit = _ZINGER_SIGMAS if frames.dtype.kind in "iu" else 0.0
    mean = np.empty((n_rows, n_columns), np.float32)
    scatter = np.empty((n_rows, n_columns), np.float32)
    n_zingers = 0
    rows_in_band = max(1, _BAND_BYTES // (4 * n_frames * n_columns))
    for start in range(0, n_rows, rows_in_band):
        rows = slice(start, start + rows_in_band)
        band = frames[:, rows].astype(np.float32)
        middle = _at_rank(band, (n_frames - 1) // 2)
        scatter[rows] = _MAD_TO_SIGMA * _at_rank(np.abs(band - middle), n_frames // 2)
        limit = np.maximum(limit_factor * np.sqrt(np.maximum(middle, 1)), least_limit)
        zingers = band - middle > limit
        n_kept = n_frames - np.count_nonzero(zingers, axis=0)
        mean[rows] = np.sum(band, axis=0, dtype=np.float64, where=~zingers) / n_kept
        n_zingers += int(np.count_nonzero(zingers))
    return SeriesMean(mean, scatter, variance_per_count, n_zingers)


def _at_rank(band: FloatArray, rank: int) -> FloatArray:
    """Return what has the rank along the first axis when sorted."""
    return np.asarray(np.partition(band, rank, axis=0)[rank])


def _variance_per_count(frames: RawArray) -> float:
    """Return the variance of readings over their counts, from a sample of pixels.

    Taken between neighbouring frames, it is blind to a beam that changes slowly, and as a median to
    zingers and bad pixels.
    """
    if len(frames) == 1:
        return math.inf
    step = math.ceil(math.sqrt(max(1, frames.size / _SAMPLED_READINGS)))
    sample = frames[:, ::step, ::step].astype(np.float32)
    squares = np.diff(sample, axis=0) ** 2 / np.maximum(sample.mean(axis=0), 1)
    usable = squares[np.isfinite(squares)]
    return float(np.median(usable)) / _MEDIAN_SQUARED_DIFFERENCE if usable.size else math.inf
