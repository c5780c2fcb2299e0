"""The rotation axis as a straight line over the detector rows, by the consensus of methods."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tomobatch.calibrate.consensus import Check, MethodResult, choose, method_result
from tomobatch.calibrate.doubts import doubts
from tomobatch.calibrate.evidence import Evidence, RowEvidence
from tomobatch.calibrate.frames import assemble
from tomobatch.calibrate.line import Line, fit_line, tells_slope
from tomobatch.calibrate.mirror import MirrorFit, find_mirror, fit_mirror
from tomobatch.calibrate.one_row import METHODS, search_range
from tomobatch.calibrate.wedge import WedgeFit, fit_wedge

AIR_FRACTION = 0.05  # a row with less than this of the strongest rows' signal sees air
AIR_SIGNAL_TO_NOISE = 0.3
LEAST_DEPTH = 4.5  # standard deviations: chance alone reaches 3.5 over a thousand places
# What the wedge does not see, measured on random scans: of an object that reaches beyond the
# detector; and, as a share of the width times the slope, of an axis that leans (see mirror.py).
CUT_OFF_ERROR_PX = 0.35
LEANING_ERROR = 0.02
MOVED_ERROR = 0.2  # of methods that look at all projections, as a share of the sample's movement
EDGE_SHARE = 0.2  # of the width, off the middle
# The slope by rows: an outline that leans with the height looks like an axis that leans.
ROWS_SLOPE_ERROR = 0.05


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


@dataclass(frozen=True)
class _Fit:
    """One method's line about the middle row, its rows' own cors, and what it cannot see."""

    line: Line
    cors_px: dict[int, float]
    unseen_px: float = 0.0


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
    fits = _fits(good, scan)
    methods = {
        m: method_result(m, f.line.mid_px, f.line.mid_sigma_px, len(f.cors_px), f.unseen_px)
        for m, f in fits.items()
    }
    line, method, check, warnings = None, None, None, list[str]()
    if methods:
        method, check = choose(methods)
        line = _line(fits, methods, method, scan)
        warnings = doubts(
            methods, method, check, line, {m: f.line for m, f in fits.items()}, scan.n_rows
        )
    return Axis(
        line=line,
        method=method,
        check=check,
        methods=methods,
        rows=tuple(_row_result(row, fits, rejected.get(row.row, ""), method) for row in rows),
        warnings=tuple(warnings),
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


def _fits(good: Sequence[RowEvidence], scan: Evidence) -> dict[str, _Fit]:
    """Return what each method that finds the axis finds."""
    wedge = _fit_wedge(good, scan)
    mirror = _fit_mirror(good, scan, wedge)
    # Mirror and wedge compare the two ends of half a turn: both err when the sample moved there.
    jitters = [row.jitter_px for row in good if row.jitter_px is not None]
    moved_px = float(np.median(jitters)) if jitters else 0.0
    seam_px = scan.view_noise * moved_px
    fits: dict[str, _Fit] = {}
    if mirror is not None:
        fits["mirror"] = _mirror_as_fit(mirror, scan, seam_px)
    surest = mirror or wedge
    is_near_edge = surest and abs(surest.cor_px - (scan.n_x - 1) / 2) > EDGE_SHARE * scan.n_x
    # About an axis near the edge of a full turn the wedge has most of its object beyond the view.
    if wedge is not None and not (scan.is_full_turn and is_near_edge):
        fits["wedge"] = _wedge_as_fit(wedge, good, scan, mirror, seam_px)
    unseen_px = float(np.hypot(_cut_off_px(good), MOVED_ERROR * moved_px))
    for method in ("moments", "sharpness"):
        fit = _fit_rows(method, good, scan, unseen_px)
        if fit is not None:
            fits[method] = fit
    return fits


def _mirror_as_fit(mirror: MirrorFit, scan: Evidence, unseen_px: float) -> _Fit:
    middle = (scan.n_rows - 1) / 2
    line = Line(
        middle,
        mirror.cor_px,
        mirror.cor_sigma_px,
        mirror.slope,
        mirror.slope_sigma,
        mirror.covariance,
    )
    cors_px = {round(at + middle): cor_px for at, cor_px in mirror.rows_px.items()}
    return _Fit(line, cors_px, unseen_px)


def _fit_rows(
    method: str, good: Sequence[RowEvidence], scan: Evidence, unseen_px: float
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
    return _Fit(_leaning(line.about((scan.n_rows - 1) / 2), scan), cors_px, unseen_px)


def _fit_wedge(good: Sequence[RowEvidence], scan: Evidence) -> WedgeFit | None:
    """Return the wedge's line, where it stands out from chance."""
    found = [(row.row, row.wedge.unpacked()) for row in good if row.wedge is not None]
    if not found:
        return None
    positions = np.array([row for row, _ in found]) - (scan.n_rows - 1) / 2
    search = search_range(scan.n_x, scan.is_full_turn)
    fit = fit_wedge([curve for _, curve in found], positions, search)
    return fit if fit is not None and fit.place.depth >= LEAST_DEPTH else None


def _fit_mirror(
    good: Sequence[RowEvidence], scan: Evidence, wedge: WedgeFit | None
) -> MirrorFit | None:
    """Return the most significant of the fits that begin wherever any method sees something."""
    views = {row.row: scan.views(row) for row in good if row.views}
    # Rows of a cone beam, rebinned each about its own cor, may differ in their pairs.
    n_pairs = min((len(view) for view in views.values()), default=0)
    views = {row: view[:n_pairs] for row, view in views.items()}
    frames = assemble(views, scan.n_rows) if views else []
    if not any(frame.is_good.any() for frame in frames):
        return None
    low, high = search_range(scan.n_x, scan.is_full_turn)
    starts = {round(place.cor_px) for place in find_mirror(frames, (low, high))}
    if wedge is not None:
        starts |= {round(wedge.place.cor_px), round(wedge.place.rival_px)}
    fits = [fit for start in sorted(starts) if (fit := fit_mirror(frames, start)) is not None]
    fits = [fit for fit in fits if low <= fit.cor_px <= high and fit.significance >= LEAST_DEPTH]
    return max(fits, key=lambda fit: fit.merit, default=None)


def _wedge_as_fit(
    wedge: WedgeFit,
    good: Sequence[RowEvidence],
    scan: Evidence,
    mirror: MirrorFit | None,
    seam_px: float,
) -> _Fit:
    asked = [row for row in good if row.wedge is not None]
    slope = mirror.slope if mirror is not None and mirror.slope_sigma is not None else wedge.slope
    unseen = [seam_px, LEANING_ERROR * scan.n_x * abs(slope), _cut_off_px(good)]
    middle = (scan.n_rows - 1) / 2
    line = Line(middle, wedge.cor_px, wedge.cor_sigma_px, wedge.slope, wedge.slope_sigma)
    cors_px = {row.row: float(cor) for row, cor in zip(asked, wedge.row_cors_px, strict=True)}
    return _Fit(_leaning(line, scan), cors_px, float(np.linalg.norm(unseen)))


def _cut_off_px(good: Sequence[RowEvidence]) -> float:
    """Return the error that comes of an object which most rows do not see whole."""
    asked = [row.candidates for row in good if row.candidates is not None]
    n_whole = sum("moments" in candidates for candidates in asked)
    return CUT_OFF_ERROR_PX if n_whole < len(asked) / 2 else 0.0


def _leaning(line: Line, scan: Evidence) -> Line:
    """Return a line through rows with the slope's error by the leaning of the outline."""
    if line.slope_sigma is None:
        return line
    by_outline = ROWS_SLOPE_ERROR * scan.n_x / scan.n_rows * max(abs(line.slope), 0.01)
    line = replace(line, slope_sigma=float(np.hypot(line.slope_sigma, by_outline)))
    if tells_slope(line, scan.n_rows - 1):
        return line
    return replace(line, slope=0.0, slope_sigma=None, covariance=0.0)


def _line(
    fits: dict[str, _Fit], methods: dict[str, MethodResult], method: str, scan: Evidence
) -> Line:
    """Return the line by the chosen method, with the slope of the one that knows it best."""
    own = replace(fits[method].line, mid_sigma_px=methods[method].error_px)
    for told in METHODS:  # in the order in which their slopes are to be trusted
        if told in fits and tells_slope(fits[told].line, scan.n_rows - 1):
            line = fits[told].line
            covariance = line.covariance if told == method else 0.0
            return replace(
                own, slope=line.slope, slope_sigma=line.slope_sigma, covariance=covariance
            )
    return replace(own, slope=0.0, slope_sigma=None, covariance=0.0)


def _row_result(
    row: RowEvidence, fits: dict[str, _Fit], rejected: str, method: str | None
) -> RowResult:
    cors_px = {m: f.cors_px[row.row] for m, f in fits.items() if row.row in f.cors_px}
    if not rejected and (method is None or method not in cors_px):
        rejected = f"no cor by {method}" if method else "no cor"
    return RowResult(row.row, cors_px, rejected)
