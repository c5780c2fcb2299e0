"""Values between the pixels of pictures, compiled by numba."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tomobatch.arrays import Float32Array
from tomobatch.compiled import compiled


@compiled
def interpolate(
    pictures: NDArray[Any],
    first_row: int,
    columns: Float32Array,
    rows: Float32Array,
    end: float,
    out: Float32Array,
) -> None:
    """Interpolate pictures at the same places, linearly in both directions.

    Where a pixel that has a share is saturated, the value is as well.

    Parameters
    ----------
    pictures : (n, row, column)
        From row ``first_row`` on.
    columns, rows : float32 (y, x)
        Within the pictures.
    end
        What a saturated pixel reads.
    out : float32 (n, y, x)
    """
    last_row, last_column = pictures.shape[1] - 1, pictures.shape[2] - 1
    for n in range(len(pictures)):
        for i in range(out.shape[1]):
            for j in range(out.shape[2]):
                row, column = int(rows[i, j]), int(columns[i, j])
                down, right = rows[i, j] - row, columns[i, j] - column
                row -= first_row
                # Whole places have no neighbour with a share, nor need one.
                below = row + 1 if down > 0.0 and row < last_row else row
                beside = column + 1 if right > 0.0 and column < last_column else column
                above_left, above_right = pictures[n, row, column], pictures[n, row, beside]
                below_left, below_right = pictures[n, below, column], pictures[n, below, beside]
                above = above_left + right * (float(above_right) - above_left)
                under = below_left + right * (float(below_right) - below_left)
                value = above + down * (under - above)
                if max(max(above_left, above_right), max(below_left, below_right)) >= end:
                    value = end
                out[n, i, j] = np.float32(value)
