"""Angles as files state them: units, order, and how much of the circle they cover."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tomobatch.turn import FULL_TURN_RAD, HALF_TURN_RAD, typical_gap

Floats = NDArray[np.float64]

_LARGEST_SPAN_RAD = FULL_TURN_RAD * 1.02
"""Angles without a unit that span no more than a turn in radians are taken for radians."""
_UNITS_RAD = {
    "mrad": 1e-3,
    "urad": 1e-6,
    "µrad": 1e-6,
    "rad": 1.0,
    "mdeg": np.pi / 180e3,
    "deg": np.pi / 180,
    "°": np.pi / 180,
    "turn": FULL_TURN_RAD,
    "rev": FULL_TURN_RAD,
}
# A unit is doubted only where many angles make one or two half turns in the other one, to within
# one and a half steps.
_FEWEST_TO_DOUBT = 20
_END_STEPS = 1.5
_MOST_HALF_TURNS = 4


@dataclass(frozen=True)
class FoundAngles:
    """Angles as a file states them.

    Attributes
    ----------
    name
        Where they lie, for messages.
    angles_rad
        One a projection, if the file is right, shape (n,); NaN where it has none.
    notes
        What was made of a unit that cannot be right or is not known.
    """

    name: str
    angles_rad: Floats
    notes: tuple[str, ...] = ()


def to_radians(values: Floats, unit: str, name: str) -> FoundAngles:
    """Turn angles to radians.

    Parameters
    ----------
    values
        Angles, shape (n,).
    unit
        Their unit as the file gives it. Without one that is known, a span of at most one turn in
        radians means radians: as degrees it would be too little for any scan. A unit that
        contradicts the angles gives way: degrees of which many span 3.14 or 6.28, radians that
        span 180 or 360.
    name
        Where they lie, for messages.
    """
    known = next((one for one in _UNITS_RAD if unit.lower().startswith(one)), None)
    degrees, radians = np.asarray(np.deg2rad(values)), values
    if known is None:
        small = len(values) > 1 and _span(values) <= _LARGEST_SPAN_RAD
        note = (
            f"the unit {unit!r} of {name} is not known:"
            f" {'radians' if small else 'degrees'} are taken"
        )
        return FoundAngles(name, radians if small else degrees, (note,) if unit else ())
    if known == "deg" and not _is_turn(degrees) and _is_turn(radians):
        return FoundAngles(name, radians, (_swapped(name, unit, values, "radians"),))
    if known == "rad" and not _is_turn(radians) and _is_turn(degrees):
        return FoundAngles(name, degrees, (_swapped(name, unit, values, "degrees"),))
    return FoundAngles(name, np.asarray(values * _UNITS_RAD[known]))


def unwrapped(angles_rad: Floats) -> Floats:
    """Return angles that go one way but were written modulo a turn as they were taken.

    Angles that do not go one way, such as those of a golden ratio scan, come back as they are.
    """
    if _goes_one_way(angles_rad):
        return angles_rad
    smooth = np.unwrap(angles_rad)
    return np.asarray(smooth) if _goes_one_way(smooth) else angles_rad


def widest_gap_rad(angles_rad: Floats) -> tuple[float, float]:
    """Return the widest and the typical gap between directions, which half a turn holds all of.

    A parallel-beam projection and the one half a turn later show the same.

    Parameters
    ----------
    angles_rad
        Shape (angle,), in any order, over any number of turns.
    """
    folded = np.sort(np.mod(angles_rad, HALF_TURN_RAD))
    gaps = np.diff(folded, append=folded[0] + HALF_TURN_RAD)
    return float(gaps.max()), typical_gap(gaps)


def n_with_angles(angles_rad: Floats) -> int:
    """Return how many angles come before a tail that was never written: zeros, or NaN.

    An aborted scan leaves the end of a list that was made in full as it was filled at first.
    """
    unwritten = (angles_rad == 0) | np.isnan(angles_rad)
    n_written = len(angles_rad) - int(np.argmin(unwritten[::-1]))
    if unwritten.all() or len(angles_rad) - n_written < 2:
        return len(angles_rad)
    return n_written


def _goes_one_way(angles_rad: Floats) -> bool:
    steps = np.diff(angles_rad)
    return bool((steps >= 0).all() or (steps <= 0).all())


def _span(values: Floats) -> float:
    finite = values[np.isfinite(values)]
    return float(np.ptp(finite)) if finite.size else 0.0


def _is_turn(angles_rad: Floats) -> bool:
    """Whether many angles span one or a few half turns, with or without the last step."""
    n_angles = len(angles_rad)
    if n_angles < _FEWEST_TO_DOUBT:
        return False
    span = _span(angles_rad)
    half_turns = round(span / HALF_TURN_RAD + 0.5 / n_angles)
    off = abs(span - half_turns * HALF_TURN_RAD)
    return 1 <= half_turns <= _MOST_HALF_TURNS and off <= _END_STEPS * span / (n_angles - 1)


def _swapped(name: str, unit: str, values: Floats, taken: str) -> str:
    return (
        f"{name} spans {_span(values):.4g} and says {unit!r}, which cannot be; in {taken} it is a"
        f" number of half turns: {taken} are taken"
    )


def evenly_spaced(angles_rad: NDArray[np.float64]) -> bool:
    """Whether every step between angles is within half of the median one."""
    steps = np.diff(unwrapped(angles_rad))
    if not steps.size or not np.isfinite(steps).all():
        return False
    typical = float(np.median(steps))
    return typical != 0 and bool((np.abs(steps - typical) < 0.5 * abs(typical)).all())
