"""The rotation axis as a straight line over the detector rows, by the consensus of methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tomobatch.calibrate.candidate import Candidate
from tomobatch.calibrate.consensus import Check, MethodResult, choose, method_result
from tomobatch.calibrate.evidence import Evidence, RowEvidence
from tomobatch.calibrate.line import Line, fit_line
from tomobatch.calibrate.methods import METHODS

AIR_FRACTION = 0.05  # a row with less than this of the strongest rows' signal sees air
AIR_SIGNAL_TO_NOISE = 0.3


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


def find_axis(rows: Sequence[RowEvidence], scan: Evidence) -> Axis:
    """Fit a line to the rows by each method and choose one that another method bears out.

    Parameters
    ----------
    rows
        Of the whole scan, in order.
    scan
        The evidence of any chunk, for what all share.
    """
    rejected = _unusable(rows)
    found = {row.row: row.candidates for row in rows if row.row not in rejected}
    middle = (scan.n_rows - 1) / 2
    fits = {m: fit for m in METHODS if (fit := _fit_method(m, found, middle)) is not None}
    methods = {
        m: method_result(m, line.mid_px, line.mid_sigma_px, len(kept), scan.is_full_turn)
        for m, (line, kept) in fits.items()
    }
    line, method, check, kept, warnings = None, None, None, set[int](), list[str]()
    if methods:
        method, check = choose(methods)
        line, kept = fits[method]
        warnings = _doubts(methods, method, check)
    return Axis(
        line=line,
        method=method,
        check=check,
        methods=methods,
        rows=tuple(
            _row_result(row, found.get(row.row, {}), rejected.get(row.row, ""), method, line, kept)
            for row in rows
        ),
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


def _fit_method(
    method: str, found: dict[int, dict[str, Candidate]], middle: float
) -> tuple[Line, set[int]] | None:
    """Return one method's line about the middle row, and the rows it was fitted to."""
    points = {row: candidates[method] for row, candidates in found.items() if method in candidates}
    if not points:
        return None
    rows = np.array(list(points), dtype=np.float64)
    cors = np.array([c.cor_px for c in points.values()])
    sigmas = np.array([c.sigma_px for c in points.values()])
    line, kept = fit_line(rows, cors, sigmas)
    return line.about(middle), {int(row) for row in rows[kept]}


def _row_result(
    row: RowEvidence,
    candidates: dict[str, Candidate],
    rejected: str,
    method: str | None,
    line: Line | None,
    kept: set[int],
) -> RowResult:
    if not rejected and row.row not in kept:
        rejected = f"no cor by {method}" if method else "no cor"
        if line is not None and method in candidates:
            off = candidates[method].cor_px - float(line.at(np.array([float(row.row)]))[0])
            rejected = f"{off:+.2f} px off the line"
    return RowResult(row.row, {m: c.cor_px for m, c in candidates.items()}, rejected)


def _doubts(methods: dict[str, MethodResult], method: str, check: Check | None) -> list[str]:
    """Return a warning when no second method bears the cor out."""
    told = f"cor {methods[method].cor_px:.2f} px by {method}"
    advice = "look at the slices, and give calibrate.cor_px if they are doubled"
    if check is None:
        return [f"{told} could not be checked by a second method; {advice}"]
    if not check.agrees:
        return [
            f"{told} is not borne out: {check.method} finds {check.cor_px:.2f} px, "
            f"{abs(check.difference_px):.2f} px away; {advice}"
        ]
    return []
