"""A centre of rotation that is given, beside what the scan shows of it."""

from collections.abc import Iterator

from tomobatch.calibrate.line import Line
from tomobatch.columns import Columns

# Nearer, what is given is the axis that the scan shows; beyond, it may count other pixels.
_NEAR_PX = 1.5


def told_of_given(given_px: float | None, found: Line | None, columns: Columns) -> Iterator[str]:
    """Say which column of the detector is meant, where it has another number than it has here.

    A centre that was read off pictures as they are stored is right in them and wrong in those that
    are taken: where the scan shows its axis just there, that is said with the number to give.

    Parameters
    ----------
    given_px
        The centre of rotation in columns of the scan; None is none.
    found
        The axis by the evidence.
    columns
        Where those of the scan lie on the detector.
    """
    if given_px is None or columns.are_the_detectors:
        return
    told = (
        f"calibrate.cor_px: {given_px:g} counts columns as they are taken, and is column"
        f" {columns.on_detector(given_px):g} of the detector"
    )
    meant_px = columns.of_detector(given_px)
    if found is not None and abs(found.mid_px - meant_px) < _NEAR_PX < abs(found.mid_px - given_px):
        told += (
            f"; the scan shows its axis at {found.mid_px:.2f}, and column {given_px:g} of the"
            f" detector is {meant_px:.2f}: give that, if it was meant"
        )
    yield told
