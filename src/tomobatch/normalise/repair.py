"""What stands in for bad pixels."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from tomobatch.arrays import BoolArray, Float32Array, Int32Array

N_NEIGHBOURS = 8
# Good pixels farther away than this stand in only where there is none nearer, and then alone.
_REACH_PX = 4


@dataclass(frozen=True)
class Repair:
    """Where each bad pixel takes its value from.

    Attributes
    ----------
    pixels
        int32 (bad,), each bad pixel as y * n_x + x, ascending.
    neighbours
        int32 (bad, 8), the nearest good pixels, likewise; where fewer are within reach, some
        good pixel with a weight of zero.
    weights
        float32 (bad, 8), their shares, falling with the square of the distance; each row adds up
        to 1.
    """

    pixels: Int32Array
    neighbours: Int32Array
    weights: Float32Array


def plan_repair(bad: BoolArray) -> Repair:
    """Choose the good neighbours of every bad pixel of a mask bool (y, x) with a good pixel."""
    y, x = np.nonzero(bad)
    n_y, n_x = bad.shape
    first_good = int(np.argmin(bad))
    neighbours = np.full((len(y), N_NEIGHBOURS), first_good, np.int32)
    weights = np.zeros((len(y), N_NEIGHBOURS))
    n_found = np.zeros(len(y), int)
    for dy, dx in _offsets_by_distance():
        near_y, near_x = y + dy, x + dx
        inside = (near_y >= 0) & (near_y < n_y) & (near_x >= 0) & (near_x < n_x)
        usable = inside & (n_found < N_NEIGHBOURS)
        usable[usable] = ~bad[near_y[usable], near_x[usable]]
        place = n_found[usable]
        neighbours[usable, place] = near_y[usable] * n_x + near_x[usable]
        weights[usable, place] = 1 / (dy**2 + dx**2)
        n_found += usable
    alone = n_found == 0
    if alone.any():
        neighbours[alone, 0] = _nearest_good(bad)[y[alone], x[alone]]
        weights[alone, 0] = 1
    weights /= weights.sum(axis=1, keepdims=True)
    return Repair((y * n_x + x).astype(np.int32), neighbours, weights.astype(np.float32))


def _nearest_good(bad: BoolArray) -> Int32Array:
    """Return int32 (y, x), the nearest good pixel of each as y * n_x + x."""
    y, x = ndimage.distance_transform_edt(bad, return_distances=False, return_indices=True)
    return np.asarray(y * bad.shape[1] + x, np.int32)


def _offsets_by_distance() -> list[tuple[int, int]]:
    """Return (dy, dx) of the pixels within reach, nearest first."""
    side = range(-_REACH_PX, _REACH_PX + 1)
    offsets = [(dy, dx) for dy in side for dx in side if 0 < dy**2 + dx**2 <= _REACH_PX**2]
    return sorted(offsets, key=lambda offset: offset[0] ** 2 + offset[1] ** 2)
