"""Opposite views of all rows laid on each other: sharp ones, or calm ones where noise rules.

A view of few projections is nearly that of one angle, and has the noise of few. One of more hides
some of what turns, an object that reaches beyond the detector most of all; but where sharp views
drown in noise, calm ones still show where they belong.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tomobatch.calibrate.evidence import Evidence, RowEvidence
from tomobatch.calibrate.frames import CALM_SMOOTHING_PX, SMOOTHING_PX, Frames, assemble
from tomobatch.calibrate.mirror import (
    RIVAL_PX,
    MirrorFit,
    find_mirror,
    fit_mirror,
    most_significant,
    with_every_slope,
)
from tomobatch.calibrate.one_row import search_range
from tomobatch.calibrate.unseen import calm_error_px
from tomobatch.calibrate.wedge import WedgeFit

LEAST_DEPTH = 4.5  # standard deviations: chance alone reaches 3.5 over a thousand places
SURE_PX = 0.04  # calm views know no better


@dataclass(frozen=True)
class Laid:
    """The best fit of the views.

    Attributes
    ----------
    fit
        The axis about which they are mirror images.
    is_calm
        Whether the views are of many projections.
    stands_alone
        Whether they are mirror images but for their noise, there and nowhere else.
    """

    fit: MirrorFit
    is_calm: bool
    stands_alone: bool


def lay_views(good: Sequence[RowEvidence], scan: Evidence, wedge: WedgeFit | None) -> Laid | None:
    """Return the fit of sharp views, or of calm ones where that is more certain.

    Parameters
    ----------
    good
        The usable rows, in order.
    scan
        For what all rows share.
    wedge
        Where another method sees something; None if nowhere.
    """
    sharp = _lay(good, scan, wedge, calm=False)
    if sharp is not None and sharp.fit.cor_sigma_px <= SURE_PX:
        return sharp
    calm = _lay(good, scan, wedge, calm=True)
    if sharp is None or calm is None:
        return sharp or calm
    if abs(sharp.fit.cor_px - calm.fit.cor_px) > RIVAL_PX:
        return max(sharp, calm, key=lambda laid: laid.fit.significance)
    error_px = calm_error_px(good, calm.fit.cor_sigma_px)
    return calm if error_px < sharp.fit.cor_sigma_px else sharp


def _lay(
    good: Sequence[RowEvidence], scan: Evidence, wedge: WedgeFit | None, *, calm: bool
) -> Laid | None:
    """Return the most significant of the fits that begin wherever any method sees something."""
    frames = _frames(good, scan, calm=calm)
    if not any(frame.is_good.any() for frame in frames):
        return None
    low, high = search_range(scan.n_x, scan.is_full_turn)
    others_px = [] if wedge is None else [wedge.place.cor_px, wedge.place.rival_px]
    starts_px = find_mirror(frames, (low, high), others_px)
    fits = [fit for start in starts_px if (fit := fit_mirror(frames, start)) is not None]
    fits = [fit for fit in fits if low <= fit.cor_px <= high and fit.significance >= LEAST_DEPTH]
    best = most_significant(fits)
    if best is None:
        return None
    alone = best.stands_alone(_noise_power(good, scan, frames[0], calm=calm))
    return Laid(with_every_slope(frames, best), calm, alone)


def _frames(good: Sequence[RowEvidence], scan: Evidence, *, calm: bool) -> list[Frames]:
    views = {row.row: scan.views(row, calm=calm) for row in good if row.views}
    # Rows of a cone beam, rebinned each about its own cor, may differ in their pairs.
    n_pairs = min((len(view) for view in views.values()), default=0)
    views = {row: view[:n_pairs] for row, view in views.items()}
    if n_pairs == 0:
        return []
    return assemble(views, scan.n_rows, CALM_SMOOTHING_PX if calm else SMOOTHING_PX)


def _noise_power(
    good: Sequence[RowEvidence], scan: Evidence, frame: Frames, *, calm: bool
) -> float:
    """Return what noise adds to the squares of two opposite views, smoothed as the frames are."""
    variance = float(np.median([row.noise for row in good if row.views])) ** 2
    view_noise = scan.calm_noise if calm else scan.view_noise
    return 4 * len(frame.one) * view_noise**2 * variance / frame.alike_px
