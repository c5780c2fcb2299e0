"""HDF5 files as scans keep them: opened here or on S3, with every failure in plain words."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from tomobatch.errors import UserError
from tomobatch.scan.angles import FoundAngles, to_radians
from tomobatch.scan.hdf5_links import Found, broken_links, get_item, walk

_LISTED = 20


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


def get_dataset(file: h5py.File, path: str, key: str) -> Found:
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
        If there is no such dataset; it lists those of the file, and links that lead nowhere.
    """
    found = get_item(file, path)
    if isinstance(found, h5py.Dataset):
        return Found("/" + path.strip("/"), found)
    raise UserError(f"{file_name(file)}: no dataset {path} (datasets.{key}); {contents(file)}")


def contents(file: h5py.File, least_ndim: int = 1) -> str:
    """List the arrays of a file with at least so many axes, and the links that lead nowhere."""
    there = [f"{item.path} {item.dataset.shape}" for item in walk(file)
             if item.dataset.ndim >= least_ndim]  # fmt: skip
    listed = ", ".join(there[:_LISTED]) or "no arrays"
    text = f"it has {listed}{' ...' if len(there) > _LISTED else ''}"
    broken = broken_links(file)
    if broken:
        text += f"; links that lead nowhere: {', '.join(broken[:_LISTED])}"
    return text


def read_number(file: h5py.Group, *paths: str) -> tuple[float, str] | None:
    """Read the first of the paths that holds one positive finite number, and its unit or ""."""
    for path in paths:
        dataset = get_item(file, path)
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
    """Read the ``units`` attribute; empty if there is none."""
    return as_text(dataset.attrs.get("units", dataset.attrs.get("unit", ""))).strip()


def read_text(file: h5py.Group, path: str) -> str:
    """Read a dataset as text; empty if there is none."""
    dataset = get_item(file, path)
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


def read_angles(
    found: Found, kept: NDArray[np.int64] | None = None, n_pictures: int = 0
) -> FoundAngles:
    """Read angles in radians; if there is one for each of all pictures, those of the ones kept."""
    values = np.asarray(found.dataset[()], dtype=np.float64).reshape(-1)
    if kept is not None and len(values) >= n_pictures:
        values = values[kept]
    return to_radians(values, read_unit(found.dataset), found.path)
