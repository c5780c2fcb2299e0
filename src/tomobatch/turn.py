"""What a turn of the sample is: the order and the spacing of its angles, and when it is full."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tomobatch.errors import UserError

Floats = NDArray[np.float64]

HALF_TURN_RAD = np.pi
FULL_TURN_RAD = 2 * np.pi
# Half acquisition fills a gap of the full turn from the other side, where both sides overlap; what
# lies beyond the overlap has a missing wedge there. A gap wider than this is no full turn.
WIDEST_GAP_RAD = np.pi / 4
_AS_DEGREES = (100.0, 370.0)
_GOLDEN_STEPS_RAD = (1.9, 2.5)
_ALIKE = 0.05  # of the typical gap: angles closer than this are one angle


def covers_full_turn(angles_rad: Floats) -> bool:
    """Whether the angles go once around: no gap on the circle of 2 pi is wider than 45 degrees.

    Parameters
    ----------
    angles_rad
        Shape (angle,), in any order, over any number of turns.
    """
    return bool(_gaps(np.sort(np.mod(angles_rad, FULL_TURN_RAD))).max() <= WIDEST_GAP_RAD)


def typical_gap(gaps: Floats) -> float:
    """Return the gap that half of the measured part of the circle lies in gaps no wider than.

    Counted by width, not by number: angles taken many times over leave many gaps next to nothing.
    The widest gap may be a missing wedge and is left out.
    """
    rest = np.sort(gaps)[:-1]
    if not rest.any():
        return float(gaps.max())
    return float(rest[np.searchsorted(np.cumsum(rest), rest.sum() / 2)])


def angle_step(angles_rad: Floats) -> float:
    """Return the typical step between neighbours of rising angles, in radians."""
    return typical_gap(np.diff(angles_rad, append=angles_rad[-1]))


def around(angles_rad: Floats) -> tuple[NDArray[np.intp] | slice | None, Floats]:
    """Return how to order projections so that they go around once, and their angles so ordered.

    Angles of one turn in rising or falling order stay as they are, or are reversed. Others are
    folded onto the circle and begin after its widest gap, so that the angles rise from there on.

    Parameters
    ----------
    angles_rad
        Shape (angle,), in any order, over any number of turns.

    Returns
    -------
    The order, as an index (None for the order at hand); and the angles, rising, of which several
    may be the same.
    """
    steps = np.diff(angles_rad)
    if np.ptp(angles_rad) <= FULL_TURN_RAD + 1e-6:
        if (steps > 0).all():
            return None, angles_rad
        if (steps < 0).all():
            return slice(None, None, -1), angles_rad[::-1]
    folded = np.mod(angles_rad, FULL_TURN_RAD)
    ordered = np.sort(folded)
    last = int(np.argmax(_gaps(ordered)))
    first_rad = ordered[(last + 1) % len(ordered)]
    # An angle that rounding folds to just below the first one must not go to the end.
    rising = np.mod(folded - first_rad + 1e-9, FULL_TURN_RAD) - 1e-9
    order = np.argsort(rising, kind="stable")
    return order, first_rad + rising[order]


def is_in_time(order: NDArray[np.intp] | slice | None) -> bool:
    """Tell of an order of ``around`` whether neighbours in angle were taken one after the other.

    But for one place, where a turn begins.
    """
    if order is None or isinstance(order, slice):
        return True
    return int(np.count_nonzero(np.abs(np.diff(order)) != 1)) <= 1


def runs_of_one_angle(angles_rad: Floats) -> NDArray[np.intp] | None:
    """Return where each run of projections at one angle begins; None where no two are alike.

    Parameters
    ----------
    angles_rad
        Shape (angle,), rising.
    """
    steps = np.diff(angles_rad)
    apart = steps > _ALIKE * angle_step(angles_rad)
    if apart.all():
        return None
    return np.flatnonzero(np.concatenate([[True], apart]))


def _gaps(ordered_rad: Floats) -> Floats:
    """Return the gap after each angle on the circle of 2 pi."""
    return np.diff(ordered_rad, append=ordered_rad[0] + FULL_TURN_RAD)


def refuse_degrees(angles_rad: ArrayLike) -> None:
    """Refuse angles that can only be degrees where radians are asked for.

    Half a turn or a full one in degrees, read as radians, is 28 or 57 turns. Scans of so many turns
    exist, but in steps of a golden angle (1.94 or 2.4 radians), which are taken.

    Raises
    ------
    UserError
        If they run over 100 to 370 in other steps.
    """
    angles = np.asarray(angles_rad, dtype=np.float64).ravel()
    if len(angles) < 2 or not np.isfinite(angles).all():
        return
    span, step = float(np.ptp(angles)), float(np.median(np.abs(np.diff(angles))))
    golden = _GOLDEN_STEPS_RAD[0] <= step <= _GOLDEN_STEPS_RAD[1]
    if _AS_DEGREES[0] <= span <= _AS_DEGREES[1] and not golden:
        raise UserError(
            f"angles_rad run from {angles.min():g} to {angles.max():g}, {span / FULL_TURN_RAD:.0f} "
            "turns in radians: they look like degrees; give np.deg2rad(angles)"
        )
