"""Flats and darks, averaged once for the whole scan."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tomobatch.arrays import BoolArray, Float32Array
from tomobatch.errors import UserError
from tomobatch.normalise.bad_pixels import find_bad_pixels
from tomobatch.normalise.robust_mean import RawArray, SeriesMean, robust_mean
from tomobatch.normalise.saturation import SATURATED_SHARE, find_saturation, sample_readings
from tomobatch.normalise.series import ReferenceSeries
from tomobatch.normalise.settings import NO_FLATS, NormaliseSettings
from tomobatch.normalise.strangers import without_strange_darks, without_strange_flats

NO_DARKS = (
    "no darks: zero is taken, so the attenuation of dense parts comes out too low; take ten with"
    " the beam off, and name them by datasets.darks if they lie elsewhere"
)
_DRIFT_MAP_SIZE_PX = 64


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
    map: Float32Array


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
    saturation
        Counts at which the flats' readings pile up; None if they do not.
    offsets
        float32 (projection,), what is added to the line integrals of each projection, as the beam
        was stronger than its flats say; None for nothing.
    modes
        float32 (mode, y, x), ways in which the pattern of the beam moves, as logarithms: every
        projection gets its own share of each. None for nothing.
    """

    flats: Float32Array
    flat_positions: npt.NDArray[np.float64]
    dark: Float32Array
    bad_pixels: BoolArray
    noise: float
    counts: ReferenceCounts
    drift: Drift
    warnings: tuple[str, ...] = ()
    saturation: float | None = None
    offsets: Float32Array | None = None
    modes: Float32Array | None = None

    @property
    def half_count(self) -> float:
        """Half the variance of an open-beam reading, relative to its signal squared.

        Where photons are counted, it is the transmission of half a photon. Added to a transmission
        before the logarithm, it takes away the logarithm's bias to first order: for a mean T with
        variance noise^2 T, the mean logarithm is log T - noise^2 / (2 T).
        """
        return self.noise**2 / 2

    def of_rows(self, rows: slice) -> "References":
        """Return those of some rows of the detector; what was found is that of the whole one."""
        return replace(
            self,
            flats=self.flats[:, rows],
            dark=self.dark[rows],
            bad_pixels=self.bad_pixels[rows],
        )


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
        raise UserError(NO_FLATS)
    shape = series[0].frames.shape[1:]
    for one in series[1:]:
        _check_shape("flats", one.frames.shape[1:], shape)
    settings = NormaliseSettings() if settings is None else settings
    dark, n_dark_zingers, warnings = _average_darks(darks, series, settings)
    looked_at = [without_strange_flats(one, dark) for one in series]
    usable = [kept for kept, _ in looked_at]
    warnings += [remark for _, remarks in looked_at for remark in remarks]
    flat_means = [_average_flats(one, dark, settings) for one in usable]
    saturation, remarks = _saturation(usable, dark, settings)
    warnings += [*_remarks(usable, flat_means, said_saturated=bool(remarks)), *remarks]
    means = np.stack([mean.mean for mean in flat_means])
    longest = max(range(len(usable)), key=lambda i: len(usable[i].frames))
    bad = find_bad_pixels(means, dark, flat_means[longest].scatter, len(usable[longest].frames))
    if bad.mask.all():
        raise UserError(
            "the flats are nowhere brighter than the darks: check that they are not exchanged"
        )
    counts = ReferenceCounts(
        bad_pixels=int(np.count_nonzero(bad.mask)),
        dead=int(np.count_nonzero(bad.dead)),
        hot=int(np.count_nonzero(bad.hot)),
        noisy=int(np.count_nonzero(bad.noisy)),
        zingers=n_dark_zingers + sum(mean.n_zingers for mean in flat_means),
    )
    return References(
        flats=means,
        flat_positions=np.array([one.position for one in usable], np.float64),
        dark=dark,
        bad_pixels=bad.mask,
        noise=_noise(flat_means[longest], (means[longest] - dark)[~bad.mask]),
        counts=counts,
        drift=_drift(means - dark, ~bad.mask),
        warnings=tuple(warnings),
        saturation=saturation,
    )


def _average_darks(
    darks: RawArray | None, series: Sequence[ReferenceSeries], settings: NormaliseSettings
) -> tuple[Float32Array, int, list[str]]:
    """Return the mean dark (y, x), its zingers, and what is odd about it."""
    shape = series[0].frames.shape[1:]
    if darks is None or len(darks) == 0:
        return np.zeros(shape, np.float32), 0, [NO_DARKS]
    _check_shape("darks", darks.shape[1:], shape)
    flat_level = float(np.median([np.median(one.frames[0]) for one in series]))
    darks, warnings = without_strange_darks(darks, flat_level)
    mean = robust_mean(darks, keep_zingers=settings.zinger_threshold is None)
    return mean.mean, mean.n_zingers, warnings


def _average_flats(
    series: ReferenceSeries, dark: Float32Array, settings: NormaliseSettings
) -> SeriesMean:
    """Average a series of flats, and scale its signal to the exposure of the projections."""
    mean = robust_mean(series.frames, dark, keep_zingers=settings.zinger_threshold is None)
    scale = np.float32(series.scale * settings.flat_scale)
    return mean if scale == 1 else replace(mean, mean=dark + scale * (mean.mean - dark))


def _remarks(
    series: Sequence[ReferenceSeries], means: Sequence[SeriesMean], *, said_saturated: bool
) -> Iterator[str]:
    """Say what is odd about the series of flats; how saturated ones scatter says nothing."""
    if any(len(one.frames) == 1 for one in series):
        yield (
            "a series holds a single flat: its zingers stay in it, and its noise makes rings; take"
            " ten or more"
        )
    for one, mean in zip(series, means, strict=True):
        if mean.changed_frames and not said_saturated:
            yield (
                f"in {mean.changed_frames} of the {len(one.frames)} flats {one.when} parts of the"
                " beam are brighter than in the others: zingers are kept in them, and rings may"
                " stay in the volume"
            )
        if one.scale != 1:
            yield (
                f"the flats {one.when} were exposed otherwise than the projections: their signal"
                f" is multiplied by {one.scale:.4g}"
            )


def _saturation(
    series: Sequence[ReferenceSeries], dark: Float32Array, settings: NormaliseSettings
) -> tuple[float | None, list[str]]:
    """Return the counts at which the camera saturates, if flats show it, and say so."""
    samples = [sample_readings(one.frames, dark) for one in series]
    found = [level for sample in samples if (level := find_saturation(sample)) is not None]
    level = settings.saturation_counts or (min(found) if found else None)
    if level is None:
        return None, []
    share = max(float(np.mean(sample >= level)) for sample in samples)
    if share <= SATURATED_SHARE:
        return level, []
    return level, [
        f"{share:.1%} of the readings of the flats are saturated at {level:g} counts: what lies"
        " behind them comes out too thin; take flats and projections with a shorter exposure"
    ]


def _check_shape(name: str, found: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if found != expected:
        raise UserError(f"{name} of {found} pixels (y, x) do not fit flats of {expected}")


def _noise(flat: SeriesMean, good_signal: Float32Array) -> float:
    """Return the standard deviation of one reading as a share of the signal; 0 if not known."""
    if not math.isfinite(flat.variance_per_count):
        return 0.0
    return math.sqrt(flat.variance_per_count / float(np.median(good_signal)))


def _drift(signal: Float32Array, good: BoolArray) -> Drift:
    """Compare the series of ``signal`` (series, y, x) over the good pixels."""
    intensities = tuple(float(np.mean(one, where=good, dtype=np.float64)) for one in signal)
    first = _block_sums(np.where(good, signal[0], 0))
    last = _block_sums(np.where(good, signal[-1], 0))
    change = np.divide(last - first, first, out=np.zeros_like(first), where=first > 0)
    return Drift(intensities, intensities[-1] / intensities[0] - 1, change.astype(np.float32))


def _block_sums(image: Float32Array) -> npt.NDArray[np.float64]:
    """Sum an image over blocks, at most 64 each way; the last block of a side can be smaller."""
    total = image.astype(np.float64)
    for axis, size in enumerate(image.shape):
        step = -(-size // _DRIFT_MAP_SIZE_PX)
        total = np.add.reduceat(total, np.arange(0, size, step), axis=axis)
    return total
