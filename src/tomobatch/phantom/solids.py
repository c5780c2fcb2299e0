"""The analytic solids a phantom is made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Shape(IntEnum):
    """What a solid is; its axis of height is always parallel to the rotation axis."""

    ELLIPSOID = 0
    CYLINDER = 1
    BOX = 2


@dataclass(frozen=True)
class Solid:
    """One homogeneous solid, in pixels from the point where axis and middle row meet.

    Solids that overlap add up, so a cavity is a solid of negative attenuation.

    Attributes
    ----------
    shape
        Ellipsoid, elliptic cylinder or box.
    x_px, y_px, z_px
        The middle of the solid; z grows with the detector row.
    a_px, b_px, c_px
        Half lengths along its own first and second axis, and along z.
    angle_rad
        Angle from the x axis to the solid's first axis.
    attenuation_per_px
        What it adds to the linear attenuation coefficient, in 1/pixel.
    """

    shape: Shape
    x_px: float
    y_px: float
    z_px: float
    a_px: float
    b_px: float
    c_px: float
    angle_rad: float
    attenuation_per_px: float


def sphere(
    x_px: float, y_px: float, z_px: float, radius_px: float, attenuation_per_px: float
) -> Solid:
    """Make an ellipsoid of three equal half axes."""
    return Solid(Shape.ELLIPSOID, x_px, y_px, z_px, *(radius_px,) * 3, 0.0, attenuation_per_px)


def pack_solids(solids: Sequence[Solid]) -> NDArray[np.float64]:
    """Turn solids into the table (solid, field) that the kernels and the truth use."""
    fields = [tuple(vars(solid).values()) for solid in solids]
    return np.array(fields, dtype=np.float64).reshape(-1, len(Solid.__dataclass_fields__))


def unpack_solids(table: NDArray[np.float64]) -> tuple[Solid, ...]:
    """Turn a table of :func:`pack_solids` back into solids."""
    return tuple(Solid(Shape(int(row[0])), *map(float, row[1:])) for row in table)
