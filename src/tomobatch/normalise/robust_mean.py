"""Mean over repeated frames that leaves zingers out (decision 32)."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tomobatch.arrays import Float32Array
from tomobatch.spread import NORMAL_MAD

RawArray = npt.NDArray[np.integer | np.floating]

# A reading this many standard deviations above the median is a zinger: chance alone reaches it
# once in 10^9 readings, and real zingers are tens to thousands of deviations high.
_ZINGER_SIGMAS = 6.0
# Median of the square of a difference of two readings, in units of the variance of one.
_MEDIAN_SQUARED_DIFFERENCE = 0.9099
_BAND_BYTES = 32 << 20
_SAMPLED_READINGS = 1 << 20
# Of the pixels of a frame: stray hits are a few in a thousand at most, and where more stand out the
# beam has changed there. A frame of few pixels may have this many.
_LARGEST_ZINGER_SHARE = 0.01
_FEW_PIXELS = 20


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
    changed_frames
        Frames with more bright readings than zingers can be, in which none was left out.
    """

    mean: Float32Array
    scatter: Float32Array
    variance_per_count: float
    n_zingers: int
    changed_frames: int = 0


def robust_mean(
    frames: RawArray, dark: Float32Array | None = None, *, keep_zingers: bool = False
) -> SeriesMean:
    """Return the mean over frames (n, y, x) without readings far above their pixel's median.

    Zingers only ever add counts, so the lower median stands for the undisturbed reading even in a
    pair of frames. What is far above follows the photon law with one factor for the whole series: a
    single pixel's few readings are too few to tell. Each frame is compared at its own level, since
    a beam that changes as a whole is no zinger; and a frame of which more than a hundredth stands
    out is kept as it is.

    ``dark``, float32 (y, x), is what the frames would read without beam; zero unless given. With
    ``keep_zingers`` every reading counts. Only a band of rows at a time is held as float.
    """
    levels = frame_levels(frames, dark)
    median_level = float(np.median(levels))
    usable = np.isfinite(levels).all() and bool((levels > 0).all())
    levels = levels / median_level if usable else np.ones(len(frames))
    variance_per_count = _variance_per_count(frames, dark)
    factor = math.inf if keep_zingers else _ZINGER_SIGMAS * math.sqrt(variance_per_count)
    averager = _Averager(frames, dark, levels, factor)
    tested = np.ones(len(frames), bool)
    mean, scatter, n_zingers = averager.average(tested)
    tested = n_zingers <= max(_FEW_PIXELS, _LARGEST_ZINGER_SHARE * frames[0].size)
    if not tested.all():
        mean, scatter, n_zingers = averager.average(tested)
    n_changed = int(np.count_nonzero(~tested))
    return SeriesMean(mean, scatter, variance_per_count, int(n_zingers.sum()), n_changed)


def frame_levels(frames: RawArray, dark: Float32Array | None = None) -> npt.NDArray[np.float64]:
    """Return the median signal of each frame over a sample of its pixels, float64 (n,)."""
    sample = _sample(frames, dark).reshape(len(frames), -1)
    return np.asarray(np.median(sample, axis=1), np.float64)


@dataclass(frozen=True)
class _Averager:
    """A series of frames, the level of each, and what is far above the photon noise."""

    frames: RawArray
    dark: Float32Array | None
    levels: npt.NDArray[np.float64]
    limit_factor: float

    def average(
        self, tested: npt.NDArray[np.bool_]
    ) -> tuple[Float32Array, Float32Array, npt.NDArray[np.int64]]:
        """Return mean and scatter (y, x), and the zingers of each frame, found in those tested."""
        n_frames, n_rows, n_columns = self.frames.shape
        mean = np.empty((n_rows, n_columns), np.float32)
        scatter = np.empty((n_rows, n_columns), np.float32)
        n_zingers = np.zeros(n_frames, np.int64)
        rows_in_band = max(1, _BAND_BYTES // (4 * n_frames * n_columns))
        for start in range(0, n_rows, rows_in_band):
            rows = slice(start, start + rows_in_band)
            mean[rows], scatter[rows], found = self._band(rows, tested)
            n_zingers += found
        return mean, scatter, n_zingers

    def _band(
        self, rows: slice, tested: npt.NDArray[np.bool_]
    ) -> tuple[Float32Array, Float32Array, npt.NDArray[np.int64]]:
        band = self.frames[:, rows].astype(np.float32)
        if self.dark is not None:
            band -= self.dark[rows]
        level = self.levels[:, None, None].astype(np.float32)
        n_frames = len(band)
        alike = band / level
        middle = _at_rank(alike, (n_frames - 1) // 2)
        scatter = NORMAL_MAD * _at_rank(np.abs(alike - middle), n_frames // 2)
        # Whole counts scatter by a count even where every reading so far is the same.
        least = _ZINGER_SIGMAS if self.frames.dtype.kind in "iu" else 0.0
        limit = np.maximum(self.limit_factor * np.sqrt(np.maximum(middle, 1)), least)
        zingers = (band - middle * level > limit * np.sqrt(level)) & tested[:, None, None]
        total = np.sum(band, axis=0, dtype=np.float64, where=~zingers)
        # What is left out stood at its frame's level.
        levels_kept = np.sum(
            np.broadcast_to(level, band.shape), axis=0, dtype=np.float64, where=~zingers
        )
        mean = total / levels_kept * self.levels.mean()
        if self.dark is not None:
            mean += self.dark[rows]
        return mean.astype(np.float32), scatter, np.count_nonzero(zingers, axis=(1, 2))


def _at_rank(band: Float32Array, rank: int) -> Float32Array:
    """Return what has the rank along the first axis when sorted."""
    return np.asarray(np.partition(band, rank, axis=0)[rank])


def _sample(frames: RawArray, dark: Float32Array | None) -> Float32Array:
    """Return the signal of every few rows and columns, float32 (n, y, x)."""
    step = math.ceil(math.sqrt(max(1, frames.size / _SAMPLED_READINGS)))
    sample = frames[:, ::step, ::step].astype(np.float32)
    return sample if dark is None else np.asarray(sample - dark[::step, ::step])


def _variance_per_count(frames: RawArray, dark: Float32Array | None) -> float:
    """Return the variance of readings over their counts, from a sample of pixels.

    Taken between neighbouring frames, each at its own level, it is blind to a beam that changes,
    and as a median to zingers and bad pixels.
    """
    if len(frames) == 1:
        return math.inf
    sample = _sample(frames, dark)
    differences = np.diff(sample, axis=0)
    differences -= np.median(differences, axis=(1, 2), keepdims=True)
    squares = differences**2 / np.maximum(sample.mean(axis=0), 1)
    usable = squares[np.isfinite(squares)]
    return float(np.median(usable)) / _MEDIAN_SQUARED_DIFFERENCE if usable.size else math.inf
