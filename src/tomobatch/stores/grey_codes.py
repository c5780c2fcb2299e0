"""Grey values as whole numbers, by one scale and one offset for a whole volume.

Decision 114.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tomobatch.arrays import Float32Array
from tomobatch.stores.settings import VolumeType
from tomobatch.units import to_grey

if TYPE_CHECKING:
    # Readers of a volume need no calibration, whose numerics take a second to import.
    from tomobatch.calibrate.calibration import Calibration

# Of the range of the values that calibration sampled: so much is added at each end, for those that
# it did not see. 16 bits have codes enough.
_MARGINS: dict[VolumeType, float] = {"uint8": 0.25, "uint16": 0.5}

SCALE, OFFSET = "scale_factor", "add_offset"
"""Attributes of an array, with which readers of the CF conventions undo it by themselves."""


@dataclass(frozen=True)
class GreyCodes:
    """How grey values are written as whole numbers: ``grey = offset + scale * code``.

    Attributes
    ----------
    dtype
        Type of a code.
    low, high
        Grey value of the lowest code, 0, and of the highest; what lies beyond becomes these.
    """

    dtype: VolumeType
    low: float
    high: float

    @property
    def highest(self) -> int:
        """The highest code."""
        return int(np.iinfo(self.dtype).max)

    @property
    def scale(self) -> float:
        """Grey values from one code to the next."""
        return (self.high - self.low) / self.highest

    def code_of(self, grey: float) -> float:
        """Return where a grey value lies among the codes, which need not be at one of them."""
        return (grey - self.low) / self.scale

    def encode(self, values: Float32Array) -> npt.NDArray[np.generic]:
        """Return the nearest code of each value, which are all finite."""
        codes = np.empty(values.shape, self.dtype)
        # Slice by slice: float64, as float32 has not digits enough for the ends of 16 bits.
        for out, one in zip(codes, values, strict=True):
            places = (one.astype(np.float64) - self.low) / self.scale
            np.clip(np.rint(places, out=places), 0, self.highest, out=places)
            out[...] = places
        return codes

    def n_outside(self, values: Float32Array) -> tuple[int, int]:
        """Return how many values lie below the lowest code's, and how many above the highest's."""
        return int(np.count_nonzero(values < self.low)), int(np.count_nonzero(values > self.high))

    def decode(self, codes: npt.NDArray[Any]) -> Float32Array:
        """Return the grey values of codes."""
        return np.asarray(self.low + self.scale * codes.astype(np.float64), np.float32)

    def attributes(self) -> dict[str, float]:
        """Return the attributes that undo it."""
        return {SCALE: self.scale, OFFSET: self.low}


def codes_for(
    dtype: VolumeType,
    window: tuple[float, float] | None,
    calibration: "Calibration",
    pixel_size_um: float | None,
) -> GreyCodes | None:
    """Settle how a volume is written, for all of its chunks and levels; None for float32.

    Without a given window, they hold all values that calibration sampled, with a fourth of their
    range more at each end in 8 bits and half of it in 16; and zero, which is what lies outside the
    field of view.

    Parameters
    ----------
    dtype, window
        As in the configuration, the window in the unit of the volume.
    calibration
        Of the scan, in 1/pixel.
    pixel_size_um
        Of the detector at the sample.
    """
    if dtype == "float32":
        return None
    if window is not None:
        return GreyCodes(dtype, *window)
    low, high = calibration.grey_window
    if calibration.histogram is not None:
        edges = calibration.histogram.edges
        margin = _MARGINS[dtype] * float(edges[-1] - edges[0])
        low, high = min(low, float(edges[0]) - margin), max(high, float(edges[-1]) + margin)
    low, high = (to_grey(end, pixel_size_um) for end in (min(low, 0.0), max(high, 0.0)))
    return GreyCodes(dtype, low, high)


def codes_in(attributes: Mapping[str, Any], dtype: np.dtype[Any]) -> GreyCodes | None:
    """Return how an array is written by its attributes; None where its values are the greys."""
    if SCALE not in attributes or dtype.kind != "u":
        return None
    low, scale = float(attributes[OFFSET]), float(attributes[SCALE])
    name: VolumeType = "uint8" if dtype.itemsize == 1 else "uint16"
    return GreyCodes(name, low, low + scale * int(np.iinfo(dtype.str).max))


def read_grey(array: Any, place: Any) -> Float32Array:  # noqa: ANN401  a zarr array of any type
    """Read a part of an array of a volume as grey values, float32, whatever it is written as."""
    values = np.asarray(array[place])
    codes = codes_in(array.attrs, values.dtype)
    return values.astype(np.float32, copy=False) if codes is None else codes.decode(values)
