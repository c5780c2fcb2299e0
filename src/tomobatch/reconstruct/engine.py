"""What a method of reconstruction offers, and what it says of itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from tomobatch.arrays import Float32Array, Float64Array
from tomobatch.opencl.devices import Device
from tomobatch.reconstruct.geometry import Geometry
from tomobatch.reconstruct.settings import ReconstructSettings


@dataclass(frozen=True, eq=False)
class Convergence:
    """How the iterations of a block went.

    Attributes
    ----------
    residuals : float64 (row, step)
        What the slice leaves of the measured rays, over their norm, at the start and after every
        iteration; held from where a slice has stopped.
    n_iterations : int (row,)
        After how many a slice stopped.
    noise : float64 (row,)
        The residual that the noise of the rays alone would leave.
    unreached : int
        Slices that did not come down to the residual that was asked for.
    """

    residuals: Float64Array
    n_iterations: npt.NDArray[np.int64]
    noise: Float64Array
    unreached: int = 0


def summarise(blocks: Sequence[Convergence]) -> dict[str, Any] | None:
    """Return how the iterations of some blocks went, as plain JSON values; None if there were none.

    ``residuals`` has the least, the median and the greatest of all slices after every iteration,
    ``noise`` the median, ``iterations`` the least and the greatest number.
    """
    if not blocks:
        return None
    n_steps = max(block.residuals.shape[1] for block in blocks)
    every = np.concatenate(
        [
            np.pad(one.residuals, ((0, 0), (0, n_steps - one.residuals.shape[1])), mode="edge")
            for one in blocks
        ]
    )
    counts = np.concatenate([block.n_iterations for block in blocks])
    return {
        "residuals": np.quantile(every, (0, 0.5, 1), axis=0).tolist(),
        "noise": float(np.median(np.concatenate([block.noise for block in blocks]))),
        "iterations": [int(counts.min()), int(counts.max())],
        "slices": len(counts),
        "unreached": sum(block.unreached for block in blocks),
    }


class BufferBytes(Protocol):
    """Tells the sizes of the device buffers of a block."""

    def __call__(self, geometry: Geometry, lanes: int, *, on_device: bool) -> list[int]:
        """Return bytes by buffer; ``on_device`` where the device transforms by itself."""
        ...


class Engine(Protocol):
    """Reconstructs up to ``lanes`` slices at a time."""

    lanes: int

    def __call__(
        self,
        sinograms: Float32Array,
        cor_px: Float64Array,
        out: Float32Array,
        first_row: int = 0,
    ) -> Convergence | None:
        """Reconstruct sinograms (row, angle, x) into ``out`` (row, ny, nx), both C-contiguous.

        ``first_row`` is the number of the first row, for messages. Methods that iterate tell how
        they converged.
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
        Returns how much there is to do for one slice, of a method that iterates in one iteration,
        in the terms of the cost table.
    """

    name: str
    lanes: tuple[int, ...]
    well_filled: int
    make: Callable[[Device, Geometry, int, ReconstructSettings], Engine]
    buffer_bytes: BufferBytes
    work: Callable[[Geometry], dict[str, float]]
