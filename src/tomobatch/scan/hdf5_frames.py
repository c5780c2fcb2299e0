"""Pictures of HDF5 datasets, read by range."""

from collections.abc import Hashable
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from tomobatch.errors import UserError
from tomobatch.scan.hdf5 import file_name
from tomobatch.scan.hdf5_links import Found, check_sources, identity

_FIRST_PLUGIN_FILTER = 256
"""HDF5 itself brings the filters with lower numbers; hdf5plugin brings the others."""


class Hdf5Frames:
    """Pictures of an HDF5 dataset: all of them, or those of the given indices in this order."""

    def __init__(self, found: Found, indices: NDArray[np.int64] | None = None) -> None:
        dataset = found.dataset
        self.name: str = found.path
        self._file: str = file_name(dataset)
        # Some writers keep a fourth axis of length one between pictures and rows.
        self._flattened = dataset.ndim == 4 and dataset.shape[1] == 1
        if dataset.ndim not in (2, 3) and not self._flattened:
            raise UserError(
                f"{self._file}: {self.name} has shape {dataset.shape},"
                " but pictures come as (n, y, x)"
            )
        if dataset.dtype.kind not in "uif":
            raise UserError(f"{self._file}: {self.name} holds {dataset.dtype}, not numbers")
        check_sources(dataset, self.name)
        self._dataset = dataset
        self._indices = indices
        self.dtype: np.dtype[Any] = dataset.dtype
        n_frames = 1 if dataset.ndim == 2 else dataset.shape[0]
        self.shape: tuple[int, int, int] = (
            n_frames if indices is None else len(indices),
            *dataset.shape[-2:],
        )
        _load_filters(dataset)

    def read(self, start: int, stop: int, rows: slice = slice(None)) -> NDArray[Any]:
        """Read the given rows of pictures ``[start, stop)``."""
        try:
            if self._dataset.ndim == 2:
                return np.asarray(self._dataset[rows])[None][start:stop]
            if self._indices is None:
                return self._run(slice(start, stop), rows)
            pieces = [self._run(run, rows) for run in runs(self._indices[start:stop])]
            return np.concatenate(pieces) if pieces else self._run(slice(0, 0), rows)
        except OSError as error:
            raise UserError(
                f"{self._file}: pictures {start} to {stop - 1} of {self.name} cannot be read:"
                f" the file is damaged, or lacks a compression filter ({error})"
            ) from error

    def sources(self) -> list[Hashable]:
        """Say what each picture is: the dataset's place, and its number there."""
        place = identity(self._dataset)
        numbers = range(self.shape[0]) if self._indices is None else self._indices.tolist()
        return [(place, number) for number in numbers]

    def _run(self, run: slice, rows: slice) -> NDArray[Any]:
        if self._flattened:
            return np.asarray(self._dataset[run, 0, rows])
        return np.asarray(self._dataset[run, rows])


def runs(indices: NDArray[np.int64]) -> list[slice]:
    """Cut ascending indices into slices of neighbours, so that each is one read."""
    if len(indices) == 0:
        return []
    cuts = np.flatnonzero(np.diff(indices) != 1) + 1
    return [slice(int(run[0]), int(run[-1]) + 1) for run in np.split(indices, cuts)]


def _load_filters(dataset: h5py.Dataset) -> None:
    """Register the compression filters of hdf5plugin if the dataset uses one of them."""
    plist = dataset.id.get_create_plist()
    numbers = [plist.get_filter(index)[0] for index in range(plist.get_nfilters())]
    if any(number >= _FIRST_PLUGIN_FILTER for number in numbers):
        import hdf5plugin  # noqa: F401  the import is what registers them
