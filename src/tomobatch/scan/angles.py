"""Angles as files state them."""

import numpy as np
from numpy.typing import NDArray

from tomobatch.errors import UserError

_LARGEST_SPAN_RAD = 2 * np.pi * 1.02
"""Angles without a unit that span no more than a turn in radians are taken for radians."""


def to_radians(values: NDArray[np.float64], unit: str = "") -> NDArray[np.float64]:
    """Turn angles to radians.

    Parameters
    ----------
    values
        Angles, shape (n,).
    unit
        Their unit as the file gives it: anything that begins with ``deg`` or ``rad``. Without one,
        a span of at most one turn in radians means radians: as degrees it would be too little for
        any scan.
    """
    if not np.isfinite(values).all():
        raise UserError("the angles hold NaN or infinity; give datasets.angle_range_deg instead")
    if unit.startswith("rad"):
        return values
    if unit.startswith(("deg", "°")) or np.ptp(values) > _LARGEST_SPAN_RAD:
        return np.asarray(np.deg2rad(values))
    return values if len(values) > 1 else np.asarray(np.deg2rad(values))
