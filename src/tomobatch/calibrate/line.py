"""A straight line through points of which some are wrong."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tomobatch.spread import NORMAL_MAD

Floats = NDArray[np.float64]

REJECT_SIGMAS = 4.0
LEAST_SCATTER_PX = 0.02  # no row is rejected for less than REJECT_SIGMAS of this
ROWS_FOR_SLOPE = 5
LARGEST_SLOPE_ERROR_PX = 0.5  # over the rows at hand; what is less certain, and may be level, is


@dataclass(frozen=True)
class Line:
    """The line ``cor(row) = mid_px + slope * (row - mid_row)`` with its uncertainty.

    Attributes
    ----------
    mid_row
        The row about which the two parameters are uncorrelated or nearly so.
    mid_px, mid_sigma_px
        cor at `mid_row` and its standard deviation.
    slope, slope_sigma
        Pixels per row, and its standard deviation; 0 and None where the rows do not tell.
    covariance
        Of `mid_px` and `slope`.
    """

    mid_row: float
    mid_px: float
    mid_sigma_px: float
    slope: float
    slope_sigma: float | None
    covariance: float = 0.0

    def at(self, rows: Floats) -> Floats:
        """Return cor at the rows."""
        return self.mid_px + self.slope * (rows - self.mid_row)

    def sigma_at(self, rows: Floats) -> Floats:
        """Return the standard deviation of cor at the rows."""
        away = rows - self.mid_row
        slope_sigma = self.slope_sigma or 0.0
        variance = self.mid_sigma_px**2 + 2 * self.covariance * away + (slope_sigma * away) ** 2
        return np.sqrt(np.maximum(variance, 0.0))

    def about(self, row: float) -> "Line":
        """Return the same line with another `mid_row`."""
        away = row - self.mid_row
        variance = (self.slope_sigma or 0.0) ** 2
        return Line(
            mid_row=row,
            mid_px=self.mid_px + self.slope * away,
            mid_sigma_px=float(self.sigma_at(np.array([row]))[0]),
            slope=self.slope,
            slope_sigma=self.slope_sigma,
            covariance=self.covariance + variance * away,
        )


def tells_slope(line: Line, height_px: float) -> bool:
    """Whether the slope is known over the height at hand, or at least known not to be level."""
    if line.slope_sigma is None:
        return False
    return (
        line.slope_sigma * height_px <= LARGEST_SLOPE_ERROR_PX
        or abs(line.slope) > REJECT_SIGMAS * line.slope_sigma
    )


def fit_line(rows: Floats, cors_px: Floats, sigmas_px: Floats) -> tuple[Line, NDArray[np.bool_]]:
    """Fit a straight line, leaving out the points far from it.

    The start is the median of the slopes between all pairs of points (Theil, Sen), which a
    quarter of wrong points cannot move far. Then points further than four times the scatter are
    left out and the rest fitted by weighted least squares, until the choice stays.

    Parameters
    ----------
    rows, cors_px, sigmas_px
        Shape (point,), at least one point; `sigmas_px` matter relative to each other only, when
        there are enough points to measure the scatter.

    Returns
    -------
    The line, about the points' mean row; and which points it was fitted to.
    """
    middle = float(rows.mean())
    with_slope = len(rows) >= ROWS_FOR_SLOPE
    if with_slope:
        slope = _median_slope(rows, cors_px)
        offset = float(np.median(cors_px - slope * (rows - middle)))
    else:
        slope, offset = 0.0, float(np.median(cors_px))
    sigmas = np.hypot(sigmas_px, LEAST_SCATTER_PX)
    kept = np.ones(len(rows), dtype=np.bool_)
    for _ in range(20):
        residual = cors_px - offset - slope * (rows - middle)
        scale = max(NORMAL_MAD * float(np.median(np.abs(residual / sigmas)[kept])), 0.3)
        now_kept = np.abs(residual) <= REJECT_SIGMAS * scale * sigmas
        line = _least_squares(rows, cors_px, sigmas, now_kept, with_slope)
        slope, offset = line.slope, float(line.at(np.array([middle]))[0])
        if (now_kept == kept).all():
            break
        kept = now_kept
    if not tells_slope(line, float(np.ptp(rows[now_kept]))):
        line = _least_squares(rows, cors_px, sigmas, now_kept, with_slope=False)
    return line, now_kept


def _median_slope(rows: Floats, cors_px: Floats) -> float:
    """Return the median of the slopes between all pairs of points at different rows."""
    one, other = np.triu_indices(len(rows), 1)
    apart = rows[other] != rows[one]
    one, other = one[apart], other[apart]
    return float(np.median((cors_px[other] - cors_px[one]) / (rows[other] - rows[one])))


def _least_squares(
    rows: Floats,
    cors_px: Floats,
    sigmas: Floats,
    kept: NDArray[np.bool_],
    with_slope: bool,
) -> Line:
    """Fit the kept points; the uncertainty is that of their scatter, neighbours being alike."""
    rows, cors_px, weights = rows[kept], cors_px[kept], sigmas[kept] ** -2.0
    with_slope = with_slope and len(rows) >= ROWS_FOR_SLOPE
    middle = float(np.average(rows, weights=weights))
    offset = float(np.average(cors_px, weights=weights))
    spread = float(np.sum(weights * (rows - middle) ** 2))
    slope = 0.0
    if with_slope:
        slope = float(np.sum(weights * (rows - middle) * (cors_px - offset))) / spread
    pulls = (cors_px - offset - slope * (rows - middle)) * np.sqrt(weights)
    n_free = len(rows) - (2 if with_slope else 1)
    # Neighbouring rows see much the same object and hence err alike: with a lag-one correlation r
    # of the pulls, n of them are worth n (1 - r) / (1 + r).
    variance = float(np.sum(pulls**2)) / n_free if n_free > 0 else 1.0
    if len(rows) < ROWS_FOR_SLOPE:
        variance = max(variance, 1.0)  # too few to show their scatter: believe their sigmas
    likeness = 0.0
    if n_free > 3 and variance > 0:
        likeness = float(np.sum(pulls[1:] * pulls[:-1]) / np.sum(pulls**2))
    likeness = min(max(likeness, 0.0), 0.95)
    variance *= (1 + likeness) / (1 - likeness)
    return Line(
        mid_row=middle,
        mid_px=offset,
        mid_sigma_px=float(np.sqrt(variance / np.sum(weights))),
        slope=slope,
        slope_sigma=float(np.sqrt(variance / spread)) if with_slope else None,
    )
