"""Measure how many projections make half a turn, from the projections alone.

Half a turn mirrors a parallel-beam projection about the axis. So the mirrored first projection
matches the one half a turn later, and the mismatch grows with the angle between them just as the
mismatch between neighbours does. Half a turn is the lag by which the first curve, of mirrored
pairs, must be shifted to lie on the second, of neighbours: it may be no whole number, or lie beyond
the end of the scan.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d, map_coordinates, spline_filter1d

from tomobatch.arrays import Float64Array

Rows = Float64Array

_PAIRS_PER_LAG = 4
_BANDS = 4
_MARGIN_PX = 3
_STEPS = 3
# A spline's coefficient hangs on readings at most so far away, to 1e-7.
_SPLINE_REACH_PX = 12
_SEARCH_LAGS = 3.0
_SEARCH_STEP = 0.02
_LEAST_OVERLAP = 8
_LARGEST_LIKENESS = 0.9999


@dataclass(frozen=True)
class HalfTurn:
    """Half a turn as measured.

    Attributes
    ----------
    lag
        Projections from one to its mirror image.
    error
        Standard error of the lag: from bands of detector rows, which show different parts of the
        object, and from how the mismatches scatter about the fit, which shows what moves whole
        projections.
    likeness
        How well the best mirrored pair matches: 1 if exactly, 0 if no better than projections a
        quarter turn apart.
    excess
        What of its mismatch noise does not explain: 0 if noise explains all, 1 if it is that of
        projections a quarter turn apart.
    """

    lag: float
    error: float
    likeness: float
    excess: float = 0.0


@dataclass(frozen=True)
class _Fit:
    """A shift with its standard error, the mismatch of the best mirrored pair, and of noise."""

    shift: float
    error: float
    mismatch: float
    noise: float


def find_axis(first: Rows, last: Rows) -> int | None:
    """Find about which axis ``last`` is ``first`` mirrored, as the sum of two columns that meet.

    Every sum is tried that lets at least an eighth of the columns overlap; a narrow overlap must
    match the better, as chance lets few columns look alike.

    Returns
    -------
    int or None
        Twice the centre of rotation, rounded to whole pixels; None if no sum matches.
    """
    n_cols = first.shape[1]
    fewest = max(3, n_cols // _LEAST_OVERLAP)
    best, found = 0.0, None
    for axis in range(fewest - 1, 2 * (n_cols - 1) - fewest + 2):
        one, other = _overlap(first, last, axis)
        one, other = one - one.mean(), other - other.mean()
        power = float(np.sqrt((one**2).sum() * (other**2).sum()))
        likeness = float((one * other).sum()) / power if power > 0 else 0.0
        certainty = np.arctanh(min(likeness, _LARGEST_LIKENESS)) * np.sqrt(one.shape[1] / n_cols)
        if certainty > best:
            best, found = certainty, axis
    return found


def overlap_share(axis: int, n_cols: int) -> float:
    """Return the share of the columns that have a mirror image about an axis."""
    return min(axis + 1, 2 * n_cols - 1 - axis) / n_cols


def measure_half_turn(
    early: Rows, quarter: Rows, late: Rows, lag: int, axis: int, expected: float, step_px: float
) -> HalfTurn | None:
    """Measure half a turn from two runs of projections about that far apart.

    Parameters
    ----------
    early, late
        Line integrals (angle, y, x) of neighbouring projections, equally many, at least 4.
    quarter
        Line integrals (y, x) of a projection midway.
    lag
        Projections from the first of ``early`` to the first of ``late``.
    axis
        Sum of the columns that meet when one is mirrored: see :func:`find_axis`.
    expected
        Half a turn in projections as stated; the search goes a few projections either way.
    step_px
        How far the edge of the field of view moves between neighbours.

    Returns
    -------
    HalfTurn or None
        None if the object looks too much alike from all sides to tell.
    """
    # Smoothed over more than a step, the mismatch grows with the square of a small angle.
    smooth = max(1.0, 2 * step_px)
    unlike = _mismatch(*gaussian_filter1d(np.stack([early[0], quarter]), smooth, axis=-1))
    one, other = _overlap(early, late, axis)
    one, other = (gaussian_filter1d(run, smooth, axis=-1) for run in (one, other))
    if _curve_point(one, one, len(one) - 1) > unlike / 2:
        return None
    found = _fit(one, other, expected - lag)
    # Bands of rows show different parts of the object, and so tell how far chance goes.
    bands = zip(
        *(np.array_split(run, min(_BANDS, run.shape[1]), axis=1) for run in (one, other)),
        strict=True,
    )
    answers = [_fit(first, last, expected - lag).shift for first, last in bands]
    of_bands = np.std(answers, ddof=1) / np.sqrt(len(answers)) if len(answers) > 1 else 0.0
    return HalfTurn(
        lag=lag + found.shift,
        error=float(np.hypot(of_bands, found.error)),
        likeness=1 - found.mismatch / unlike,
        excess=(found.mismatch - found.noise) / max(unlike - found.noise, 1e-30),
    )


def _overlap(early: Rows, late: Rows, axis: int) -> tuple[Rows, Rows]:
    """Cut the columns that have a mirror image, and mirror the late ones."""
    n_cols = early.shape[-1]
    first, last = max(0, axis - n_cols + 1), min(n_cols - 1, axis)
    return early[..., first : last + 1], late[..., first : last + 1][..., ::-1]


def _fit(early: Rows, late: Rows, expected: float) -> _Fit:
    """Shift the curve of neighbours onto that of mirrored pairs.

    The standard error of the shift is that by which the mismatches scatter about the curve.
    """
    n_run = len(early)
    near = np.array(
        [np.mean([_curve_point(run, run, lag) for run in (early, late)]) for lag in range(1, n_run)]
    )
    # The mismatch of two pictures taken at one angle: noise alone.
    floor = float(np.clip((4 * near[0] - near[1]) / 3, 0.0, near[0]))
    lags = np.arange(-n_run + 1, n_run)
    lags = lags[np.abs(lags - expected) <= n_run - 2]
    mirrored = np.array([_curve_point(early, late, int(lag)) for lag in lags])
    growth = np.concatenate([near[::-1], [floor], near]) - floor
    shifts = np.arange(expected - _SEARCH_LAGS, expected + _SEARCH_LAGS, _SEARCH_STEP)
    # A cubic spline that goes straight on at its ends; scipy.interpolate takes a second to import.
    longer = np.pad(growth, n_run - 1, mode="reflect", reflect_type="odd")
    places = np.clip(lags - shifts[:, None], -n_run + 1, n_run - 1) + 2 * (n_run - 1)
    shapes = map_coordinates(longer, places[None], order=3, mode="mirror")
    # Mirrored pairs match no better than noise lets them, and worse by what a mirror does to the
    # detector's own pattern.
    base = np.maximum((mirrored - shapes).mean(axis=1, keepdims=True), floor)
    misfit = ((mirrored - shapes - base) ** 2).sum(axis=1)
    best = int(np.clip(np.argmin(misfit), 1, len(shifts) - 2))
    slopes = (shapes[best + 1] - shapes[best - 1]) / (2 * _SEARCH_STEP)
    slopes = slopes - slopes.mean()
    variance = misfit[best] / max(1, len(lags) - 2)
    error = np.sqrt(variance / max(float(slopes @ slopes), 1e-30))
    return _Fit(float(shifts[np.argmin(misfit)]), float(error), float(mirrored.min()), floor)


def _curve_point(early: Rows, late: Rows, lag: int) -> float:
    """Mean mismatch of a few pairs ``late[i + lag]``, ``early[i]``."""
    starts = range(max(0, -lag), min(len(early), len(early) - lag))
    chosen = np.linspace(0, len(starts) - 1, min(_PAIRS_PER_LAG, len(starts))).round().astype(int)
    return float(np.mean([_mismatch(early[starts[i]], late[starts[i] + lag]) for i in chosen]))


def _mismatch(one: Rows, other: Rows) -> float:
    """Mean square difference of two smooth pictures (y, x) once they are laid on each other.

    A shift along x, its change from row to row (a tilted axis) and the mean of each row are fitted
    by Gauss-Newton steps, so that neither the axis nor a beam that drifts enters.
    """
    inner = slice(_MARGIN_PX, -_MARGIN_PX)
    rows = np.linspace(-1, 1, one.shape[0])[:, None] if one.shape[0] > 1 else np.zeros((1, 1))
    shift = np.zeros_like(rows)
    moved, spline = other, _RowSpline(other)
    left = np.inf
    for step in range(_STEPS):
        if step:
            moved = spline.moved(shift)
        slope = np.gradient(moved, axis=1)
        fields = np.stack([one - moved, slope, slope * rows])[..., inner]
        fields = (fields - fields.mean(axis=-1, keepdims=True)).reshape(3, -1)
        gram = fields @ fields.T
        moves = np.linalg.lstsq(gram[1:, 1:], gram[1:, 0], rcond=1e-10)[0]
        left = float(gram[0, 0] - moves @ gram[1:, 0]) / fields.shape[1]
        shift = np.clip(shift + moves[0] + moves[1] * rows, -_MARGIN_PX, _MARGIN_PX)
    return left


class _RowSpline:
    """A picture (y, x) as cubic splines along its rows, which goes on beyond them as it ends."""

    def __init__(self, picture: Rows) -> None:
        self._n_cols = picture.shape[1]
        beyond = _MARGIN_PX + _SPLINE_REACH_PX
        longer = np.pad(picture, ((0, 0), (beyond, beyond)), mode="edge")
        self._coefficients = spline_filter1d(longer, order=3, axis=1)
        self._first = beyond

    def moved(self, shift: Float64Array) -> Rows:
        """Return the picture at each row's columns plus its shift (y, 1), of a margin at most."""
        whole = np.floor(shift)
        t = shift - whole
        weights = ((1 - t) ** 3, 4 - 6 * t**2 + 3 * t**3, 1 + 3 * (t + t**2 - t**3), t**3)
        first = self._first + whole.astype(int) - 1 + np.arange(self._n_cols)
        out = np.zeros((len(shift), self._n_cols))
        for tap, weight in enumerate(weights):
            out += weight / 6 * np.take_along_axis(self._coefficients, first + tap, axis=1)
        return out
