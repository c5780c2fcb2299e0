"""The outermost columns of a row: air, or a sample that reaches beyond the detector."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

AIR_FRACTION = 32  # the outermost 1/32 of the row at each side should be air
N_BLOCKS = 8  # of angles, whose means tell a level from noise


@dataclass(frozen=True)
class Rim:
    """The levels of both ends of a row, as shares of the level in its middle.

    Attributes
    ----------
    level
        The largest of either end over the blocks of angles: near 0 for air.
    change
        Standard deviation over the blocks, both ends together: of air, the drift of the beam.
    """

    level: float
    change: float

    @classmethod
    def of(cls, row: NDArray[np.float32]) -> "Rim | None":
        """Look at the sinogram of one row, shape (angle, x); None where it shows no object."""
        within = float(np.percentile(row.mean(axis=0), 95))
        if within <= 0:
            return None
        blocks = np.array_split(row, min(N_BLOCKS, len(row)))
        levels = np.array([[np.median(end) for end in ends_of(block)] for block in blocks])
        levels /= within
        change = float(np.linalg.norm(levels.std(axis=0)))
        return cls(round(float(np.abs(levels).max()), 5), round(change, 5))


def ends_of(row: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the outermost columns at the left and at the right, shape (angle, x)."""
    n_air = max(row.shape[1] // AIR_FRACTION, 2)
    return row[:, :n_air], row[:, -n_air:]
