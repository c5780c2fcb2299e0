"""What a user should know before trusting the axis that was found."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tomobatch.calibrate.comparison import LIKELY_SLOPE
from tomobatch.calibrate.consensus import Check, MethodResult, contradicting
from tomobatch.calibrate.line import Line
from tomobatch.calibrate.movement import STANDS_STILL, Movement

ADVICE = "look at the slices, and give calibrate.cor_px if they are doubled"
MOVED_ADVICE = (
    "no axis makes the slices sharp; align.method: auto moves projections onto each other, or leave"
    " out one side of the movement"
)
BLURRED_ADVICE = "align.method: auto moves projections onto each other"
# Of the cor, one standard deviation: a seventh of such are off by more than a quarter of a pixel.
LARGEST_ERROR_PX = 0.17
MOVED_ERROR_PX = 0.1  # of a sample that moves, told of as well
LOOSE_PX = 0.5  # a method that another comes no closer to is not borne out to a quarter of a pixel
LARGEST_EDGE_ERROR_PX = 0.25  # of the cor in the outermost rows, two standard deviations
# Of the tilt: a tenth of such are off by more than 0.02 degrees.
ROWS_FOR_FINE_TILT, LARGEST_TILT_ERROR_DEG = 64, 0.0122
FAR_SHARE = 0.1  # of the width
NO_TILT = "the tilt cannot be told from this scan and is taken as 0; give calibrate.tilt_deg"


@dataclass(frozen=True)
class Belief:
    """What is believed of the cor, and why.

    Attributes
    ----------
    cor_px, error_px
        The cor, and its standard deviation with what no method sees.
    methods, method, check
        All results, the one believed, and the one that was held against it.
    stands_alone
        Whether it needs no other method to bear it out.
    movement
        Of the sample.
    """

    cor_px: float
    error_px: float
    methods: Mapping[str, MethodResult]
    method: str
    check: Check | None
    stands_alone: bool = False
    movement: Movement = STANDS_STILL


def far_from_stated(
    line: Line | None, check: Check | None, stated_px: float | None, n_x: int
) -> list[str]:
    """Return a line about an axis that one method alone sees far from where the scan says.

    Parameters
    ----------
    line, check
        The axis that was found, and the method that was held against it; None without.
    stated_px
        Where the scan says that the axis is; None if it does not.
    n_x
        Columns of the detector.
    """
    if line is None or stated_px is None or check is not None:
        return []
    if abs(line.mid_px - stated_px) <= FAR_SHARE * n_x:
        return []
    return [
        f"cor {line.mid_px:.2f} px, which one method alone sees, is far from column"
        f" {stated_px:.2f}, where the scan has it; if slices are doubled, give that as"
        " calibrate.cor_px"
    ]


def doubts(belief: Belief, line: Line, lines: Mapping[str, Line], n_rows: int) -> list[str]:
    """Return a line for each thing about the axis that is not certain.

    Parameters
    ----------
    belief
        About the cor at the middle row.
    line
        cor(row) as it will be used.
    lines
        cor(row) by each method.
    n_rows
        Detector rows of the scan.
    """
    told = [_cor_doubt(belief), _tilt_doubt(line, lines, n_rows)]
    return [text for text in told if text]


def _cor_doubt(belief: Belief) -> str:
    check = belief.check
    told = f"cor {belief.cor_px:.2f} px by {belief.method}"
    known = f"{told} is known to {2 * belief.error_px:.2f} px only"
    movement = belief.movement
    moves = f"the sample moves by about {movement.size_px:.1f} px {movement.how}"
    if movement.error_px > LARGEST_ERROR_PX:
        return f"{known}: {moves}; {MOVED_ADVICE}"
    if check is None and not belief.stands_alone:
        return f"{told} could not be checked by a second method; {ADVICE}"
    surer = contradicting(belief.methods, belief.method)
    if check is not None and not check.agrees and (check.contradicts or not belief.stands_alone):
        surer = check
    if surer is not None:
        return (
            f"{told} is not borne out: {surer.method} finds {surer.cor_px:.2f} px, "
            f"{abs(surer.difference_px):.2f} px away; {ADVICE}"
        )
    if movement.how and belief.error_px > MOVED_ERROR_PX:
        return f"{known}, and the slices are blurred: {moves}; {BLURRED_ADVICE}"
    if belief.error_px > LARGEST_ERROR_PX:
        return f"{known}; {ADVICE}"
    if check is not None and not belief.stands_alone and abs(check.difference_px) > LOOSE_PX:
        return (
            f"{told} is borne out loosely: {check.method} finds {check.cor_px:.2f} px, "
            f"{abs(check.difference_px):.2f} px away; {ADVICE}"
        )
    return ""


def _tilt_doubt(line: Line, lines: Mapping[str, Line], n_rows: int) -> str:
    height = n_rows - 1
    if n_rows < 2 or height == 0:
        return ""
    tilt_deg = math.degrees(math.atan(line.slope))
    if line.slope_sigma is None:
        return NO_TILT if LIKELY_SLOPE * height > LARGEST_EDGE_ERROR_PX else ""
    sigma_deg = math.degrees(line.slope_sigma)
    edge_px = line.slope_sigma * height / 2
    if 2 * edge_px > LARGEST_EDGE_ERROR_PX or (
        n_rows >= ROWS_FOR_FINE_TILT and sigma_deg > LARGEST_TILT_ERROR_DEG
    ):
        return (
            f"tilt {tilt_deg:.3f} degrees is known to {2 * sigma_deg:.3f} degrees only, "
            f"{2 * edge_px:.2f} px of the cor in the outermost rows; give calibrate.tilt_deg if "
            "those are doubled"
        )
    for method, other in lines.items():
        if other.slope_sigma is None or method in ("moments", "sharpness"):
            continue
        apart = abs(other.slope - line.slope)
        if (
            apart > 3 * float(np.hypot(other.slope_sigma, line.slope_sigma))
            and apart * height > 0.5
        ):
            other_deg = math.degrees(math.atan(other.slope))
            return (
                f"tilt {tilt_deg:.3f} degrees is not borne out: {method} finds {other_deg:.3f}; "
                "look at the first and the last slices"
            )
    return ""
