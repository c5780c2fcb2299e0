"""Zarr: a group with projections, flats, darks and angles, or an array with those beside it."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.storage import LocalStore, ObjectStore

from tomobatch.errors import UserError
from tomobatch.s3.address import is_remote
from tomobatch.s3.read import object_exists, open_store
from tomobatch.scan.angles import to_radians
from tomobatch.scan.parts import FlatBlock, FoundAngles, ScanParts
from tomobatch.scan.settings import DatasetSettings

_METADATA = ("zarr.json", ".zarray", ".zgroup")
_PROJECTIONS = ("projections", "data", "exchange/data")
_FLATS = ("flats", "flats_before", "data_white", "exchange/data_white")
_FLATS_AFTER = ("flats_after",)
_DARKS = ("darks", "data_dark", "exchange/data_dark")
_ANGLES = ("angles", "theta", "exchange/theta")

AnyArray = zarr.Array[Any]


def is_zarr(path: str) -> bool:
    """Tell whether a folder or S3 prefix is a Zarr array or group, of either format."""
    exists = object_exists if is_remote(path) else os.path.isfile
    return any(exists(f"{path.rstrip('/')}/{name}") for name in _METADATA)


def read_zarr(path: str, datasets: DatasetSettings) -> ScanParts:
    """Find the parts of a scan; names given in the config win.

    Raises
    ------
    UserError
        If there are no projections, or no array of a name given.
    """
    root, projections = _projections(path.rstrip("/"), datasets)
    n_projections = projections.shape[0]
    # Arrays beside one that is called x.zarr are called flats.zarr and so on.
    suffix = Path(path.rstrip("/")).suffix if root.path != path.rstrip("/") else ""
    flats = root.find(datasets.flats, _FLATS, suffix, "flats")
    after = root.find(None, _FLATS_AFTER, suffix, "flats")
    darks = root.find(datasets.darks, _DARKS, suffix, "darks")
    angles = root.find(datasets.angles, _ANGLES, suffix, "angles")
    blocks = [(flats, 0), (after, n_projections)]
    return ScanParts(
        format=f"Zarr v{projections.metadata.zarr_format}",
        projections=ZarrFrames(path, projections),
        flats=tuple(
            FlatBlock(ZarrFrames(path, array), position)
            for array, position in blocks
            if array is not None
        ),
        darks=() if darks is None else (ZarrFrames(path, darks),),
        angles=None if angles is None else _read_angles(path, angles),
        pixel_size_um=_positive(projections.attrs.get("pixel_size_um")),
        energy_kev=_positive(projections.attrs.get("energy_kev")),
    )


class ZarrFrames:
    """Pictures of a Zarr array."""

    def __init__(self, path: str, array: AnyArray) -> None:
        self.name = f"array {array.path or 'at the root'}"
        self._path = path
        if array.ndim != 3:
            raise UserError(
                f"{path}: {self.name} has shape {array.shape}, but pictures come as (n, y, x)"
            )
        self._array = array
        self.shape: tuple[int, int, int] = (array.shape[0], array.shape[1], array.shape[2])
        self.dtype: np.dtype[Any] = array.dtype

    def read(self, start: int, stop: int, rows: slice = slice(None)) -> NDArray[Any]:
        """Read the given rows of pictures ``[start, stop)``."""
        try:
            return np.asarray(self._array[start:stop, rows])
        except Exception as error:
            # Codecs and stores raise as they like; all it means here is a chunk that is damaged.
            raise UserError(
                f"{self._path}: pictures {start} to {stop - 1} of {self.name} cannot be read"
                f" ({error})"
            ) from error


class _Root:
    """A folder or S3 prefix that arrays lie in."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._store: ObjectStore[Any] | LocalStore
        if is_remote(path):
            self._store = ObjectStore(open_store(path), read_only=True)
        else:
            self._store = LocalStore(path, read_only=True)

    def array(self, name: str) -> AnyArray | None:
        """Open an array; None if there is none of this name."""
        try:
            return zarr.open_array(self._store, path=name, mode="r")
        except (FileNotFoundError, KeyError, ValueError):
            return None

    def find(
        self, given: str | None, usual: tuple[str, ...], suffix: str, key: str
    ) -> AnyArray | None:
        """Open the array that the config names, or the first usual one that is there."""
        if given is not None:
            found = self.array(given)
            if found is None:
                raise UserError(f"{self.path}: no array {given} (datasets.{key})")
            return found
        arrays = (self.array(f"{name}{suffix}") for name in usual)
        return next((array for array in arrays if array is not None), None)


def _projections(path: str, datasets: DatasetSettings) -> tuple[_Root, AnyArray]:
    """Open the projections, and say where their flats, darks and angles are to be looked for."""
    root = _Root(path)
    found = root.find(datasets.projections, _PROJECTIONS, "", "projections")
    if found is not None:
        return root, found
    parent, _, name = path.rpartition("/")
    beside = _Root(parent or ".")
    found = beside.array(name)
    if found is None:
        raise UserError(
            f"{path}: no Zarr array of projections; looked for {', '.join(_PROJECTIONS)};"
            " name it with datasets.projections"
        )
    return beside, found


def _read_angles(path: str, array: AnyArray) -> FoundAngles:
    values = np.asarray(array[:], dtype=np.float64).reshape(-1)
    unit, name = str(array.attrs.get("units", "")).lower(), f"array {array.path}"
    return FoundAngles(name, to_radians(values, unit, f"{path}: {name}"))


def _positive(value: object) -> float | None:
    """Take a number above zero; None for anything else."""
    return float(value) if isinstance(value, int | float) and value > 0 else None
