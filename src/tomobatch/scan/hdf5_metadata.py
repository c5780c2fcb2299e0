"""Figures of HDF5 files that may be negative, or be given once for all pictures."""

import h5py
import numpy as np
from numpy.typing import NDArray

from tomobatch.scan.hdf5 import read_unit
from tomobatch.scan.hdf5_links import get_item
from tomobatch.scan.units import length_um


def read_length_mm(file: h5py.Group, usual: str, *paths: str) -> float | None:
    """Read the first of the paths that holds a distance other than zero, in mm without its sign.

    Files give a source upstream of the sample a negative distance. ``usual`` is the unit meant
    where none is given.
    """
    for path in paths:
        dataset = get_item(file, path)
        if (
            not isinstance(dataset, h5py.Dataset)
            or dataset.size == 0
            or dataset.dtype.kind not in "iuf"
        ):
            continue
        value = abs(float(np.median(np.asarray(dataset[()], np.float64))))
        length = length_um(value, read_unit(dataset), usual)
        if length is not None and np.isfinite(length) and length > 0:
            return length / 1e3
    return None


def read_array(file: h5py.Group, n_values: int, *paths: str) -> NDArray[np.float64] | None:
    """Read the first of the paths that holds so many numbers, float64 (n_values,)."""
    for path in paths:
        dataset = get_item(file, path)
        if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "iuf":
            continue
        if dataset.size == n_values > 1:
            return np.asarray(dataset[()], np.float64).reshape(-1)
    return None
