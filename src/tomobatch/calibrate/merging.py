"""Half acquisition: whether the sides of an axis near the edge are merged, and what is said.

In a full turn every direction is seen twice, once from either side, so a sample may be twice as
wide as what the detector sees beyond an axis near its edge.

Decision 53.
"""

from typing import Literal

from tomobatch.calibrate.line import Line

Merging = Literal["done", "where needed", "half by its file", "off", "not possible"]
"""Settled before; up to calibration, without or with a file that says so; switched off by the user;
or left alone, as the width of the slices is given."""

# Of the width: with less than this on one side of the axis, the other side sees twice as far; and
# what is left of a doubt where the file says that it was taken so.
NARROW_SIDE = 0.33
_NARROW_SIDE_BY_ITS_FILE = 0.45


def settle_merging(
    line: Line, n_x: int, merging: Merging, *, is_full_turn: bool
) -> tuple[bool, list[str]]:
    """Return whether the halves are merged, and what to say about it.

    Parameters
    ----------
    line
        The axis that is used.
    n_x
        Columns of the detector.
    merging
        What was settled before.
    is_full_turn
        Whether the scan covers 360 degrees.
    """
    if merging == "done":
        return True, []
    side_px = min(line.mid_px, n_x - 1 - line.mid_px)
    narrow = _NARROW_SIDE_BY_ITS_FILE if merging == "half by its file" else NARROW_SIDE
    if not is_full_turn or side_px >= narrow * n_x:
        return False, []
    where = f"half acquisition: a full turn about an axis {side_px:.1f} px from the detector's edge"
    alone = "the slices hold what lies near the axis only"
    if merging == "off":
        return False, [f"{where}, and reconstruct.half_acquisition is false: {alone}"]
    if merging == "not possible":
        advice = "give reconstruct.half_acquisition: true, with a size_px or roi_px of"
        return False, [f"{where}: {alone}; {advice} slices that are {2 * n_x} px wide"]
    return True, [
        f"{where}: its halves are merged, and the slices are {2 * n_x} px wide;"
        " reconstruct.half_acquisition: false keeps them apart"
    ]
