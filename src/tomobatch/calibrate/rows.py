"""Small operations on the sinogram of one detector row, shape (angle, x)."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Row = NDArray[np.float32]


def remove_slow_part(row: Row) -> Row:
    """Subtract what varies slowly along x: drift of the beam, and the bulk of a cut-off object."""
    width = row.shape[-1] // 32 * 2 + 1  # odd: an even window would shift the row by half a pixel
    slow = row
    for _ in range(2):
        slow = ndimage.uniform_filter1d(slow, width, axis=-1, mode="nearest")
    return row - slow


def faded(row: Row) -> Row:
    """Return the row faded out at both ends, where the slow part is known from one side only."""
    n_x = row.shape[-1]
    from_end = np.minimum(np.arange(n_x), np.arange(n_x)[::-1]) + 0.5
    part = np.clip(from_end / max(n_x // 16, 4), 0, 1)
    return np.asarray(row * (part * part * (3 - 2 * part)), dtype=np.float32)


def signal_level(row: Row) -> float:
    """Return the standard deviation of the row averaged over blocks of 8 pixels, all angles."""
    n_blocks = row.shape[1] // 8
    blocks = row[:, : 8 * n_blocks].reshape(len(row), n_blocks, 8).mean(axis=2)
    return float(blocks.std())


def one_an_angle(row: Row, runs: NDArray[np.intp] | None) -> Row:
    """Return the row with projections at one angle averaged, shape (different angle, x)."""
    if runs is None:
        return row
    counts = np.diff(runs, append=len(row)).astype(np.float32)
    return np.asarray(np.add.reduceat(row, runs, axis=0) / counts[:, None])
