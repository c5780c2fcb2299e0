"""The outermost columns of a row: air, or a sample that reaches beyond the detector."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tomobatch.spread import median

AIR_FRACTION = 32  # the outermost 1/32 of the row at each side should be air
N_BLOCKS = 8  # of angles, whose medians tell a level from noise
OF_MEDIAN = 1.25  # the noise of a median, of that of a mean
LARGEST_OF_ALL = 1.8  # of as many medians of noise, in their standard deviation


@dataclass(frozen=True)
class Rim:
    """The levels of both ends of a row, as shares of the level in its middle.

    Attributes
    ----------
    level
        The largest of either end over the blocks of angles: near 0 for air.
    change
        Standard deviation over the blocks, both ends together: of air, the drift of the beam.

    Both are without what the row's noise adds to them.
    """

    level: float
    change: float

    @classmethod
    def of(cls, row: NDArray[np.float32], noise: float) -> "Rim | None":
        """Look at the sinogram of one row, shape (angle, x); None where it shows no object.

        ``noise`` is the standard deviation of its white noise.
        """
        within = float(np.percentile(row.mean(axis=0), 95))
        if within <= 0:
            return None
        blocks = np.array_split(row, min(N_BLOCKS, len(row)))
        levels = np.array([[median(end.ravel()) for end in ends_of(block)] for block in blocks])
        levels /= within
        by_noise = change_by_noise(noise / within, *row.shape)
        change = _without(float(np.linalg.norm(levels.std(axis=0))), by_noise)
        level = _without(float(np.abs(levels).max()), LARGEST_OF_ALL * by_noise / np.sqrt(2))
        return cls(round(level, 5), round(change, 5))


def change_by_noise(noise: float, n_angles: int, n_x: int) -> float:
    """Return what noise, as a share of the level in the middle, makes of the change at both ends.

    Parameters
    ----------
    noise
        Its standard deviation.
    n_angles, n_x
        Size of the sinogram.
    """
    n_values = max(n_angles // N_BLOCKS, 1) * max(n_x // AIR_FRACTION, 2)
    return float(OF_MEDIAN * noise * np.sqrt(2 / n_values))


def _without(size: float, noise: float) -> float:
    """Return a size whose square noise has added to."""
    return float(np.sqrt(max(size**2 - noise**2, 0.0)))


def ends_of(row: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the outermost columns at the left and at the right, shape (angle, x)."""
    n_air = max(row.shape[1] // AIR_FRACTION, 2)
    return row[:, :n_air], row[:, -n_air:]
