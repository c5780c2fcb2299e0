"""Angles as files state them."""

import numpy as np
from numpy.typing import NDArray

from tomobatch.errors import UserError

_LARGEST_SPAN_RAD = 2 * np.pi * 1.02
"""Angles without a unit that span no more than a turn in radians are taken for radians."""


def to_radians(values: NDArray[np.float64], unit: str, name: str) -> NDArray[np.float64]:
    """Turn angles to radians.

    Parameters
    ----------
    values
        Angles, shape (n,).
    unit
        Their unit as the file gives it: anything that begins with ``deg`` or ``rad``. Without,
        a span of at most one turn in radians means radians: as degrees it would be too little for
        any scan.
    name
        Where they lie, for messages.

    Raises
    ------
    UserError
        If they hold NaN or infinity.
    """
    if not np.isfinite(values).all():
        raise UserError(f"{name} holds NaN or infinity; give datasets.angle_range_deg instead")
    if unit.startswith("rad"):
        return values
    small = len(values) > 1 and np.ptp(values) <= _LARGEST_SPAN_RAD
    if small and not unit.startswith(("deg", "°")):
        return values
    return np.asarray(np.deg2rad(values))
