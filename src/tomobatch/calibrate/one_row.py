"""What one detector row is asked."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tomobatch.calibrate.candidate import Candidate
from tomobatch.calibrate.frames import SMOOTHING_PX
from tomobatch.calibrate.half_turn import half_turn_positions, take_positions
from tomobatch.calibrate.histogram import Histogram, histogram_of
from tomobatch.calibrate.moments import moments_cor
from tomobatch.calibrate.overlap import SPACING_PX, overlap_curve
from tomobatch.calibrate.pairs import opposite_projections
from tomobatch.calibrate.quicklook import back_project, ramp_filter, sample_points
from tomobatch.calibrate.rim import Rim
from tomobatch.calibrate.rows import remove_slow_part
from tomobatch.calibrate.sharpness import sharpness_cor
from tomobatch.calibrate.stitch import half_turn_of
from tomobatch.calibrate.wedge import WedgeCurve, wedge_curve
from tomobatch.turn import HALF_TURN_RAD, covers_full_turn

Row = NDArray[np.float32]
Floats = NDArray[np.float64]

METHODS = ("mirror", "wedge", "moments", "sharpness")
N_GREY_POINTS = 12_000
# The axis of half a turn is looked for up to 35% of the width off the middle: further out, less
# than a third of the views overlap. A full turn may have it at the edge (half acquisition).
MARGIN, FULL_TURN_MARGIN = 0.15, 0.03


def search_range(n_x: int, is_full_turn: bool) -> tuple[float, float]:
    """Return the lowest and the highest cor that is looked at, in pixels."""
    margin_px = n_x * (FULL_TURN_MARGIN if is_full_turn else MARGIN)
    return margin_px, n_x - 1 - margin_px


@dataclass(frozen=True)
class RowView:
    """What one row says by itself.

    Attributes
    ----------
    wedge
        How empty its double wedge is; None for less than half a turn.
    start_px
        Where it alone would have the cor, to half a pixel; None where it tells nothing.
    candidates
        cor by the methods that stand by themselves.
    rim
        What its outermost columns see.
    """

    wedge: WedgeCurve | None
    start_px: float | None
    candidates: dict[str, Candidate]
    rim: Rim | None


def look_at(row: Row, angles_rad: Floats, noise: float, slow_too: bool) -> RowView:
    """Return what a row's sinogram, shape (angle, x), angles rising, says by itself.

    Parameters
    ----------
    noise
        Standard deviation of its white noise.
    slow_too
        Whether to ask the slice as well.
    """
    wedge = wedge_curve(_half_turns(row, angles_rad))
    start_px = _start_px(row, angles_rad, wedge)
    # Halves of a full turn put side by side about the start would only give the start back.
    mass = moments_cor(row, angles_rad)
    found = {"moments": mass}
    if slow_too:
        start = mass.cor_px if mass else _or_middle(start_px, row.shape[1])
        found["sharpness"] = _sharpest(row, angles_rad, start)
    kept = {m: _rounded(c) for m, c in found.items() if c is not None and np.isfinite(c).all()}
    return RowView(wedge, start_px, kept, Rim.of(row, noise))


def _sharpest(row: Row, angles_rad: Floats, start_px: float) -> Candidate | None:
    """Return the cor by the slice of the first half turn; None where there is less."""
    first = half_turn_positions(angles_rad)
    if first is None:
        return None
    angles = angles_rad[0] + HALF_TURN_RAD / len(first) * np.arange(len(first))
    return sharpness_cor(take_positions(row, first), angles, start_px)


def grey_histogram(row: Row, angles_rad: Floats, start_px: float | None) -> Histogram:
    """Return the histogram of some pixels of the row's slice, in 1/pixel.

    The slice is reconstructed about the row's own cor, at full resolution.
    """
    n_x = row.shape[1]
    cor_px = _or_middle(start_px, n_x)
    half = half_turn_of(row, angles_rad, cor_px)
    centre = cor_px + half.shift_px
    radius_px = max(min(centre, half.sinogram.shape[1] - 1 - centre), n_x / 4)
    points = sample_points(radius_px, N_GREY_POINTS)
    filtered = ramp_filter(half.sinogram)
    return histogram_of(back_project(filtered, half.angles_rad, np.array([centre]), points)[0])


def _start_px(row: Row, angles_rad: Floats, wedge: WedgeCurve | None) -> float | None:
    """Return the best place of the wedge; of a full turn, of the overlap of opposite views."""
    n_x = row.shape[1]
    full_turn = covers_full_turn(angles_rad)
    if not full_turn and wedge is not None:
        return _peak_px(wedge.emptiness, 1.0, search_range(n_x, full_turn))
    one, other = opposite_projections(row, angles_rad)
    if len(one) == 0:
        return None
    one, other = (
        ndimage.gaussian_filter1d(remove_slow_part(part), SMOOTHING_PX, axis=1)
        for part in (one, other)
    )
    return _peak_px(overlap_curve(one, other), SPACING_PX, search_range(n_x, full_turn))


def _peak_px(curve: Floats, spacing_px: float, search_px: tuple[float, float]) -> float | None:
    """Return where the curve is largest; None at the end of the search."""
    low, high = int(np.ceil(search_px[0] / spacing_px)), int(search_px[1] / spacing_px)
    best = low + int(np.argmax(curve[low : high + 1]))
    return None if best in (low, high) else best * spacing_px


def _or_middle(cor_px: float | None, n_x: int) -> float:
    return (n_x - 1) / 2 if cor_px is None else cor_px


def _half_turns(row: Row, angles_rad: Floats) -> list[Row]:
    """Return the first half turn of a scan and, of a full turn, that a quarter turn on."""
    starts = (0, len(row) // 4) if covers_full_turn(angles_rad) else (0,)
    positions = [half_turn_positions(angles_rad, start) for start in starts]
    return [take_positions(row, p) for p in positions if p is not None]


def _rounded(candidate: Candidate) -> Candidate:
    """Return the candidate to the digits worth keeping in a file."""
    return Candidate(*(round(float(value), 5) for value in candidate))
