"""What the calls on sinograms in memory check of what they are given."""

from typing import get_args

import numpy as np
import numpy.typing as npt

from tomobatch.arrays import Float32Array
from tomobatch.errors import UserError
from tomobatch.opencl.kind import DeviceKind
from tomobatch.reconstruct.settings import FbpName, FilterName, Padding
from tomobatch.turn import refuse_degrees

_CHOICES = {"method": FbpName, "filter": FilterName, "padding": Padding, "device": DeviceKind}


def check_stack(sinograms: npt.ArrayLike, angles_rad: npt.ArrayLike) -> Float32Array:
    """Return sinograms as float32 (y, angle, x), one of each angle.

    Raises
    ------
    UserError
        Angles in degrees, or another number of them than of projections; not three axes.
    """
    refuse_degrees(angles_rad)
    rows = np.asarray(sinograms, dtype=np.float32)
    if rows.ndim != 3 or rows.size == 0:
        raise UserError(f"sinograms: shape {rows.shape} is not (y, angle, x)")
    n_angles = np.size(angles_rad)
    if n_angles != rows.shape[1]:
        raise UserError(f"angles_rad: {n_angles} angles for {rows.shape[1]} projections")
    return rows


def check_choices(**chosen: str) -> None:
    """Raise a UserError where the value of an option is not one of its choices."""
    for key, value in chosen.items():
        choices = get_args(_CHOICES[key])
        if value not in choices:
            raise UserError(f"{key}: '{value}' is not one of {', '.join(choices)}")
