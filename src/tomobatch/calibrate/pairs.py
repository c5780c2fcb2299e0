"""Opposite views of the sample, out of projections that need not be exactly half a turn apart.

A scan of [0, pi) ends a step short of the view opposite its first. Reaching over that step at one
end alone shifts the axis; half a step at both ends does not, as the two errors are mirror images of
one another. A view is the value, at its angle, of the straight line through the projections around
it, pixel by pixel, which also averages their noise.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tomobatch.turn import HALF_TURN_RAD, angle_step

Row = NDArray[np.float32]
Floats = NDArray[np.float64]

MOST_PAIRS = 4
# Of the edge of the field of view, over the projections of one view: sharp ones, and calm ones.
EDGE_MOTION_PX, CALM_MOTION_PX = 3.0, 10.0
MOST_COMPARED = 64
LARGEST_GAP_STEPS = 3.0  # across which an opposite projection is interpolated


@dataclass(frozen=True)
class View:
    """A projection at any angle as a weighted sum of measured ones."""

    indices: NDArray[np.intp]
    weights: NDArray[np.float32]

    @property
    def noise(self) -> float:
        """Its noise in units of that of a projection."""
        return float(np.sqrt(np.sum(self.weights**2)))

    def of(self, row: Row) -> Row:
        """Return the view of one detector row, shape (x,)."""
        return np.asarray(self.weights @ row[self.indices], dtype=np.float32)


def opposite_views(
    angles_rad: Floats, n_x: int, motion_px: float = EDGE_MOTION_PX
) -> list[tuple[View, View]]:
    """Return pairs of views half a turn apart, spread over the scan.

    Parameters
    ----------
    angles_rad
        Shape (angle,), rising.
    n_x
        Detector pixels a row.
    motion_px
        How far the edge of the field of view moves over the projections of one view. Of more, the
        view has less noise and is the less that of one angle.

    Returns
    -------
    At most four pairs; one for half a turn; none for less, and where angles are missing.
    """
    step = angle_step(angles_rad)
    beyond = float(angles_rad[-1] - angles_rad[0]) - HALF_TURN_RAD
    if beyond < -1.5 * step:
        return []
    first, last = float(angles_rad[0]), float(angles_rad[0]) + beyond
    n_pairs = int(np.clip(1 + beyond / step, 1, MOST_PAIRS))
    starts = np.linspace(first, last, n_pairs) if n_pairs > 1 else np.array([(first + last) / 2])
    n_used = int(np.clip(1 + motion_px / (step * n_x / 2), 2, 2 * motion_px))
    pairs = (
        [_view(angles_rad, start + turned, step, n_used) for turned in (0, HALF_TURN_RAD)]
        for start in starts
    )
    return [(one, other) for one, other in pairs if one is not None and other is not None]


def opposite_projections(row: Row, angles_rad: Floats) -> tuple[Row, Row]:
    """Return measured projections and their opposites, half a turn on: two arrays (pair, x).

    Opposites are interpolated between two angles; what has its opposite in a gap is left out.
    """
    step = angle_step(angles_rad)
    wanted = angles_rad + HALF_TURN_RAD
    after = np.searchsorted(angles_rad, wanted).clip(1, len(angles_rad) - 1)
    in_gap = angles_rad[after] - angles_rad[after - 1] > LARGEST_GAP_STEPS * step
    pairs = np.flatnonzero((wanted <= angles_rad[-1] + 1.01 * step) & ~in_gap)
    pairs = pairs[:: max(1, len(pairs) // MOST_COMPARED)]
    after, before = after[pairs], after[pairs] - 1
    weight = (wanted[pairs] - angles_rad[before]) / (angles_rad[after] - angles_rad[before])
    weight = weight.astype(np.float32)[:, None]
    return row[pairs], row[before] * (1 - weight) + row[after] * weight


def view_noise(pairs: list[tuple[View, View]]) -> float:
    """Return how far the cor of all pairs moves when each projection moves by one, at random."""
    variances = [(one.noise**2 + other.noise**2) / 4 for one, other in pairs]
    return float(np.sqrt(np.mean(variances) / len(variances))) if variances else 0.0


def _view(angles_rad: Floats, wanted_rad: float, step: float, n_used: int) -> View | None:
    """Return the view at an angle from the projections nearest to it; None if those are far."""
    away = angles_rad - wanted_rad
    nearest = np.sort(np.argsort(np.abs(away), kind="stable")[:n_used])
    if np.abs(away[nearest]).max() > 1.5 * n_used * step:
        return None
    basis = np.stack([np.ones(len(nearest)), away[nearest] / step], axis=1)
    return View(nearest, np.linalg.pinv(basis)[0].astype(np.float32))
