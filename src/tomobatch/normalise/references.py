"""Flats and darks, averaged once for the whole scan."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tomobatch.errors import UserError
from tomobatch.normalise.bad_pixels import find_bad_pixels
from tomobatch.normalise.robust_mean import RawArray, SeriesMean, robust_mean
from tomobatch.normalise.settings import NormaliseSettings

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float32]

_DRIFT_MAP_SIZE_PX = 64


@dataclass(frozen=True)
class ReferenceSeries:
    """Flats taken in one go.

    Attributes
    ----------
    frames
        (n, y, x) of any numeric type, in counts.
    position
        Projection index at which they were taken: 0 before the first projection, the number of
        projections after the last.
    """

    frames: RawArray
    position: float


@dataclass(frozen=True)
class Drift:
    """How the beam changed between the series of flats.

    Attributes
    ----------
    intensities
        Mean signal (flat minus dark) of the good pixels of each series, in counts.
    change
        Relative change of the mean from the first series to the last.
    map
        float32, relative change at each place of the detector, in blocks: at most 64 x 64 values.
    """

    intensities: tuple[float, ...]
    change: float
    map: FloatArray


@dataclass(frozen=True)
class ReferenceCounts:
    """What was found in the references: pixels, and readings for the zingers."""

    bad_pixels: int
    dead: int
    hot: int
    noisy: int
    zingers: int


@dataclass(frozen=True)
class References:
    """What turns counts into transmission.

    Attributes
    ----------
    flats
        float32 (series, y, x), mean counts of each series, in the order of their positions.
    flat_positions
        float64 (series,), projection index of each series, ascending.
    dark
        float32 (y, x), mean counts without beam; zeros where none were measured.
    bad_pixels
        bool (y, x), pixels that are replaced in every projection.
    noise
        Standard deviation of one open-beam reading, as a share of the signal; zero where a series
        has a single flat.
    counts, drift
        For the report.
    warnings
        What the user should know, one line each.
    """

    flats: FloatArray
    flat_positions: npt.NDArray[np.float64]
    dark: FloatArray
    bad_pixels: BoolArray
    noise: float
    counts: ReferenceCounts
    drift: Drift
    warnings: tuple[str, ...] = ()


def average_references(
    flats: Sequence[ReferenceSeries],
    darks: RawArray | None,
    settings: NormaliseSettings | None = None,
) -> References:
    """Average each series of flats and the darks without their zingers, and find bad pixels.

    Parameters
    ----------
    flats
        One or more series, in any order.
    darks
        (n, y, x), in counts, or None: zeros are taken, with a warning.
    settings
        Without a zinger threshold, zingers are kept here too; None for the defaults.

    Raises
    ------
    UserError
        Without flats, with shapes that differ, or without a single good pixel.
    """
    series = sorted((one for one in flats if len(one.frames)), key=lambda one: one.position)
    if not series:
        raise UserError("no flats found; say where they are with datasets.flats")
    shape = series[0].frames.shape[1:]
    for one in series[1:]:
        _check_shape("flats", one.frames.shape[1:], shape)
    settings = NormaliseSettings() if settings is None else settings
    keep_zingers = settings.zinger_threshold is None
    warnings: list[str] = []
    flat_means = [robust_mean(one.frames, keep_zingers=keep_zingers) for one in series]
    n_zingers = sum(mean.n_zingers for mean in flat_means)
    if darks is None or len(darks) == 0:
        warnings.append(
            "no darks: zero is taken, so the attenuation of dense parts comes out too low"
        )
        dark = np.zeros(shape, np.float32)
    else:
        _check_shape("darks", darks.shape[1:], shape)
        dark_mean = robust_mean(darks, keep_zingers=keep_zingers)
        dark = dark_mean.mean
        n_zingers += dark_mean.n_zingers
    if any(len(one.frames) == 1 for one in series):
        warnings.append("a series holds a single flat: its zingers stay in it")
    means = np.stack([mean.mean for mean in flat_means])
    longest = max(range(len(series)), key=lambda i: len(series[i].frames))
    bad = find_bad_pixels(means, dark, flat_means[longest].scatter, len(series[longest].frames))
    if bad.mask.all():
        raise UserError(
            "the flats are nowhere brighter than the darks: check that they are not exchanged"
        )
    counts = ReferenceCounts(
        bad_pixels=int(np.count_nonzero(bad.mask)),
        dead=int(np.count_nonzero(bad.dead)),
        hot=int(np.count_nonzero(bad.hot)),
        noisy=int(np.count_nonzero(bad.noisy)),
        zingers=n_zingers,
    )
    positions = np.array([one.position for one in series], np.float64)
    drift = _drift(means - dark, ~bad.mask)
    noise = _noise(flat_means[longest], (means[longest] - dark)[~bad.mask])
    return References(means, positions, dark, bad.mask, noise, counts, drift, tuple(warnings))


def _check_shape(name: str, found: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if found != expected:
        raise UserError(f"{name} of {found} pixels (y, x) do not fit flats of {expected}")


def _noise(flat: SeriesMean, good_signal: FloatArray) -> float:
    """Return the standard deviation of one reading as a share of the signal; 0 if not known."""
    if not math.isfinite(flat.variance_per_count):
        return 0.0
    return math.sqrt(flat.variance_per_count / float(np.median(good_signal)))


def _drift(signal: FloatArray, good: BoolArray) -> Drift:
    """Compare the series of ``signal`` (series, y, x) over the good pixels."""
    intensities = tuple(float(np.mean(one, where=good, dtype=np.float64)) for one in signal)
    first = _block_sums(np.where(good, signal[0], 0))
    last = _block_sums(np.where(good, signal[-1], 0))
    change = np.divide(last - first, first, out=np.zeros_like(first), where=first > 0)
    return Drift(intensities, intensities[-1] / intensities[0] - 1, change.astype(np.float32))


def _block_sums(image: FloatArray) -> npt.NDArray[np.float64]:
    """Sum an image over blocks, at most 64 each way; the last block of a side can be smaller."""
    total = image.astype(np.float64)
    for axis, size in enumerate(image.shape):
        step = -(-size // _DRIFT_MAP_SIZE_PX)
        total = np.add.reduceat(total, np.arange(0, size, step), axis=axis)
    return total
