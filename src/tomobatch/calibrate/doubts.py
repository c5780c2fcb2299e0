"""What a user should know before trusting the axis that was found."""

import math
from collections.abc import Mapping

import numpy as np

from tomobatch.calibrate.consensus import Check, MethodResult, contradicting
from tomobatch.calibrate.line import Line

ADVICE = "look at the slices, and give calibrate.cor_px if they are doubled"
LARGEST_ERROR_PX = 0.12  # of the cor, one standard deviation: half of what still costs sharpness
LARGEST_EDGE_ERROR_PX = 0.25  # of the cor in the outermost rows, two standard deviations
ROWS_FOR_FINE_TILT, LARGEST_TILT_ERROR_DEG = 64, 0.02
NO_TILT = "the tilt cannot be told from this scan and is taken as 0; give calibrate.tilt_deg"


def doubts(
    methods: Mapping[str, MethodResult],
    method: str,
    check: Check | None,
    line: Line,
    lines: Mapping[str, Line],
    n_rows: int,
) -> list[str]:
    """Return a line for each thing about the axis that is not certain.

    Parameters
    ----------
    methods, method, check
        All results, the one believed, and the one that was held against it.
    line
        cor(row) as it will be used.
    lines
        cor(row) by each method.
    n_rows
        Detector rows of the scan.
    """
    told = [_cor_doubt(methods, method, check), _tilt_doubt(line, lines, n_rows)]
    return [text for text in told if text]


def _cor_doubt(methods: Mapping[str, MethodResult], method: str, check: Check | None) -> str:
    chosen = methods[method]
    told = f"cor {chosen.cor_px:.2f} px by {method}"
    if check is None:
        return f"{told} could not be checked by a second method; {ADVICE}"
    surer = contradicting(methods, method) if check.agrees else check
    if surer is not None:
        return (
            f"{told} is not borne out: {surer.method} finds {surer.cor_px:.2f} px, "
            f"{abs(surer.difference_px):.2f} px away; {ADVICE}"
        )
    if chosen.error_px > LARGEST_ERROR_PX:
        return f"{told} is known to {2 * chosen.error_px:.2f} px only; {ADVICE}"
    return ""


def _tilt_doubt(line: Line, lines: Mapping[str, Line], n_rows: int) -> str:
    height = n_rows - 1
    if n_rows < 2 or height == 0:
        return ""
    tilt_deg = math.degrees(math.atan(line.slope))
    if line.slope_sigma is None:
        if n_rows < ROWS_FOR_FINE_TILT:
            return ""
        return NO_TILT
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
