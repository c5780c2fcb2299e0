"""The unit of grey values: attenuation by pixel inside, by centimetre in the volume."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_UM_A_CM = 1e4

Values = TypeVar("Values", float, NDArray[np.float64])


def to_grey(values: Values, pixel_size_um: float | None) -> Values:
    """Turn attenuation in 1/pixel into the unit of the volume."""
    return values * _factor(pixel_size_um)


def to_grey_in_place(slices: NDArray[np.float32], pixel_size_um: float | None) -> None:
    """Turn slices in 1/pixel, float32 of any shape, into the unit of the volume."""
    slices *= np.float32(_factor(pixel_size_um))


def from_grey(values: Values, pixel_size_um: float | None) -> Values:
    """Turn attenuation in the unit of the volume into 1/pixel."""
    return values / _factor(pixel_size_um)


def grey_unit(pixel_size_um: float | None) -> str:
    """Return the unit of the volume: 1/cm, or 1/px where the pixel size is not known."""
    return "1/px" if pixel_size_um is None else "1/cm"


def _factor(pixel_size_um: float | None) -> float:
    return 1.0 if pixel_size_um is None else _UM_A_CM / pixel_size_um
