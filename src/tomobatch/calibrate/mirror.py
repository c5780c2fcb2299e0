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
from tomobatch.calibrate.stack import likely_places

Floats = NDArray[np.float64]

ROWS_FOR_TILT = 5
# At right places the likeness but for noise is 0.8 to 1 without stripes, at wrong ones below 0.7.
MIRROR_IMAGES, MOST_NOISE, STANDS_ALONE, NO_RIVAL = 0.8, 0.7, 12.0, 1.5
RIVAL_PX = 8.0
FARTHEST_PX = 3.0  # a fit that ends further from its start has gone astray
N_PLACES, N_STARTS = 8, 3
N_SLOPES, N_WIDE = 3, 6  # tried on each side of a level axis: first, and for their likelihood
SURE_SLOPE = 1e-3  # its error, below which no other slope can be meant
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
    power
        Mean of the sum of both views' squares.
    rows_px
        By position of the row from the middle: where it alone would have its cor.
    rival_merit
        Of the best fit at another place.
    """

    cor_px: float
    slope: float
    cor_sigma_px: float
    slope_sigma: float | None
    covariance: float
    likeness: float
    significance: float
    power: float
    rows_px: dict[float, float]
    rival_merit: float = 0.0

    @property
    def merit(self) -> float:
        """What to compare fits at different places by.

        A narrow overlap in which the views are the same tells more than a wide one in which they
        are somewhat alike.
        """
        return self.significance * self.likeness

    def stands_alone(self, noise_power: float) -> bool:
        """Whether the views are mirror images but for their noise, here and nowhere else."""
        return (
            self.likeness_without(noise_power) >= MIRROR_IMAGES
            and noise_power <= MOST_NOISE * self.power
            and self.significance >= STANDS_ALONE
            and self.merit >= NO_RIVAL * self.rival_merit
        )

    def likeness_without(self, noise_power: float) -> float:
        """Return what the likeness would be were there no noise: of a right axis nearly 1.

        `noise_power` is the noise's part of `power`.
        """
        return self.likeness * self.power / max(self.power - noise_power, 1e-30)


def find_mirror(
    frames: Sequence[Frames], search_px: tuple[float, float], others_px: Sequence[float] = ()
) -> list[float]:
    """Find to half a pixel where opposite views may lie on each other: starts for `fit_mirror`.

    Places where the overlap of the rows, one by one, is largest along a sloping line, and those
    that other methods see, in the order of the merit that the views have there as pictures.
    """
    curves = np.stack(
        [
            overlap_curve(frame.one[:, y], frame.other[:, y])
            for frame in frames
            for y in np.flatnonzero(frame.is_good)
        ]
    )
    positions = np.concatenate([f.positions[f.is_good] for f in frames])
    places = likely_places(curves, positions, SPACING_PX, search_px, N_PLACES)
    places += [(other_px, 0.0) for other_px in others_px]
    compared = [(compare(frames, np.array(place), 1), place[0]) for place in places]
    found = [(_merit(views), cor_px) for views, cor_px in compared if views is not None]
    return [cor_px for _, cor_px in sorted(found, reverse=True)[:N_STARTS]]


def _merit(views: Comparison) -> float:
    return views.significance * views.likeness


def most_significant(fits: Sequence[MirrorFit]) -> MirrorFit | None:
    """Return the fit of the largest merit, and how near the next place comes to it."""
    best = max(fits, key=lambda fit: fit.merit, default=None)
    if best is None:
        return None
    rivals = [fit.merit for fit in fits if abs(fit.cor_px - best.cor_px) > RIVAL_PX]
    return replace(best, rival_merit=max(rivals, default=0.0))


def with_every_slope(frames: Sequence[Frames], fit: MirrorFit) -> MirrorFit:
    """Return the fit with an error of its slope that counts other slopes, as likely as they are.

    In few rows, stripes of the detector may make views somewhat more alike about an axis that leans
    too much; how sharp that likeness is says nothing of it.
    """
    if fit.slope_sigma is None or fit.slope_sigma < SURE_SLOPE:
        return fit
    best = compare(frames, np.array([fit.cor_px, fit.slope]), 2)
    if best is None:
        return fit
    slopes, unlikely = np.arange(-N_WIDE, N_WIDE + 1) * LIKELY_SLOPE / N_SLOPES, list[float]()
    for slope in slopes:
        tried = compare(frames, np.array([fit.cor_px, slope]), 2)
        ratio = np.inf if tried is None else tried.difference_px / best.difference_px
        prior = (slope**2 - fit.slope**2) / LIKELY_SLOPE**2
        unlikely.append(max(best.n_independent * (ratio - 1) + prior, 0.0))
    weights = np.exp(-0.5 * np.array(unlikely))
    spread = np.sqrt(np.sum(weights * (slopes - fit.slope) ** 2) / max(float(weights.sum()), 1.0))
    if spread <= fit.slope_sigma:
        return fit
    covariance = fit.covariance * float(spread) / fit.slope_sigma
    return replace(fit, slope_sigma=float(spread), covariance=covariance)


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
        power=comparison.power / comparison.n_pixels,
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
