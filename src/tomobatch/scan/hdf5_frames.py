"""Pictures of HDF5 datasets, read by range."""

from collections.abc import Hashable
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from tomobatch.errors import UserError
from tomobatch.s3.address import is_remote
from tomobatch.s3.read import read_ranges
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
        self._offset = _contiguous_offset(dataset)
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
        first, stop, step = rows.indices(self.shape[1])
        is_band = step == 1 and 0 < stop - first < self.shape[1]
        if self._offset is not None and is_band and is_remote(self._file):
            return self._band(self._offset, run, first, stop)
        if self._flattened:
            return np.asarray(self._dataset[run, 0, rows])
        return np.asarray(self._dataset[run, rows])

    def _band(self, offset: int, run: slice, first: int, stop: int) -> NDArray[Any]:
        """Read a band of rows of a dataset in one piece: all pictures at a time, and no others."""
        n_rows, n_cols = self.shape[1:]
        row_bytes = n_cols * self.dtype.itemsize
        numbers = range(*run.indices(self._dataset.shape[0]))
        starts = [offset + (number * n_rows + first) * row_bytes for number in numbers]
        pieces = read_ranges(self._file, starts, (stop - first) * row_bytes)
        band = np.frombuffer(b"".join(pieces), self.dtype)
        return band.reshape(len(numbers), stop - first, n_cols)


def _contiguous_offset(dataset: h5py.Dataset) -> int | None:
    """Return where the pixels begin in the file; None unless they lie there as they are."""
    plist = dataset.id.get_create_plist()
    if plist.get_layout() != h5py.h5d.CONTIGUOUS or plist.get_external_count():
        return None
    offset: int | None = dataset.id.get_offset()
    return offset


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
