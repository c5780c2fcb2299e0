"""Columns of a sinogram sorted by value, and the way back.

Sorting each detector column by value lines up what a smooth object gives neighbouring columns, so
that a stripe stands out as a difference between neighbours of equal rank (Vo et al., 2018).

Decision 33.
"""

import numpy as np

from tomobatch.arrays import Float32Array, Int32Array
from tomobatch.compiled import compiled

# The float64 form of a float32 has 29 spare bits, and rounds back to it below half of their range.
_SPARE_BITS = 28
# Columns sorted in one go: their keys fit the L2 cache of a core.
_COLUMNS_AT_ONCE = 32


def sort_columns(columns: Float32Array) -> tuple[Float32Array, Int32Array]:
    """Sort each column by value.

    The angle index rides in the bits of a float64 that a float32 leaves unused, so that one sort of
    plain numbers, which numpy does with vector instructions, gives values and order.

    Parameters
    ----------
    columns
        float32 (x, angle), finite.

    Returns
    -------
    ranked, order
        float32 and int32 (x, rank): the sorted values, and the angle index of each.
    """
    n_angles = columns.shape[1]
    ranked = np.empty_like(columns)
    order = np.empty(columns.shape, np.int32)
    angle = np.arange(n_angles)
    for start in range(0, len(columns), _COLUMNS_AT_ONCE):
        some = slice(start, start + _COLUMNS_AT_ONCE)
        keys = columns[some].astype(np.float64)
        bits = keys.view(np.int64)
        bits |= angle
        keys.sort(axis=1)
        ranked[some] = keys
        order[some] = bits & ((1 << _SPARE_BITS) - 1)
    return ranked, order


def unsort_columns(ranked: Float32Array, order: Int32Array) -> Float32Array:
    """Return float32 (x, angle): every value of ``ranked`` (x, rank) back at its angle."""
    columns = np.empty_like(ranked)
    _scatter(ranked, order, columns)
    return columns


@compiled
def _scatter(ranked: Float32Array, order: Int32Array, columns: Float32Array) -> None:
    for x in range(ranked.shape[0]):
        for rank in range(ranked.shape[1]):
            columns[x, order[x, rank]] = ranked[x, rank]
