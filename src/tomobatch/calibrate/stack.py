"""The cor and the tilt at which the curves of many rows are best together.

Summed along a tilted line before the best place is looked for, rows that tell nothing by themselves
tell it together, which a line through each row's own best place could not find.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Floats = NDArray[np.float64]

STEEPEST = 0.05  # px a row that are looked at
PEAK_PX = 3.0  # two places nearer to each other are one
RIVAL_PX = 8.0  # a second answer is one at least this far from the first


@dataclass(frozen=True)
class Stacked:
    """The best line of a stack of curves.

    Attributes
    ----------
    cor_px, slope
        cor at the rows' position 0, and its growth with the position.
    depth, rival_depth
        How far the sum stands above its mean there, and at the best place elsewhere, in standard
        deviations of the sum over all places.
    rival_px, rival_slope
        That best place elsewhere.
    """

    cor_px: float
    slope: float
    depth: float
    rival_depth: float
    rival_px: float
    rival_slope: float

    @property
    def is_alone(self) -> bool:
        """Whether no other place is nearly as good."""
        return self.depth >= 4.5 and self.depth - self.rival_depth >= 2


def best_line(
    curves: Floats,
    positions: Floats,
    spacing_px: float,
    search_px: tuple[float, float],
    scatter: float,
) -> Stacked | None:
    """Find the line along which the sum of the curves is largest, to the nearest sample.

    Parameters
    ----------
    curves
        Shape (row, cor): large where the row finds the cor likely; sample i stands for i spacings.
    positions
        Shape (row,): rows from the middle one.
    spacing_px
        Of the samples.
    search_px
        Lowest and highest cor looked at.
    scatter
        Standard deviation of the sum where nothing agrees.

    Returns
    -------
    None when the best lies at the end of the search.
    """
    sums, slopes, low = _sums(curves, positions, spacing_px, search_px)
    best_slope, best = np.unravel_index(int(np.argmax(sums)), sums.shape)
    if best in (0, sums.shape[1] - 1):
        return None
    far = np.abs(np.arange(sums.shape[1]) - best) > RIVAL_PX / spacing_px
    elsewhere = np.where(far, sums, -np.inf)
    rival_slope, rival = np.unravel_index(int(np.argmax(elsewhere)), sums.shape)
    return Stacked(
        cor_px=(low + int(best)) * spacing_px,
        slope=float(slopes[best_slope]),
        depth=float(sums[best_slope, best]) / scatter,
        rival_depth=float(elsewhere[rival_slope, rival]) / scatter,
        rival_px=(low + int(rival)) * spacing_px,
        rival_slope=float(slopes[rival_slope]),
    )


def likely_places(
    curves: Floats,
    positions: Floats,
    spacing_px: float,
    search_px: tuple[float, float],
    n_places: int,
) -> list[tuple[float, float]]:
    """Return the cors, apart from each other, of the largest sums of the curves, and their slopes.

    The largest of all may be due to a single strong edge of the sample on its own mirror image.
    """
    sums, slopes, low = _sums(curves, positions, spacing_px, search_px)
    of_cor = sums.max(axis=0)
    left, places = of_cor.copy(), list[tuple[float, float]]()
    for _ in range(n_places):
        best = int(np.argmax(left))
        if not np.isfinite(left[best]):
            break
        slope = slopes[int(np.argmax(sums[:, best]))]
        places.append(((low + best) * spacing_px, float(slope)))
        left[np.abs(np.arange(len(left)) - best) <= PEAK_PX / spacing_px] = -np.inf
    return places


def _sums(
    curves: Floats, positions: Floats, spacing_px: float, search_px: tuple[float, float]
) -> tuple[Floats, Floats, int]:
    """Return the curves summed along lines, shape (slope, cor), the slopes, and the first cor."""
    n_cors = curves.shape[1]
    reach = float(np.abs(positions).max(initial=0.0))
    n_slopes = int(np.ceil(STEEPEST * reach / spacing_px)) if len(positions) >= 5 else 0
    slopes = np.linspace(-STEEPEST, STEEPEST, 2 * n_slopes + 1) if n_slopes else np.zeros(1)
    cors = np.arange(n_cors)
    low, high = int(np.ceil(search_px[0] / spacing_px)), int(search_px[1] / spacing_px)
    sums = np.empty((len(slopes), high + 1 - low))
    for total, slope in zip(sums, slopes, strict=True):
        shifts = np.round(slope * positions / spacing_px).astype(np.intp)
        columns = np.clip(cors[low : high + 1] + shifts[:, None], 0, n_cors - 1)
        total[:] = np.take_along_axis(curves, columns, axis=1).sum(axis=0)
    return sums, slopes, low


def finer(curves: Floats, factor: int) -> Floats:
    """Return periodic, band-limited curves with `factor` samples for one."""
    n = curves.shape[1]
    return np.asarray(fft.irfft(fft.rfft(curves, axis=1), n * factor, axis=1)) * factor
