"""Figures of HDF5 files that may be negative, or be given once for all pictures."""

from collections.abc import Iterator

import h5py
import numpy as np
from numpy.typing import NDArray

from tomobatch.scan.hdf5 import read_unit
from tomobatch.scan.hdf5_links import get_item
from tomobatch.scan.units import Figure, distance_mm, pixel_um


def read_source_mm(file: h5py.Group, usual: str, *paths: str) -> Figure:
    """Read the first of the paths that holds the source's distance, in mm without its sign.

    Files give a source upstream of the sample a negative distance. ``usual`` is the unit meant
    where none is given; a distance that cannot be is noted.
    """
    key = "datasets.cone.source_to_axis_mm of a cone beam"
    return _read_distance(file, "a distance of the source", usual, key, paths)


def read_detector_mm(file: h5py.Group, usual: str, *paths: str) -> Figure:
    """Read the detector's distance from the sample; as :func:`read_source_mm`."""
    key = "phase.distance_mm or, of a cone beam, datasets.cone.source_to_detector_mm"
    return _read_distance(file, "a distance of the detector", usual, key, paths)


def read_pixel_mm(file: h5py.Group, *paths: str) -> float | None:
    """Read the first of the paths that holds the size of a pixel with its unit, in mm."""
    sizes = [pixel_um(value, unit, "") for value, unit in _lengths(file, paths)]
    return next((size.value / 1e3 for size in sizes if size.value and not size.note), None)


def _read_distance(
    file: h5py.Group, what: str, usual: str, key: str, paths: tuple[str, ...]
) -> Figure:
    found = [distance_mm(what, *length, usual, key) for length in _lengths(file, paths)]
    sound = [figure for figure in found if figure.note is None]
    return next(iter([*sound, *found]), Figure())


def _lengths(file: h5py.Group, paths: tuple[str, ...]) -> Iterator[tuple[float, str]]:
    """Yield the numbers of the paths other than zero, without their signs, and their units."""
    for path in paths:
        dataset = get_item(file, path)
        if (
            not isinstance(dataset, h5py.Dataset)
            or dataset.size == 0
            or dataset.dtype.kind not in "iuf"
        ):
            continue
        value = abs(float(np.median(np.asarray(dataset[()], np.float64))))
        if np.isfinite(value) and value > 0:
            yield value, read_unit(dataset)


def read_array(file: h5py.Group, n_values: int, *paths: str) -> NDArray[np.float64] | None:
    """Read the first of the paths that holds so many numbers, float64 (n_values,)."""
    for path in paths:
        dataset = get_item(file, path)
        if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "iuf":
            continue
        if dataset.size == n_values > 1:
            return np.asarray(dataset[()], np.float64).reshape(-1)
    return None
