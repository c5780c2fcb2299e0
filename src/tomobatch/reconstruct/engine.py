"""What a method of reconstruction offers, and what it says of itself."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tomobatch.arrays import Float32Array, Float64Array
from tomobatch.opencl.devices import Device
from tomobatch.reconstruct.geometry import Geometry
from tomobatch.reconstruct.settings import ReconstructSettings


class Engine(Protocol):
    """Reconstructs up to ``lanes`` slices at a time."""

    lanes: int

    def __call__(
        self,
        sinograms: Float32Array,
        cor_px: Float64Array,
        out: Float32Array,
        first_row: int = 0,
    ) -> None:
        """Reconstruct sinograms (row, angle, x) into ``out`` (row, ny, nx), both C-contiguous.

        ``first_row`` is the number of the first row, for messages.
        """
        ...


@dataclass(frozen=True)
class Method:
    """A method of reconstruction: everything that choosing, sizing and running it takes.

    Attributes
    ----------
    name
        As in the configuration.
    lanes
        The numbers of slices that a block may have, the most first.
    well_filled
        Slices of a block with which a CPU computes well; with fewer it takes too long for each.
    make
        Returns the engine for a device, a geometry, so many lanes and what the user chose.
    buffer_bytes
        Returns the sizes of the device buffers of a block of so many lanes, without the tables that
        all blocks share; never less than what the engine takes.
    work
        Returns how much there is to do for one slice, in the terms of the cost table.
    """

    name: str
    lanes: tuple[int, ...]
    well_filled: int
    make: Callable[[Device, Geometry, int, ReconstructSettings], Engine]
    buffer_bytes: Callable[[Geometry, int], list[int]]
    work: Callable[[Geometry], dict[str, float]]
