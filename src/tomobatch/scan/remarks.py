"""What is odd about a scan: found once, told by ``inspect`` and by every run."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tomobatch.normalise.divided import no_references, white_references
from tomobatch.normalise.references import NO_DARKS, References, average_references
from tomobatch.normalise.series import ReferenceSeries
from tomobatch.normalise.settings import NormaliseSettings
from tomobatch.scan.angle_check import EffectiveAngles, effective_angles
from tomobatch.scan.angles import widest_gap_rad
from tomobatch.scan.beam_drift import drift_remarks
from tomobatch.scan.beam_words import cone_remarks
from tomobatch.scan.flats import Flats
from tomobatch.scan.header import AngleSource, ScanHeader
from tomobatch.scan.monitor import follow_monitor
from tomobatch.scan.moving_flats import follow_pattern
from tomobatch.scan.parts import Scan
from tomobatch.scan.spot_drift import spot_remarks

_SAMPLED_PROJECTIONS = 8
_FEWEST_ANGLES_PER_COLUMN = 0.5
_LEAST_BEAM_TO_DARK = 0.2
_BRIGHTEST_AIR = 1.1
_DIMMEST_AIR = 0.8
_LARGEST_DRIFT = 0.1
_SATURATED_SHARE = 1e-3
_NEIGHBOURS = 8
_NOISE_SIGMAS = 3.0
# Scatter of empty pictures, noise of the flats included, in that of one exposure.
_EMPTY_NOISES = 1.3
_FEWEST_GROUPS = 4
# A gap between directions of so many steps, and so many degrees, is a missing wedge.
_LARGEST_GAP_STEPS, _LARGEST_GAP_DEG = 2.5, 1.0


@dataclass(frozen=True)
class Look:
    """What a scan's references and angles are, and what is odd about all of it.

    Attributes
    ----------
    angles
        The angles to reconstruct with.
    references
        Its averaged flats and darks.
    warnings
        What may spoil the result, a line each; also of the references.
    """

    angles: EffectiveAngles
    references: References
    warnings: tuple[str, ...]


def look_at(
    scan: Scan,
    flats: Flats,
    darks: NDArray[np.integer | np.floating] | None,
    settings: NormaliseSettings | None = None,
) -> Look:
    """Average the references, settle the angles, and say what is odd; a few projections are read.

    Parameters
    ----------
    scan
        An open scan without problems.
    flats, darks
        As the scan gives them.
    settings
        None for the defaults.

    Raises
    ------
    UserError
        If the references cannot be used.
    """
    settings = NormaliseSettings() if settings is None else settings
    if settings.input != "counts":
        header, angles = scan.header, effective_angles(scan, given=settings.input)
        warnings = [*header_remarks(header, settings), *_as_list(angles.warning)]
        if flats.series:
            warnings.append(f"the flats are not used, as normalise.input is {settings.input}")
        return Look(angles, no_references((header.n_rows, header.n_cols)), tuple(warnings))
    if scan.header.white_level is not None:
        return _look_at_divided(scan, scan.header.white_level, darks, settings)
    series = [ReferenceSeries(*one) for one in flats.series]
    # Neither hangs on the other, and each takes a second.
    with ThreadPoolExecutor(1) as beside:
        asked = beside.submit(effective_angles, scan)
        references = average_references(series, darks, settings)
        angles = asked.result()
    if references.saturation is None and scan.header.dtype != scan.header.counted_as:
        references = replace(references, saturation=_end_of(scan.header.counted_as))
    if settings.monitor:
        references, monitor_remarks = follow_monitor(scan, references)
    else:
        monitor_remarks = []
    references, pattern_remarks = follow_pattern(scan, flats, references, settings)
    warnings = [
        *header_remarks(scan.header, settings),
        *monitor_remarks,
        *pattern_remarks,
        *flats.notes,
        *_as_list(angles.warning),
        *_count_remarks(scan, references, settings),
        *references.warnings,
    ]
    return Look(angles, references, tuple(dict.fromkeys(warnings)))


def _look_at_divided(
    scan: Scan,
    white_level: float,
    darks: NDArray[np.integer | np.floating] | None,
    settings: NormaliseSettings,
) -> Look:
    """Look at a scan whose pictures the scanner has divided by its flats."""
    header, angles = scan.header, effective_angles(scan)
    shape = (header.n_rows, header.n_cols)
    references = white_references(shape, white_level, header.counted_as, darks)
    warnings = [
        *header_remarks(header, settings),
        *_as_list(angles.warning),
        *_count_remarks(scan, references, settings),
    ]
    return Look(angles, references, tuple(dict.fromkeys(warnings)))


def _as_list(line: str | None) -> list[str]:
    return [] if line is None else [line]


def header_remarks(header: ScanHeader, settings: NormaliseSettings | None = None) -> Iterator[str]:
    """Remark on what the header alone tells."""
    of_counts = settings is None or settings.input == "counts"
    yield from header.notes
    if header.angle_source is AngleSource.ASSUMED:
        yield "no angles: 0..180 degrees is assumed; give datasets.angle_range_deg"
    if header.n_darks == 0 and of_counts and header.white_level is None:
        yield NO_DARKS
    if header.n_projections < _FEWEST_ANGLES_PER_COLUMN * header.n_cols:
        wanted = round(header.n_cols * np.pi / 2)
        yield (
            f"{header.n_projections} projections are few for {header.n_cols} columns"
            f" ({wanted} resolve them fully): expect streaks; take more, or try"
            " reconstruct.method: tv"
        )
    if header.beam is not None:
        yield from cone_remarks(header, header.beam)
        return
    gap_deg, step_deg = np.rad2deg(widest_gap_rad(header.angles_rad))
    if gap_deg > max(_LARGEST_GAP_DEG, _LARGEST_GAP_STEPS * step_deg):
        yield (
            f"the angles leave {gap_deg:.3g} degrees of the half turn unseen: expect streaks and"
            " edges that fade; give datasets.angle_range_deg if the angles are wrong, or try"
            " reconstruct.method: tv"
        )


def _count_remarks(
    scan: Scan, references: References, settings: NormaliseSettings
) -> Iterator[str]:
    """Remark on counts that do not fit each other, from a few projections spread over the scan."""
    header = scan.header
    beam = references.flats - references.dark
    intensity = np.nanmedian(np.where(references.bad_pixels, np.nan, beam), axis=(1, 2))
    if intensity.min() <= _LEAST_BEAM_TO_DARK * np.median(references.dark):
        yield (
            f"the flats are only {intensity.min():.4g} counts brighter than the darks:"
            " are they exchanged, or was there no beam?"
        )
        return
    drift = float(np.ptp(intensity) / intensity.max())
    if drift > _LARGEST_DRIFT:
        yield (
            f"the beam changed by {drift:.0%} between the series of flats: normalise.flats:"
            " interpolate follows a steady change; of one that leaps, take flats more often"
        )
    count = min(_SAMPLED_PROJECTIONS, header.n_projections)
    numbers = np.linspace(0, header.n_projections - 1, count).round().astype(int)
    counts = np.concatenate([scan.read_projections(int(i), int(i) + 1) for i in numbers])
    yield from spot_remarks(scan, references)
    yield from _saturated(counts, references, settings)
    yield from _air(counts, numbers, references)
    yield from _emptiness(counts, references)
    yield from drift_remarks(counts, numbers, references)


def _saturated(
    counts: NDArray[np.integer | np.floating], references: References, settings: NormaliseSettings
) -> Iterator[str]:
    limit = settings.saturation_counts or references.saturation
    flats = references.flats[:, ~references.bad_pixels]
    if limit is None and np.ptp(flats) == 0:
        # Every pixel reads the same, which no beam is: the camera has come to its end everywhere.
        limit = float(flats.flat[0])
    if limit is None:
        limit = _end_of(counts.dtype)
    if limit is None:
        return
    share = float(np.mean(counts[:, ~references.bad_pixels] >= limit))
    if share > _SATURATED_SHARE:
        yield (
            f"{share:.2%} of the pixels of the projections are saturated at {limit:g}: shorten the"
            " exposure"
        )


def _end_of(dtype: np.dtype[np.generic]) -> float | None:
    """Return the largest reading that a type of whole numbers holds; None for others."""
    return float(np.iinfo(dtype.str).max) if dtype.kind in "ui" else None


def _air(
    counts: NDArray[np.integer | np.floating], numbers: NDArray[np.int64], references: References
) -> Iterator[str]:
    """Remark on projections whose brightest parts are not as bright as the flats."""
    good = ~references.bad_pixels
    beams = [np.median((flat - references.dark)[good]) for flat in references.flats]
    level = np.interp(numbers, references.flat_positions, beams) / np.mean(beams)
    beam = np.maximum((references.flats.mean(axis=0) - references.dark)[good], 1)
    transmission = (counts[:, good] - references.dark[good]) / beam / level[:, None]
    # Means of neighbours, so that it is the air that is bright and not the noise.
    n_groups = max(1, transmission.shape[1] // _NEIGHBOURS)
    groups = transmission[:, : n_groups * _NEIGHBOURS].reshape(len(counts), n_groups, -1)
    air = float(np.nanpercentile(groups.mean(axis=2), 99))
    noise = _NOISE_SIGMAS * references.noise / np.sqrt(_NEIGHBOURS)
    if air > _BRIGHTEST_AIR + noise:
        yield (
            f"projections are up to {air:.2f} times as bright as the flats:"
            " the beam or the exposure was not the same; normalise.flat_scale mends the latter"
        )
    elif air < _DIMMEST_AIR:
        yield (
            f"no part of the projections is brighter than {air:.2f} of the flats: the object fills"
            " the field of view, or the flats were taken with more beam"
        )


def _emptiness(counts: NDArray[np.integer | np.floating], references: References) -> Iterator[str]:
    """Remark on projections in which nothing stands out of the noise."""
    if references.noise == 0:
        return
    beam = np.maximum(references.flats.mean(axis=0) - references.dark, 1)
    transmission = np.where(references.bad_pixels, np.nan, (counts - references.dark) / beam)
    seen = ~references.bad_pixels.all(axis=0)
    n_groups = np.count_nonzero(seen) // _NEIGHBOURS
    if n_groups < _FEWEST_GROUPS:
        return
    profiles = np.nanmean(transmission[:, :, seen], axis=1)[:, : n_groups * _NEIGHBOURS]
    groups = profiles.reshape(len(counts), n_groups, -1).mean(axis=2)
    scatter = float(np.std(groups / np.median(groups, axis=1, keepdims=True)))
    noise = references.noise / np.sqrt(_NEIGHBOURS * counts.shape[1])
    if scatter < _EMPTY_NOISES * noise:
        yield (
            f"nothing in the beam stands out of the noise: {len(counts)} projections spread over"
            f" the scan vary by {scatter:.2g} of the beam, as without a sample; look at one, and"
            " whether datasets.projections names the right pictures"
        )
