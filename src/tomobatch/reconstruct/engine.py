"""What a method of reconstruction offers: blocks of slices, all with one geometry."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from tomobatch.reconstruct.geometry import FloatArray

Float32Array = npt.NDArray[np.float32]


class Engine(Protocol):
    """Reconstructs up to ``lanes`` slices at a time."""

    lanes: int

    def __call__(
        self,
        sinograms: Float32Array,
        cor_px: FloatArray,
        out: Float32Array,
        first_row: int = 0,
    ) -> None:
        """Reconstruct sinograms (row, angle, x) into ``out`` (row, ny, nx), both C-contiguous.

        ``first_row`` is the number of the first row, for messages.
        """
        ...
