"""What the figures of a scan amount to: green, amber or red, why, and what to do.

Thresholds were measured on phantoms with planted faults; a green figure is what good scans have.
"""

import math
from dataclasses import dataclass

from tomobatch.calibrate.calibration import Calibration
from tomobatch.calibrate.movement import Movement
from tomobatch.records.findings import Finding, Level, worst
from tomobatch.stripes.choice import StripeChoice


@dataclass(frozen=True)
class Figures:
    """What was measured of a result besides its calibration and its stripes.

    Attributes
    ----------
    resolved_share
        How far halves of the angles agree, of Nyquist.
    seam
        First against last projection, in typical neighbours; None where it cannot be had.
    edge_level
        Of the outermost columns, as a share of a high line integral.
    clipped_share, saturated_share
        Of all readings.
    """

    resolved_share: float | None
    seam: float | None
    edge_level: float
    clipped_share: float
    saturated_share: float


def judge(calibration: Calibration, stripes: StripeChoice, figures: Figures) -> tuple[Finding, ...]:
    """Return the verdicts of one scan, the axis first."""
    return (
        _axis(calibration),
        _tilt(calibration),
        _rings(stripes),
        _sharpness(figures.resolved_share),
        _share(
            "clipping",
            figures.clipped_share,
            "transmissions beyond the range that a logarithm is taken of",
            "look at the flats and darks, and at normalise.transmission_min and tube.scatter",
        ),
        _share(
            "saturation",
            figures.saturated_share,
            "readings at the detector's maximum, whose attenuation comes out too low",
            "expose less; what is saturated cannot be mended",
        ),
        _field_of_view(figures.edge_level),
        _motion(figures.seam, calibration.movement),
    )


def _level(value: float, amber: float, red: float) -> Level:
    """Return the level of a figure that is bad when it is high; NaN is red."""
    if not value < red:
        return "red"
    return "green" if value < amber else "amber"


def _axis(calibration: Calibration) -> Finding:
    check, line = calibration.check, calibration.line
    threshold = "amber from 0.3 px, red from 0.5 px"
    why = "an axis off by half a pixel doubles edges"
    advice = "compare slices at cors beside it, and give calibrate.cor_px"
    if calibration.cor_source == "given":
        if calibration.found is None:
            figure = f"{line.mid_px:.2f} px given; the scan does not tell"
            return Finding("centre of rotation", "unknown", figure, threshold, why, advice)
        off = abs(calibration.found.mid_px - line.mid_px)
        figure = f"given {line.mid_px:.2f} px, {off:.2f} px from what was found"
        return Finding("centre of rotation", _level(off, 0.3, 0.5), figure, threshold, why, advice)
    doubt = line.mid_sigma_px
    figure = f"{line.mid_px:.2f} ± {line.mid_sigma_px:.2f} px"
    if calibration.stands_alone and (check is None or not (check.agrees or check.contradicts)):
        figure += ", which needs no other method to bear it out"
        return Finding(
            "centre of rotation", _level(doubt, 0.3, 0.5), figure, threshold, why, advice
        )
    if check is None:
        figure += ", which no other method bears out"
        level: Level = "amber" if _level(doubt, 0.3, 0.5) == "green" else "red"
        return Finding("centre of rotation", level, figure, threshold, why, advice)
    doubt = max(doubt, abs(check.difference_px))
    figure += f", {abs(check.difference_px):.2f} px from {check.method}"
    return Finding("centre of rotation", _level(doubt, 0.3, 0.5), figure, threshold, why, advice)


def _tilt(calibration: Calibration) -> Finding:
    threshold = "amber from 0.3 px, red from 0.5 px at the ends of the height"
    why = "a tilt puts the axis elsewhere in every row"
    advice = "give calibrate.tilt_deg if you know it"
    sigma = calibration.line.slope_sigma
    if calibration.tilt_source == "given" or sigma is None:
        known = "given" if calibration.tilt_source == "given" else "too few rows to tell"
        figure = f"{calibration.tilt_deg:.3f} degrees, {known}"
        return Finding("tilt", "unknown", figure, threshold, why, advice)
    off = sigma * calibration.n_rows / 2
    degrees = math.degrees(math.atan(sigma))
    figure = f"{calibration.tilt_deg:.3f} ± {degrees:.3f} degrees, {off:.2f} px at the ends"
    return Finding("tilt", _level(off, 0.3, 0.5), figure, threshold, why, advice)


def _rings(stripes: StripeChoice) -> Finding:
    threshold = "amber from 0.06, red from 0.2"
    why = "what all directions from the axis share, 0 to 1; a concentric sample has some as well"
    advice = "look at a slice; try another stripes.method, or take more flats"
    if stripes.figure_after is None or stripes.figure_before is None:
        return Finding("rings", "unknown", "too few columns", threshold, why, advice)
    done = f"by {stripes.method}" if stripes.method != "none" else "untouched"
    # Below zero is chance: nothing is shared.
    after, before = max(stripes.figure_after, 0.0), max(stripes.figure_before, 0.0)
    figure = f"{after:.3f}, {before:.3f} before removal ({done})"
    if stripes.finds_no_stripes and stripes.figure_after >= 0.2:
        threshold = "amber from 0.06, red from 0.2 where stripes are found"
        advice = (
            "circles may be the sample's own, as its sinograms show no stripes: look at a slice;"
            " where they do not belong to it, try stripes.method: sorting, or take more flats"
        )
        return Finding("rings", "amber", figure, threshold, why, advice)
    return Finding("rings", _level(stripes.figure_after, 0.06, 0.2), figure, threshold, why, advice)


def _sharpness(share: float | None) -> Finding:
    threshold = "amber below 0.5, red below 0.4"
    why = "the finest detail on which slices from odd and from even angles agree, of the finest"
    advice = "noise or too few angles: bin, filter (reconstruct.filter) or expose longer"
    if share is None:
        return Finding("noise and sharpness", "unknown", "not measured", threshold, why, advice)
    level: Level = "green" if share >= 0.5 else "amber" if share >= 0.4 else "red"
    return Finding("noise and sharpness", level, f"{share:.2f}", threshold, why, advice)


def _share(subject: str, share: float, why: str, advice: str) -> Finding:
    threshold = "amber from 0.06 %, red from 0.2 %"
    figure = f"{100 * share:.2g} % of all readings"
    return Finding(subject, _level(share, 6e-4, 2e-3), figure, threshold, why, advice)


def _field_of_view(level: float) -> Finding:
    threshold = "amber from 5 % of the scan's high values"
    figure = f"{100 * level:.1f} % at the edges of the detector"
    why = "a sample wider than the detector shifts all grey values by a constant"
    advice = "compare grey values within this volume alone"
    found: Level = "green" if level < 0.05 else "amber"
    return Finding("field of view", found, figure, threshold, why, advice)


def _motion(seam: float | None, movement: Movement) -> Finding:
    threshold = "amber from 0.3 px or 2.0, red from 1 px or 2.5"
    why = (
        "how far the sample leaves its circle or leaps, and how far the ends of the scan are from"
        " each other, in typical steps between neighbours"
    )
    advice = (
        "the sample moved, or the axis is off by a pixel: look at edges in a slice;"
        " align.method: auto moves projections onto each other"
    )
    level, figures = _level(movement.size_px, 0.3, 1.0), list[str]()
    if movement.how:
        figures.append(f"about {movement.size_px:.1f} px {movement.how}")
    if seam is not None:
        figures.append(f"ends {seam:.1f} steps apart")
        level = worst([level, _level(seam, 2.0, 2.5)])
    elif not movement.how:
        level = "unknown"
        figures.append("not measured: the angles do not end where they began")
    return Finding("motion", level, ", ".join(figures), threshold, why, advice)
