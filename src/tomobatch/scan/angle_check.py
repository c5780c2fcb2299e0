"""Do the stated angles fit the projections? And which angles to use (decision 41)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tomobatch.normalise.settings import Input
from tomobatch.scan.header import AngleSource
from tomobatch.scan.parts import Scan

if TYPE_CHECKING:
    from tomobatch.scan.half_turn import HalfTurn

_ROWS_READ = 24
_SHORTEST_RUN, _LONGEST_RUN = 5, 12
_RUN_MOTION_PX = 4.0
_COARSEST_STEP_RAD = np.deg2rad(3.0)
_LEAST_LIKENESS = 0.5
_LARGEST_ERROR = 0.5
# Projections by which half a turn may be off what is stated, must be off what is excluded, and may
# be off what is taken instead; and the same in standard errors.
_FITS_WITHIN, _FITS_SIGMAS = 0.4, 2.0
_EXCLUDED_FROM, _EXCLUDED_SIGMAS = 0.6, 4.0
_TAKEN_WITHIN = 0.3
_NOT_IN_A_CONE = "in a cone beam no two projections mirror each other, and they are not checked"
# Of the columns: with fewer in common, pictures that are not alike prove nothing.
_LEAST_OVERLAP, _WIDE_OVERLAP = 0.25, 0.5
# Of the mismatch of projections a quarter turn apart: more than mirrored ones have beside noise.
_LARGEST_EXCESS = 0.1
_LARGEST_MISSING_SHARE = 0.1
# Of the usual signal of the flats: a pixel with less is taken from its neighbours.
_UNLIT_SHARE = 0.1


class AngleVerdict(StrEnum):
    """What the projections say about the stated angles."""

    FITS = "fits"
    INCLUSIVE = "0..180 with both ends fits instead"
    EXCLUSIVE = "0..180 without its end fits instead"
    MISFIT = "does not fit"
    UNCLEAR = "cannot be told"


@dataclass(frozen=True)
class AngleCheck:
    """The stated angle range held against the projections.

    Attributes
    ----------
    verdict
        Whether it fits, or what does.
    reason
        Why, in one line.
    stated_half_turn
        Projections in half a turn by the stated angles; None if they are not evenly spaced.
    measured
        Half a turn as measured; None if it could not be.
    """

    verdict: AngleVerdict
    reason: str
    stated_half_turn: float | None = None
    measured: "HalfTurn | None" = None


@dataclass(frozen=True)
class EffectiveAngles:
    """The angles to reconstruct with.

    Attributes
    ----------
    angles_rad
        One a projection, shape (angle,), float64.
    reason
        Which they are and why, in one line.
    warning
        What the projections say against the stated angles; None if nothing.
    """

    angles_rad: NDArray[np.float64]
    reason: str
    warning: str | None = None


def effective_angles(
    scan: Scan, check: AngleCheck | None = None, given: Input = "counts"
) -> EffectiveAngles:
    """Decide which angles to use; a few projections are read.

    Angles of the file, or assumed, give way to 0..180 degrees, with or without its end, if the
    projections fit these and nothing else, and this is warned of. Angles given in the config are
    used as they are, with a warning if the projections contradict them.

    Parameters
    ----------
    scan
        An open scan.
    check
        What :func:`check_angles` said, if it was asked already.
    given
        What the scan holds.
    """
    header = scan.header
    check = check_angles(scan, given) if check is None else check
    stated = f"{_range_text(header.angles_rad)} ({_SOURCES[header.angle_source]})"
    mends = check.verdict in (AngleVerdict.INCLUSIVE, AngleVerdict.EXCLUSIVE)
    warning = None
    if mends or check.verdict is AngleVerdict.MISFIT:
        warning = f"the angle range {check.verdict}: {check.reason}"
    if header.angle_source is AngleSource.CONFIG:
        if warning is not None:
            warning = f"{warning}; datasets.angle_range_deg is used all the same"
        return EffectiveAngles(header.angles_rad, f"angles {stated}", warning)
    if not mends:
        return EffectiveAngles(header.angles_rad, f"angles {stated}: {check.reason}", warning)
    turn = np.copysign(np.pi, header.angles_rad[-1] - header.angles_rad[0])
    slots = _slots(header.angles_rad)
    assert slots is not None  # noqa: S101  else there would be nothing to mend
    inclusive = check.verdict is AngleVerdict.INCLUSIVE
    spread = np.linspace(0.0, turn, int(slots[-1]) + 1, endpoint=inclusive)
    angles_rad = header.angles_rad[0] + spread[slots]
    return EffectiveAngles(
        angles_rad,
        f"angles {_range_text(angles_rad)} instead of {stated}: {check.reason};"
        " datasets.angle_range_deg overrides",
        f"{warning}; {_range_text(angles_rad)} is used instead of {stated}:"
        " datasets.angle_range_deg overrides",
    )


def check_angles(scan: Scan, given: Input = "counts") -> AngleCheck:
    """Compare the first projections with the mirrored ones half a turn later.

    Read are at most 25 projections, and 24 rows of each.
    """
    # scipy takes a second to import, and whoever only opens a scan has no need of it.
    from tomobatch.scan.half_turn import find_axis, measure_half_turn, overlap_share

    header = scan.header
    if header.beam is not None:
        return AngleCheck(AngleVerdict.UNCLEAR, _NOT_IN_A_CONE)
    slots = _slots(header.angles_rad)
    if slots is None:
        return AngleCheck(AngleVerdict.UNCLEAR, "they are not evenly spaced, and are not checked")
    n_slots = int(slots[-1]) + 1
    step_rad = float(np.ptp(header.angles_rad)) / (n_slots - 1)
    half_turn = np.pi / step_rad
    step_px = step_rad * header.n_cols / 2
    wanted = int(np.clip(np.ceil(_RUN_MOTION_PX / step_px), _SHORTEST_RUN, _LONGEST_RUN))
    n_run = min(wanted, header.n_projections // 4)
    if (
        n_run < _SHORTEST_RUN
        or step_rad > _COARSEST_STEP_RAD
        or (given == "counts" and not header.has_open_beam)
    ):
        return AngleCheck(AngleVerdict.UNCLEAR, "too little to check them by", half_turn)
    if half_turn > n_slots + n_run / 2:
        return AngleCheck(AngleVerdict.UNCLEAR, "they span less than half a turn", half_turn)
    first = _run_near(slots, 0, n_run)
    last = _run_near(slots, min(n_slots - n_run, round(half_turn)), n_run)
    if first is None or last is None:
        return AngleCheck(AngleVerdict.UNCLEAR, "too many projections are missing", half_turn)
    lag = int(slots[last] - slots[first])
    middle = int(np.searchsorted(slots, slots[first] + round(half_turn / 2)))
    runs = [(first, first + n_run), (middle, middle + 1), (last, last + n_run)]
    early, quarter, late = _line_integrals(scan, runs, given)
    axis = find_axis(early[0], late[int(np.clip(round(half_turn) - lag, 0, n_run - 1))])
    if axis is None:
        return AngleCheck(AngleVerdict.UNCLEAR, "the projections show no object", half_turn)
    measured = measure_half_turn(early, quarter[0], late, lag, axis, half_turn, step_px)
    if measured is None:
        return AngleCheck(AngleVerdict.UNCLEAR, "the object looks alike from all sides", half_turn)
    if measured.likeness < _LEAST_LIKENESS and overlap_share(axis, header.n_cols) < _LEAST_OVERLAP:
        return AngleCheck(AngleVerdict.UNCLEAR, "opposite projections hardly overlap", half_turn)
    verdict, reason = _judge(half_turn, measured, n_slots, overlap_share(axis, header.n_cols))
    return AngleCheck(verdict, reason, half_turn, measured)


_SOURCES = {
    AngleSource.FILE: "from the file",
    AngleSource.ASSUMED: "assumed",
    AngleSource.CONFIG: "from the config",
}


def _judge(
    stated: float, measured: "HalfTurn", n_projections: int, overlap: float
) -> tuple[AngleVerdict, str]:
    """Say whether half a turn is as stated, or rather the whole scan with or without its end."""
    unlike = (
        AngleVerdict.MISFIT,
        "the projections half a turn apart by these angles are not mirror images",
    )
    if measured.likeness < _LEAST_LIKENESS:
        return unlike
    found = f"half a turn is {measured.lag:.1f} projections"
    if measured.error > _LARGEST_ERROR:
        if measured.excess > _LARGEST_EXCESS and overlap > _WIDE_OVERLAP:
            return unlike
        return AngleVerdict.UNCLEAR, "noise hides which projections mirror each other"

    def excluded(half_turn: float) -> bool:
        least = max(_EXCLUDED_FROM, _EXCLUDED_SIGMAS * measured.error)
        return abs(measured.lag - half_turn) >= least

    off = abs(measured.lag - stated)
    if off <= max(_FITS_WITHIN, _FITS_SIGMAS * measured.error):
        return AngleVerdict.FITS, f"{found}, as they say"
    if not excluded(stated):
        return AngleVerdict.UNCLEAR, f"{found}, by these angles {stated:.1f}"
    with_end, without_end = n_projections - 1, n_projections
    if abs(measured.lag - with_end) <= _TAKEN_WITHIN and excluded(without_end):
        return (
            AngleVerdict.INCLUSIVE,
            f"the last projection is the first one mirrored ({found} of {n_projections})",
        )
    if abs(measured.lag - without_end) <= _TAKEN_WITHIN and excluded(with_end):
        return (
            AngleVerdict.EXCLUSIVE,
            f"the last projection is one step short of the first one mirrored ({found})",
        )
    return AngleVerdict.MISFIT, f"{found}, but {stated:.1f} by these angles"


def _slots(angles_rad: NDArray[np.float64]) -> NDArray[np.int64] | None:
    """Return the place of each angle among evenly spaced ones, of which a few may be missing.

    None if the angles are not evenly spaced, to a tenth of a step.
    """
    steps = np.diff(angles_rad)
    if len(steps) == 0 or np.median(steps) == 0:
        return None
    jumps = np.rint(steps / np.median(steps))
    slots = np.concatenate([[0], np.cumsum(jumps)]).astype(np.int64)
    if (jumps < 1).any() or slots[-1] > len(steps) * (1 + _LARGEST_MISSING_SHARE):
        return None
    step = (angles_rad[-1] - angles_rad[0]) / slots[-1]
    return slots if (np.abs(steps - jumps * step) <= 0.1 * abs(step)).all() else None


def _run_near(slots: NDArray[np.int64], wanted: int, n_run: int) -> int | None:
    """Return where a run of neighbours begins, the nearest to the wanted slot; None if too far."""
    begins = np.flatnonzero(slots[n_run - 1 :] - slots[: len(slots) - n_run + 1] == n_run - 1)
    if len(begins) == 0:
        return None
    nearest = int(begins[np.argmin(np.abs(slots[begins] - wanted))])
    return nearest if abs(slots[nearest] - wanted) <= n_run else None


def _line_integrals(
    scan: Scan, runs: list[tuple[int, int]], given: Input
) -> list[NDArray[np.float64]]:
    """Read runs of projections in some rows, and turn them into line integrals without spikes."""
    from scipy.ndimage import median_filter

    every = -(-scan.header.n_rows // _ROWS_READ)
    rows = slice((scan.header.n_rows - 1) % every // 2, None, every)
    if given != "counts":
        read = [scan.read_projections(*run, rows).astype(np.float64) for run in runs]
        if given == "transmission":
            read = [-np.log(np.clip(pictures, 1e-3, 10.0)) for pictures in read]
        return [median_filter(np.nan_to_num(pictures), (1, 1, 3)) for pictures in read]
    darks = scan.darks()
    dark = np.float64(0) if darks is None else np.median(darks[:, rows], axis=0)
    flats = [(np.median(one.frames[:, rows], axis=0), one.position) for one in scan.flat_series()]
    if scan.header.white_level is not None:
        flats = [(np.float64(scan.header.white_level), 0)]
    line_integrals = []
    for start, stop in runs:
        nearest = min(flats, key=lambda flat: abs(flat[1] - start))[0]
        counts = scan.read_projections(start, stop, rows).astype(np.float64)
        beam = nearest - dark
        unlit = ~(beam > _UNLIT_SHARE * np.median(beam))
        transmission = (counts - dark) / np.where(unlit, 1.0, beam)
        transmission = _bridged(np.nan_to_num(transmission, nan=1.0), unlit)
        # Three pixels are enough for a median to drop what is left of bad pixels and zingers.
        spikeless = median_filter(np.clip(transmission, 1e-3, 10.0), (1, 1, 3))
        line_integrals.append(-np.log(spikeless))
    return line_integrals


def _bridged(pictures: NDArray[np.float64], bad: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Fill the bad pixels (y, x) of pictures (n, y, x) from the good ones beside them in a row."""
    columns = np.arange(bad.shape[1])
    for row in np.flatnonzero(bad.any(axis=1) & ~bad.all(axis=1)):
        good = ~bad[row]
        for picture in pictures:
            picture[row, bad[row]] = np.interp(columns[bad[row]], columns[good], picture[row, good])
    return pictures


def _range_text(angles_rad: NDArray[np.float64]) -> str:
    """First and last angle in degrees."""
    return "..".join(f"{np.rad2deg(angle):.4g}" for angle in angles_rad[[0, -1]]) + " degrees"
