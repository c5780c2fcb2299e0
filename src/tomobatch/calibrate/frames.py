"""Opposite views of the whole sample, put together from the rows of all chunks."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tomobatch.calibrate.packed import pack
from tomobatch.calibrate.pairs import CALM_MOTION_PX, EDGE_MOTION_PX, opposite_views
from tomobatch.calibrate.rows import remove_slow_part

MOST_ROWS, N_BANDS = 256, 16
SMOOTHING_PX, CALM_SMOOTHING_PX = 1.0, 2.0


def in_band(row: int, n_rows: int) -> bool:
    """Whether the views of a row are kept: of every row, or of 16 bands of 16 in a high scan."""
    if n_rows <= MOST_ROWS:
        return True
    height = MOST_ROWS // N_BANDS
    band = row * N_BANDS // n_rows
    first = _first_of_band(band, n_rows)
    return first <= row < first + height


def _first_of_band(band: int, n_rows: int) -> int:
    """Return the first row of those kept in the middle of each sixteenth of the scan."""
    start, stop = -(-band * n_rows // N_BANDS), -(-(band + 1) * n_rows // N_BANDS)
    return start + (stop - start - MOST_ROWS // N_BANDS) // 2


@dataclass(frozen=True)
class Frames:
    """Neighbouring rows of opposite views, smooth and without their slow part.

    Attributes
    ----------
    one, other
        Shape (pair, y, x), float32; what `one` shows, `other` shows mirrored.
    positions
        Shape (y,): rows from the middle one.
    is_good
        Shape (y,): whether the row was measured.
    smoothing_px
        Standard deviation of what they were smoothed by.
    """

    one: NDArray[np.float32]
    other: NDArray[np.float32]
    positions: NDArray[np.float64]
    is_good: NDArray[np.bool_]
    smoothing_px: float

    @property
    def alike_px(self) -> float:
        """Smoothed white noise has as many independent values as one pixel in this many."""
        return 4 * np.pi * self.smoothing_px**2


def assemble(
    views: Mapping[int, NDArray[np.float32]], n_rows: int, smoothing_px: float
) -> list[Frames]:
    """Put rows side by side, into one frame or one for each band.

    Parameters
    ----------
    views
        By row: shape (pair, 2, x), without the slow part.
    n_rows
        Of the whole scan.
    smoothing_px
        Standard deviation of what they are smoothed by.
    """
    wanted = np.array([row for row in range(n_rows) if in_band(row, n_rows)])
    bands = np.split(wanted, np.flatnonzero(np.diff(wanted) > 1) + 1)
    used = [band for band in bands if any(row in views for row in band)]
    return [_frames(views, band, n_rows, smoothing_px) for band in used]


def _frames(
    views: Mapping[int, NDArray[np.float32]],
    band: NDArray[np.intp],
    n_rows: int,
    smoothing_px: float,
) -> Frames:
    blank = np.zeros_like(next(iter(views.values())))
    stacked = np.stack([views.get(int(row), blank) for row in band], axis=2)
    smooth = ndimage.gaussian_filter1d(stacked, smoothing_px, axis=3)
    if len(band) > 1:
        smooth = ndimage.gaussian_filter1d(smooth, smoothing_px, axis=2)
    missing = np.array([int(row) not in views for row in band])
    near = max(1, round(2 * smoothing_px))
    is_good = ~ndimage.binary_dilation(missing, iterations=near)
    if len(band) > 4 * near:  # smoothing takes the outermost rows for all beyond them
        is_good[:near] = is_good[-near:] = False
    positions = band.astype(np.float64) - (n_rows - 1) / 2
    return Frames(smooth[:, 0], smooth[:, 1], positions, is_good, smoothing_px)


def pack_views(row: NDArray[np.float32], angles_rad: NDArray[np.float64], *, calm: bool) -> str:
    """Return opposite views of a row (angle, x) as text: (pair, 2, x) without their slow part.

    Empty where the angles, which rise, have none. Calm ones are of more projections.
    """
    pairs = opposite_views(angles_rad, row.shape[1], CALM_MOTION_PX if calm else EDGE_MOTION_PX)
    if not pairs:
        return ""
    measured = np.stack([[view.of(row) for view in pair] for pair in pairs])
    return pack(remove_slow_part(measured))
