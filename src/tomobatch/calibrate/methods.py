"""All methods, put to one detector row."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tomobatch.calibrate.candidate import Candidate
from tomobatch.calibrate.half_turn import half_turn_positions, take_positions
from tomobatch.calibrate.histogram import Histogram, histogram_of
from tomobatch.calibrate.mirror import mirror_cor
from tomobatch.calibrate.moments import moments_cor
from tomobatch.calibrate.negativity import negativity_cor
from tomobatch.calibrate.quicklook import back_project, ramp_filter, sample_points
from tomobatch.calibrate.stitch import HalfTurn, half_turn_of
from tomobatch.calibrate.wedge import wedge_cor
from tomobatch.turn import covers_full_turn

Row = NDArray[np.float32]
Floats = NDArray[np.float64]

METHODS = ("wedge", "mirror", "moments", "negativity")
N_GREY_POINTS = 12_000


def find_candidates(
    row: Row, angles_rad: Floats, search_px: tuple[float, float] | None, slow_too: bool
) -> dict[str, Candidate]:
    """Return what each method finds in a row's sinogram, shape (angle, x), angles rising."""
    full_turn = covers_full_turn(angles_rad)
    if search_px is None:
        margin_px = row.shape[1] * (0.03 if full_turn else 0.15)
        search_px = (margin_px, row.shape[1] - 1 - margin_px)
    found = {
        "wedge": wedge_cor(_half_turns(row, angles_rad), search_px),
        "mirror": mirror_cor(row, angles_rad, search_px),
    }
    half = half_turn_of(row, angles_rad, best_cor(found, full_turn, row.shape[1]))
    found["moments"] = _on_detector(moments_cor(half.sinogram, half.angles_rad), half)
    if slow_too and half.is_whole:
        starts = [c.cor_px + half.shift_px for c in found.values() if c is not None]
        if not starts:
            starts = [(half.sinogram.shape[1] - 1) / 2]
        least = negativity_cor(half.sinogram, half.angles_rad, starts)
        found["negativity"] = _on_detector(least, half)
    return {m: _rounded(c) for m, c in found.items() if c is not None and np.isfinite(c).all()}


def best_cor(found: Mapping[str, Candidate | None], full_turn: bool, n_x: int) -> float:
    """Return the cor of the method trusted most among those that found one; else the middle."""
    for method in ("mirror", "wedge") if full_turn else ("wedge", "mirror"):
        candidate = found.get(method)
        if candidate is not None:
            return candidate.cor_px
    return (n_x - 1) / 2


def grey_histogram(row: Row, angles_rad: Floats, candidates: dict[str, Candidate]) -> Histogram:
    """Return the histogram of some pixels of the row's slice, in 1/pixel.

    The slice is reconstructed about the row's own best cor, at full resolution.
    """
    n_x = row.shape[1]
    cor_px = best_cor(candidates, covers_full_turn(angles_rad), n_x)
    half = half_turn_of(row, angles_rad, cor_px)
    centre = cor_px + half.shift_px
    radius_px = max(min(centre, half.sinogram.shape[1] - 1 - centre), n_x / 4)
    points = sample_points(radius_px, N_GREY_POINTS)
    filtered = ramp_filter(half.sinogram)
    return histogram_of(back_project(filtered, half.angles_rad, np.array([centre]), points)[0])


def _half_turns(row: Row, angles_rad: Floats) -> list[Row]:
    """Return the first half turn of a scan and, of a full turn, that a quarter turn on."""
    starts = (0, len(row) // 4) if covers_full_turn(angles_rad) else (0,)
    positions = [half_turn_positions(angles_rad, start) for start in starts]
    return [take_positions(row, p) for p in positions if p is not None]


def _on_detector(candidate: Candidate | None, half: HalfTurn) -> Candidate | None:
    """Return the candidate with its cor in pixels of the detector."""
    if candidate is None:
        return None
    return candidate._replace(cor_px=candidate.cor_px - half.shift_px)


def _rounded(candidate: Candidate) -> Candidate:
    """Return the candidate to the digits worth keeping in a file."""
    return Candidate(*(round(float(value), 5) for value in candidate))
