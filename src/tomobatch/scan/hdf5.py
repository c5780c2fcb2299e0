"""HDF5 files as scans keep them: opened here or on S3, with every failure in plain words."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from tomobatch.errors import UserError
from tomobatch.scan.angles import to_radians
from tomobatch.scan.parts import FoundAngles

_FIRST_PLUGIN_FILTER = 256
"""HDF5 itself brings the filters with lower numbers; hdf5plugin brings the others."""


def open_file(path: str, source: Any = None) -> h5py.File:  # noqa: ANN401  any binary file
    """Open an HDF5 file for reading.

    Parameters
    ----------
    path
        Its path or URL, also for messages.
    source
        A binary file object to read from instead of the path.

    Raises
    ------
    UserError
        If it is no HDF5 file, or not a whole one.
    """
    try:
        if source is None and not h5py.is_hdf5(path):
            with Path(path).open("rb") as file:
                empty = not file.read(1)
            raise UserError(f"{path}: {'an empty file' if empty else 'not an HDF5 file'}")
        return h5py.File(source or path, "r", locking="best-effort")
    except OSError as error:
        reason = str(error)
        if "truncated file" in reason:
            raise UserError(
                f"{path}: the file is truncated; copy it again or wait until it is complete"
            ) from error
        if "signature not found" in reason:
            raise UserError(f"{path}: not an HDF5 file") from error
        raise UserError(f"{path}: cannot be opened as HDF5: {reason}") from error


class Hdf5Frames:
    """Pictures of an HDF5 dataset: all of them, or those of the given indices in this order."""

    def __init__(self, dataset: h5py.Dataset, indices: NDArray[np.int64] | None = None) -> None:
        self.name: str = dataset.name
        self._file: str = file_name(dataset)
        if dataset.ndim not in (2, 3):
            raise UserError(
                f"{self._file}: {self.name} has shape {dataset.shape},"
                " but pictures come as (n, y, x)"
            )
        if dataset.dtype.kind not in "uif":
            raise UserError(f"{self._file}: {self.name} holds {dataset.dtype}, not numbers")
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
                return np.asarray(self._dataset[start:stop, rows])
            pieces = [self._dataset[run, rows] for run in _runs(self._indices[start:stop])]
            return np.concatenate(pieces) if pieces else np.asarray(self._dataset[0:0, rows])
        except OSError as error:
            raise UserError(
                f"{self._file}: pictures {start} to {stop - 1} of {self.name} cannot be read:"
                f" the file is damaged, or lacks a compression filter ({error})"
            ) from error


def get_dataset(file: h5py.File, path: str, key: str) -> h5py.Dataset:
    """Get the dataset that the config names.

    Parameters
    ----------
    file
        An open file.
    path
        Path of the dataset inside it.
    key
        The key under ``datasets`` in the config, for the message.

    Raises
    ------
    UserError
        If there is no such dataset; it lists those of the file.
    """
    found = file.get(path)
    if isinstance(found, h5py.Dataset):
        return found
    there = [f"{item.name} {item.shape}" for item in walk_datasets(file) if item.ndim]
    raise UserError(
        f"{file_name(file)}: no dataset {path} (datasets.{key}); it has"
        f" {', '.join(there[:20]) or 'no arrays'}{' ...' if len(there) > 20 else ''}"
    )


def walk_datasets(group: h5py.Group, depth: int = 8) -> Iterator[h5py.Dataset]:
    """All datasets below a group that can be opened; broken links are passed over."""
    for name in group:
        item = group.get(name)
        if isinstance(item, h5py.Dataset):
            yield item
        elif isinstance(item, h5py.Group) and depth > 0:
            yield from walk_datasets(item, depth - 1)


def read_number(file: h5py.Group, *paths: str) -> tuple[float, str] | None:
    """Read the first of the paths that holds one positive finite number, and its unit or ""."""
    for path in paths:
        dataset = file.get(path)
        if not isinstance(dataset, h5py.Dataset) or dataset.size != 1:
            continue
        try:
            value = float(np.asarray(dataset[()]).reshape(-1)[0])
        except (TypeError, ValueError):
            continue
        if np.isfinite(value) and value > 0:
            return value, read_unit(dataset)
    return None


def read_unit(dataset: h5py.Dataset) -> str:
    """Read the ``units`` attribute in lower case; empty if there is none."""
    return as_text(dataset.attrs.get("units", dataset.attrs.get("unit", ""))).strip().lower()


def read_text(file: h5py.Group, path: str) -> str:
    """Read a dataset as text; empty if there is none."""
    dataset = file.get(path)
    if not isinstance(dataset, h5py.Dataset) or dataset.size != 1:
        return ""
    return as_text(np.asarray(dataset[()]).reshape(-1)[0]).strip()


def as_text(value: object) -> str:
    """Text of an HDF5 string, which may come as bytes or as an array of one."""
    if isinstance(value, np.ndarray):
        value = value.reshape(-1)[0] if value.size else ""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


@contextmanager
def closing_on_error(file: h5py.File) -> Iterator[None]:
    """Close the file if the block fails, and put h5py's own errors in plain words."""
    try:
        yield
    except (OSError, RuntimeError, KeyError) as error:
        name = file_name(file)
        file.close()
        raise UserError(f"{name}: cannot be read as HDF5: {error}") from error
    except BaseException:
        file.close()
        raise


def file_name(item: h5py.Group | h5py.Dataset) -> str:
    """Path or URL of the file that an item is in."""
    return as_text(item.file.filename)


def _load_filters(dataset: h5py.Dataset) -> None:
    """Register the compression filters of hdf5plugin if the dataset uses one of them."""
    plist = dataset.id.get_create_plist()
    numbers = [plist.get_filter(index)[0] for index in range(plist.get_nfilters())]
    if any(number >= _FIRST_PLUGIN_FILTER for number in numbers):
        import hdf5plugin  # noqa: F401  the import is what registers them


def _runs(indices: NDArray[np.int64]) -> list[slice]:
    """Cut ascending indices into slices of neighbours, so that each is one read."""
    if len(indices) == 0:
        return []
    cuts = np.flatnonzero(np.diff(indices) != 1) + 1
    return [slice(int(run[0]), int(run[-1]) + 1) for run in np.split(indices, cuts)]


def read_angles(
    dataset: h5py.Dataset, kept: NDArray[np.int64] | None = None, n_pictures: int = 0
) -> FoundAngles:
    """Read angles in radians; if there is one for each of all pictures, those of the ones kept."""
    values = np.asarray(dataset[()], dtype=np.float64).reshape(-1)
    if kept is not None and len(values) == n_pictures:
        values = values[kept]
    return FoundAngles(
        dataset.name,
        to_radians(values, read_unit(dataset), f"{file_name(dataset)}: {dataset.name}"),
    )
