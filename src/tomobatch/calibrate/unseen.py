"""Errors that a method's own scatter does not show, by what the scan is like.

Rows share them: the seam at which two ends of half a turn meet, a sample that moves, reaches beyond
the detector or changes with the height about an axis that leans. Measured on random scans
(benchmarks/calibration.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tomobatch.calibrate.evidence import Evidence, RowEvidence
from tomobatch.calibrate.mirror import MirrorFit
from tomobatch.calibrate.rim import change_by_noise
from tomobatch.calibrate.wedge import WedgeFit

ALWAYS_PX = {
    "mirror": 0.005,
    "calm mirror": 0.04,
    "wedge": 0.05,
    "moments": 0.03,
    "sharpness": 0.1,
}
# Of an object that reaches beyond the detector: at most, and the level at the rim that tells so.
CUT_OFF_PX, CUT_OFF_LEVEL = {"calm mirror": 0.2, "wedge": 0.2, "sharpness": 0.3}, 0.1
# Of the slope by views over as many rows as there are columns: always, by calm ones, and by calm
# ones of an object beyond the detector.
ALWAYS_SLOPE_PX, CALM_SLOPE_PX, CALM_SLOPE_CUT_OFF_PX = 0.02, 0.3, 0.4
# An object that leans or ends within the view, about an axis that leans: rows err alike, by a
# quarter of what they falsify the slope by over the height; as a share of the width times the slope
# where no other method tells the slope.
OF_FALSE_SLOPE, LEANING = 0.25, 0.02
# Of less than half a turn nothing tells the slope. A usual one; and how far the offset of half a
# turn moves with what each projection moves by at random, times the root of their number.
USUAL_SLOPE, GROWTH_OF_HALF_TURN = 0.01, 2.3
# What is not the object (drift, stripes) weighs the more in the wedge the less the object does.
WEDGE_PX_AT_DEPTH = 2.0
# Of sharp edges, as a share of the sample's movement; what the slice's noise adds to their scatter.
BLURRED, NOISY = 0.15, 3.0
# Of the centre of mass by the drift of the air, as a share of the width times the drift; and the
# share of the noise at the rim that may hide a drift.
DRIFTED, HIDDEN = 0.087, 0.5
# Of a sample's level in its strongest columns, the standard deviation over its projections.
SIGNAL_OF_LEVEL = 0.5


@dataclass(frozen=True)
class Unseen:
    """What adds to the errors of all methods, in pixels.

    Attributes
    ----------
    seam_px, calm_seam_px
        Of methods that compare the two ends of half a turn, by the sample's movement; by calm views
        of them.
    moved_px
        The movement itself, one standard deviation a projection.
    offset_px
        What the movement makes of an offset by all projections.
    cut_off
        How far the object is beyond the detector, 0 to 1.
    leaning_px
        Of methods that take each row for a slice.
    drifted_px
        Of the centre of mass.
    air_change
        Of the level at the rim with its noise, as a share of the sample's.
    view_slope, calm_slope
        Of the slope by views, in pixels a row.
    """

    seam_px: float
    calm_seam_px: float
    moved_px: float
    offset_px: float
    cut_off: float
    leaning_px: float
    drifted_px: float
    air_change: float
    view_slope: float
    calm_slope: float

    @classmethod
    def of(
        cls,
        good: Sequence[RowEvidence],
        scan: Evidence,
        wedge: WedgeFit | None,
        mirror: MirrorFit | None,
        moved_px: float,
    ) -> "Unseen":
        """Look at the usable rows of a scan whose sample moves by so much."""
        change, noise = _of_rims(good, "change"), _noise_at_rims(good, scan)
        cut_off = _cut_off(good)
        growth = scan.offset_noise * float(np.sqrt(scan.n_angles))
        return cls(
            seam_px=scan.view_noise * moved_px,
            calm_seam_px=scan.calm_noise * moved_px,
            moved_px=moved_px,
            offset_px=scan.offset_noise * moved_px,
            cut_off=cut_off,
            leaning_px=_leaning_px(scan, wedge, mirror, growth),
            drifted_px=DRIFTED * growth * max(change, HIDDEN * noise) * scan.n_x,
            air_change=float(np.hypot(change, noise)),
            view_slope=ALWAYS_SLOPE_PX / scan.n_x,
            calm_slope=(CALM_SLOPE_PX + CALM_SLOPE_CUT_OFF_PX * cut_off) / scan.n_x,
        )

    def error_px(self, method: str, sigma_px: float, depth: float = np.inf) -> float:
        """Return a method's whole error, from its standard deviation by what it sees.

        `depth` is that of the wedge.
        """
        parts = [ALWAYS_PX[method], CUT_OFF_PX.get(method, 0.0) * self.cut_off]
        match method:
            case "mirror":
                parts += [sigma_px, self.seam_px]
            case "calm mirror":
                parts += [sigma_px, self.calm_seam_px]
            case "wedge":
                parts += [sigma_px, self.seam_px, self.leaning_px, WEDGE_PX_AT_DEPTH / depth]
            case "moments":
                parts += [sigma_px, self.offset_px, self.leaning_px, self.drifted_px]
            case "sharpness":
                blurred_px = BLURRED * self.moved_px
                parts += [NOISY * sigma_px, self.offset_px, blurred_px, self.leaning_px]
        return float(np.linalg.norm(parts))

    def slope_error(self, sigma: float, *, calm: bool) -> float:
        """Return the whole error of the slope by views, from what these themselves show."""
        return float(np.hypot(sigma, self.calm_slope if calm else self.view_slope))

    def shared_px(self, method: str, other: str) -> float:
        """Return the part of two methods' errors that is the same."""
        pair = {method, other}
        shared = []
        if pair <= {"mirror", "wedge"}:
            shared.append(self.seam_px)
        if pair <= {"moments", "sharpness"}:
            shared.append(self.offset_px)
        if "mirror" not in pair:
            shared.append(self.leaning_px)
        return float(np.linalg.norm(shared))


def calm_error_px(good: Sequence[RowEvidence], sigma_px: float) -> float:
    """Return the error of an axis by calm views of a sample that stands still."""
    cut_off_px = CUT_OFF_PX["calm mirror"] * _cut_off(good)
    return float(np.linalg.norm([ALWAYS_PX["calm mirror"], cut_off_px, sigma_px]))


def _cut_off(good: Sequence[RowEvidence]) -> float:
    """Return how far the object is beyond the detector, 0 to 1."""
    return min(_of_rims(good, "level") / CUT_OFF_LEVEL, 1.0)


def _of_rims(good: Sequence[RowEvidence], name: str) -> float:
    """Return what the rims of rows say, the median of them."""
    values = [getattr(row.rim, name) for row in good if row.rim is not None]
    return float(np.median(values)) if values else 0.0


def _noise_at_rims(good: Sequence[RowEvidence], scan: Evidence) -> float:
    """Return what noise makes of the change at the rims, as a share of the sample's level."""
    shares = [SIGNAL_OF_LEVEL * row.noise / row.signal for row in good if row.rim is not None]
    return change_by_noise(float(np.median(shares)), scan.n_angles, scan.n_x) if shares else 0.0


def _leaning_px(
    scan: Evidence, wedge: WedgeFit | None, mirror: MirrorFit | None, growth: float
) -> float:
    """Return the error of rows taken for slices about an axis that leans."""
    if mirror is None or mirror.slope_sigma is None:
        if wedge is not None:
            return LEANING * scan.n_x * abs(wedge.slope)
        return LEANING * scan.n_x * USUAL_SLOPE * growth / GROWTH_OF_HALF_TURN
    usual_px = LEANING * scan.n_x * abs(mirror.slope)
    if wedge is None or wedge.slope_sigma is None:
        return usual_px
    noise = wedge.slope_sigma**2 + mirror.slope_sigma**2
    false_slope = float(np.sqrt(max((wedge.slope - mirror.slope) ** 2 - noise, 0.0)))
    return max(usual_px, OF_FALSE_SLOPE * false_slope * scan.n_rows)
