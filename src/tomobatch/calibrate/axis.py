"""The rotation axis as a straight line over the detector rows, by the consensus of methods."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tomobatch.calibrate.consensus import Check, MethodResult, choose, mean_of
from tomobatch.calibrate.doubts import Belief, doubts
from tomobatch.calibrate.evidence import Evidence, RowEvidence
from tomobatch.calibrate.line import Line, fit_line, tells_slope
from tomobatch.calibrate.mirrored import LEAST_DEPTH, Laid, lay_views
from tomobatch.calibrate.movement import Movement, movement_of
from tomobatch.calibrate.one_row import METHODS, search_range
from tomobatch.calibrate.unseen import Unseen
from tomobatch.calibrate.wedge import WedgeFit, fit_wedge

AIR_FRACTION = 0.05  # a row with less than this of the strongest rows' signal sees air
AIR_SIGNAL_TO_NOISE = 0.3
EDGE_SHARE = 0.2  # of the width, off the middle
IS_CUT_OFF, ELSEWHERE_PX = 0.5, 8.0
ANYWHERE = 0.2  # of the width: a slice that is sharpest near a place which no other method sees
# The slope by rows: an outline that leans with the height looks like an axis that leans.
ROWS_SLOPE_ERROR = 0.05
# Its error where whole views do not tell it: of a smooth round sample rows may see no slope at all.
ROWS_ALONE = 0.005
ENDS_APART = 0.8 / np.sqrt(2)  # of the height, where two ends err independently


@dataclass(frozen=True)
class RowResult:
    """What became of one detector row: its cor by method, and why it was left out, if it was."""

    row: int
    cors_px: dict[str, float]
    rejected: str

    @property
    def is_used(self) -> bool:
        """Whether the line was fitted to this row."""
        return not self.rejected


@dataclass(frozen=True)
class Axis:
    """The axis by the evidence; see `Calibration` for the fields."""

    line: Line | None
    method: str | None
    check: Check | None
    methods: dict[str, MethodResult]
    rows: tuple[RowResult, ...]
    warnings: tuple[str, ...]
    stands_alone: bool
    movement: Movement


@dataclass(frozen=True)
class _Fit:
    """One method's line about the middle row, its rows' own cors, and its whole error there.

    It stands alone when it can be wrong only if the sample moved; others need not bear it out.
    """

    line: Line
    cors_px: dict[int, float]
    error_px: float
    stands_alone: bool = False


def find_axis(rows: Sequence[RowEvidence], scan: Evidence) -> Axis:
    """Find the axis by each method and choose one that another method bears out.

    Parameters
    ----------
    rows
        Of the whole scan, in order.
    scan
        The evidence of any chunk, for what all share.
    """
    rejected = _unusable(rows)
    good = [row for row in rows if row.row not in rejected]
    fits, unseen = _fits(good, scan)
    masses = [row.masses for row in good if row.masses]
    steps = [row.steps for row in good if row.steps]
    movement = movement_of(masses, steps, scan.angles, scan.n_x, unseen.air_change, unseen.moved_px)
    methods = {
        m: MethodResult(f.line.mid_px, f.line.mid_sigma_px, f.error_px, len(f.cors_px))
        for m, f in fits.items()
    }
    line, method, check, warnings, stands_alone = None, None, None, list[str](), False
    if methods:
        method, check = choose(methods)
        cor_px, error_px = methods[method].cor_px, methods[method].error_px
        if check is not None and check.agrees:
            shared_px = unseen.shared_px(method, check.method)
            cor_px, error_px = mean_of(methods[method], methods[check.method], shared_px)
        error_px = float(np.hypot(error_px, movement.error_px))
        line = _line(replace(fits[method].line, mid_px=cor_px, mid_sigma_px=error_px), fits, scan)
        stands_alone = fits[method].stands_alone
        belief = Belief(cor_px, error_px, methods, method, check, stands_alone, movement)
        warnings = doubts(belief, line, {m: f.line for m, f in fits.items()}, scan.n_rows)
    return Axis(
        line=line,
        method=method,
        check=check,
        methods=methods,
        rows=tuple(_row_result(row, fits, rejected.get(row.row, ""), method) for row in rows),
        warnings=tuple(warnings),
        stands_alone=stands_alone,
        movement=movement,
    )


def _unusable(rows: Sequence[RowEvidence]) -> dict[int, str]:
    """Return the rows that cannot tell the axis, and why."""
    reasons = {row.row: row.problem for row in rows if row.problem}
    others = [row for row in rows if not row.problem]
    strong = float(np.percentile([row.signal for row in others] or [0.0], 90))
    for row in others:
        if row.signal < max(AIR_FRACTION * strong, AIR_SIGNAL_TO_NOISE * row.noise):
            reasons[row.row] = "sees only air"
    return reasons


def _fits(good: Sequence[RowEvidence], scan: Evidence) -> tuple[dict[str, _Fit], Unseen]:
    """Return what each method that finds the axis finds, and what they do not see."""
    wedge = _fit_wedge(good, scan)
    laid = lay_views(good, scan, wedge)
    mirror = None if laid is None else laid.fit
    unseen = Unseen.of(good, scan, wedge, mirror, _moved_px(good))
    fits: dict[str, _Fit] = {}
    if laid is not None:
        fits["mirror"] = _mirror_as_fit(laid, scan, unseen)
    surest = mirror or wedge
    is_near_edge = surest and abs(surest.cor_px - (scan.n_x - 1) / 2) > EDGE_SHARE * scan.n_x
    if scan.is_full_turn and is_near_edge:
        return fits, unseen  # half a turn about such an axis misses most of the object
    if wedge is not None:
        fits["wedge"] = _wedge_as_fit(wedge, good, scan, unseen)
    for method in ("moments", "sharpness"):
        fit = _fit_rows(method, good, scan, unseen)
        if fit is not None:
            fits[method] = fit
    if set(fits) == {"sharpness"}:
        fits["sharpness"] = replace(fits["sharpness"], error_px=ANYWHERE * scan.n_x)
    return _supported(fits, unseen), unseen


def _moved_px(good: Sequence[RowEvidence]) -> float:
    """Return how far the sample moves from projection to projection, one standard deviation."""
    jitters = [row.jitter_px for row in good if row.jitter_px is not None]
    return float(np.median(jitters)) if jitters else 0.0


def _supported(fits: dict[str, _Fit], unseen: Unseen) -> dict[str, _Fit]:
    """Leave out what an object beyond the detector has led to another place altogether."""
    mirror = fits.get("mirror")
    if mirror is None or not mirror.stands_alone or unseen.cut_off < IS_CUT_OFF:
        return fits
    at_px = mirror.line.mid_px
    return {m: fit for m, fit in fits.items() if abs(fit.line.mid_px - at_px) <= ELSEWHERE_PX}


def _mirror_as_fit(laid: Laid, scan: Evidence, unseen: Unseen) -> _Fit:
    middle, mirror = (scan.n_rows - 1) / 2, laid.fit
    line = Line(
        middle,
        mirror.cor_px,
        mirror.cor_sigma_px,
        mirror.slope,
        mirror.slope_sigma,
        mirror.covariance,
    )
    if line.slope_sigma is not None:
        sigma = unseen.slope_error(line.slope_sigma, calm=laid.is_calm)
        line = replace(line, slope_sigma=sigma, covariance=0.0)
    cors_px = {round(at + middle): cor_px for at, cor_px in mirror.rows_px.items()}
    error_px = unseen.error_px("calm mirror" if laid.is_calm else "mirror", mirror.cor_sigma_px)
    return _Fit(line, cors_px, error_px, laid.stands_alone)


def _fit_rows(
    method: str, good: Sequence[RowEvidence], scan: Evidence, unseen: Unseen
) -> _Fit | None:
    """Return the line through what a method finds row by row."""
    asked = {row.row: row.candidates for row in good if row.candidates is not None}
    points = {row: found[method] for row, found in asked.items() if method in found}
    if not points:
        return None
    line, kept = fit_line(
        np.array(list(points), dtype=np.float64),
        np.array([candidate.cor_px for candidate in points.values()]),
        np.array([candidate.sigma_px for candidate in points.values()]),
    )
    pairs = zip(points.items(), kept, strict=True)
    cors_px = {row: candidate.cor_px for (row, candidate), is_kept in pairs if is_kept}
    line = line.about((scan.n_rows - 1) / 2)
    error_px = unseen.error_px(method, line.mid_sigma_px)
    if scan.view_noise > 0:
        return _Fit(_leaning(line, scan, error_px), cors_px, error_px)
    # Over less than half a turn, a sample whose outline leans looks like an axis that leans the
    # other way, by up to three times as much.
    level = replace(line, slope=0.0, slope_sigma=None, covariance=0.0)
    alone = method == "moments" and unseen.cut_off < IS_CUT_OFF
    return _Fit(level, cors_px, error_px, stands_alone=alone)


def _fit_wedge(good: Sequence[RowEvidence], scan: Evidence) -> WedgeFit | None:
    """Return the wedge's line, where it stands out from chance."""
    found = [(row.row, row.wedge.unpacked()) for row in good if row.wedge is not None]
    if not found:
        return None
    positions = np.array([row for row, _ in found]) - (scan.n_rows - 1) / 2
    search = search_range(scan.n_x, scan.is_full_turn)
    fit = fit_wedge([curve for _, curve in found], positions, search)
    return fit if fit is not None and fit.place.depth >= LEAST_DEPTH else None


def _wedge_as_fit(
    wedge: WedgeFit, good: Sequence[RowEvidence], scan: Evidence, unseen: Unseen
) -> _Fit:
    asked = [row for row in good if row.wedge is not None]
    middle = (scan.n_rows - 1) / 2
    line = Line(middle, wedge.cor_px, wedge.cor_sigma_px, wedge.slope, wedge.slope_sigma)
    cors_px = {row.row: float(cor) for row, cor in zip(asked, wedge.row_cors_px, strict=True)}
    error_px = unseen.error_px("wedge", wedge.cor_sigma_px, wedge.place.depth)
    return _Fit(_leaning(line, scan, error_px), cors_px, error_px)


def _leaning(line: Line, scan: Evidence, error_px: float) -> Line:
    """Return a line through rows with its slope's error by what the rows do not see.

    An outline that leans looks like an axis that leans; and what is wrong in all rows may be more
    so at the one end of the scan than at the other.
    """
    if line.slope_sigma is None:
        return line
    by_outline = ROWS_SLOPE_ERROR * scan.n_x / scan.n_rows * max(abs(line.slope), 0.01)
    by_ends = error_px / (ENDS_APART * scan.n_rows)
    sigma = float(np.linalg.norm([line.slope_sigma, by_outline, by_ends]))
    line = replace(line, slope_sigma=sigma)
    if tells_slope(line, scan.n_rows - 1):
        return line
    return replace(line, slope=0.0, slope_sigma=None, covariance=0.0)


def _line(own: Line, fits: dict[str, _Fit], scan: Evidence) -> Line:
    """Return the believed line with the slope of the method that knows it best."""
    for told in METHODS:  # in the order in which their slopes are to be trusted
        if told in fits and tells_slope(fits[told].line, scan.n_rows - 1):
            slope, sigma = fits[told].line.slope, fits[told].line.slope_sigma
            if told != "mirror" and sigma is not None:
                sigma = float(np.hypot(sigma, ROWS_ALONE))
            return replace(own, slope=slope, slope_sigma=sigma, covariance=0.0)
    return replace(own, slope=0.0, slope_sigma=None, covariance=0.0)


def _row_result(
    row: RowEvidence, fits: dict[str, _Fit], rejected: str, method: str | None
) -> RowResult:
    cors_px = {m: f.cors_px[row.row] for m, f in fits.items() if row.row in f.cors_px}
    if not rejected and (method is None or method not in cors_px):
        rejected = f"no cor by {method}" if method else "no cor"
    return RowResult(row.row, cors_px, rejected)
