"""Centre of rotation and tilt from opposite views of the sample, laid on each other.

About an axis that leans in the detector plane, half a turn mirrors the view about the leaning line:
it shifts it, turns it, and so brings slices from above and below into one detector row. Rows
compared one by one take the slope of the sample's outline for a slope of the axis; a smooth body in
few rows can hide half of the tilt that way. Here the view is compared as a picture: cor and tilt
are found together, by Gauss-Newton steps to the least squared difference.

The matrix of the normal equations is made of the product of the two views' gradients, in which
their noise, being independent, cancels; made of squares, noise would count as detail.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tomobatch.calibrate.comparison import LIKELY_SLOPE, Comparison, compare
from tomobatch.calibrate.frames import Frames
from tomobatch.calibrate.overlap import SPACING_PX, overlap_curve
from tomobatch.calibrate.stack import Stacked, best_line

Floats = NDArray[np.float64]

ROWS_FOR_TILT = 5
FARTHEST_PX = 3.0  # a fit that ends further from its start has gone astray
N_SLOPES = 3  # tried on each side of a level axis
MOST_STEPS, LAST_STEP_PX = 15, 2e-3


@dataclass(frozen=True)
class MirrorFit:
    """The axis about which opposite views are mirror images.

    Attributes
    ----------
    cor_px, slope
        At the middle row, and px a row.
    cor_sigma_px, slope_sigma, covariance
        Their standard deviations, and the covariance; None and 0 where the slope is not told.
    likeness
        Correlation of the views laid on each other.
    significance
        The same in standard deviations of that of unlike views.
    rows_px
        By position of the row from the middle: where it alone would have its cor.
    """

    cor_px: float
    slope: float
    cor_sigma_px: float
    slope_sigma: float | None
    covariance: float
    likeness: float
    significance: float
    rows_px: dict[float, float]

    @property
    def merit(self) -> float:
        """What to compare fits at different places by.

        A narrow overlap in which the views are the same tells more than a wide one in which they
        are somewhat alike.
        """
        return self.significance * self.likeness


def find_mirror(frames: Sequence[Frames], search_px: tuple[float, float]) -> list[Stacked]:
    """Find to half a pixel where the rows of opposite views overlap best, along a sloping line.

    Returns
    -------
    The best place of all, that of a level axis, and the best far from the first; none where they
    lie at the end of the search.
    """
    curves = np.stack(
        [
            overlap_curve(frame.one[:, y], frame.other[:, y])
            for frame in frames
            for y in np.flatnonzero(frame.is_good)
        ]
    )
    positions = np.concatenate([f.positions[f.is_good] for f in frames])
    total = curves.sum(axis=0)[int(search_px[0] / SPACING_PX) : int(search_px[1] / SPACING_PX)]
    middle = float(np.median(total))
    scatter = 1.4826 * float(np.median(np.abs(total - middle))) + 1e-30
    curves -= middle / len(curves)
    best = best_line(curves, positions, SPACING_PX, search_px, scatter)
    level = best_line(curves, np.zeros(len(curves)), SPACING_PX, search_px, scatter)
    places = [place for place in (best, level) if place is not None]
    if best is not None:
        places.append(replace(best, cor_px=best.rival_px, slope=best.rival_slope))
    return places


def fit_mirror(frames: Sequence[Frames], start_px: float) -> MirrorFit | None:
    """Lay the mirrored views on each other, from a start less than three pixels off.

    Returns
    -------
    None when the steps lead elsewhere, or the views overlap too little.
    """
    n_free = 2 if sum(int(frame.is_good.sum()) for frame in frames) >= ROWS_FOR_TILT else 1
    fit = _descend(frames, start_px, n_free)
    if fit is not None and n_free == 2 and not fit[1].tells_slope:
        fit = _descend(frames, start_px, n_free=1)
    if fit is None:
        return None
    line, comparison = fit
    covariance = comparison.covariance()
    tells_slope = len(covariance) == 2
    return MirrorFit(
        cor_px=float(line[0]),
        slope=float(line[1]),
        cor_sigma_px=float(np.sqrt(covariance[0, 0])),
        slope_sigma=float(np.sqrt(covariance[1, 1])) if tells_slope else None,
        covariance=float(covariance[0, 1]) if tells_slope else 0.0,
        likeness=comparison.likeness,
        significance=comparison.significance,
        rows_px=comparison.rows_px(line),
    )


def _descend(
    frames: Sequence[Frames], start_px: float, n_free: int
) -> tuple[Floats, Comparison] | None:
    """Return the line of the least difference near the start, and the comparison there."""
    farthest = max(float(np.abs(frame.positions).max()) for frame in frames)
    # A step of one in either parameter moves the farthest row, or column, by a pixel.
    scale = np.array([1.0, max(farthest, frames[0].one.shape[-1] / 2)])[:n_free]
    slopes = np.arange(-N_SLOPES, N_SLOPES + 1) * LIKELY_SLOPE / N_SLOPES if n_free == 2 else [0.0]
    tried = [
        (comparison.likeness, abs(slope), slope)
        for slope in slopes
        if (comparison := compare(frames, np.array([start_px, slope]), n_free)) is not None
    ]
    if not tried:
        return None
    line = np.array([start_px, max(tried)[2]])
    fit = None
    for _ in range(MOST_STEPS):
        comparison = compare(frames, line, n_free)
        if comparison is None or abs(line[0] - start_px) > FARTHEST_PX:
            return None
        fit = line.copy(), comparison
        move = np.clip(comparison.step(line) * scale, -2, 2)
        if np.abs(move).max() < LAST_STEP_PX:
            break
        line[:n_free] += move / scale
    return fit
