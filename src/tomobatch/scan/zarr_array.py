"""Zarr: a group with projections, flats, darks and angles, or an array with those beside it."""

import os
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.storage import LocalStore, ObjectStore

from tomobatch.errors import UserError
from tomobatch.s3.address import is_remote
from tomobatch.s3.read import object_exists, open_store
from tomobatch.scan.addresses import cut_frames, parse, refuse_second_role, several
from tomobatch.scan.angles import FoundAngles, to_radians
from tomobatch.scan.header import Frames
from tomobatch.scan.parts import FlatBlock, ScanParts, flat_blocks
from tomobatch.scan.settings import DatasetSettings
from tomobatch.scan.units import Figure, energy_kev, pixel_um

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
    frames = ZarrFrames(path, projections)
    if datasets.flats is not None:
        flats = flat_blocks(_named(path, root, datasets.flats, "flats"), n_projections)
    else:
        after = root.find(None, _FLATS_AFTER, suffix, "flats")
        before = root.find(None, _FLATS, suffix, "flats")
        # Flats of unknown time may be of both, unless others are known to be the later ones.
        blocks = [(before, None if after is None else 0), (after, n_projections)]
        flats = tuple(
            FlatBlock(ZarrFrames(path, array), position)
            for array, position in blocks
            if array is not None
        )
    if datasets.darks is not None:
        darks = _named(path, root, datasets.darks, "darks")
    else:
        found = root.find(None, _DARKS, suffix, "darks")
        darks = [] if found is None else [ZarrFrames(path, found)]
    refuse_second_role(frames, {"flats": [block.frames for block in flats], "darks": darks})
    angles = root.find(datasets.angles, _ANGLES, suffix, "angles")
    return ScanParts(
        format=f"Zarr v{projections.metadata.zarr_format}",
        projections=frames,
        flats=flats,
        darks=tuple(darks),
        angles=None if angles is None else _read_angles(path, angles),
        pixel_size=_figure(projections, "pixel_size_um", pixel_um, "um"),
        energy=_figure(projections, "energy_kev", lambda value, unit, _: energy_kev(value, unit),
                       "keV"),
    )  # fmt: skip


def _named(path: str, root: "_Root", given: str | Sequence[str], key: str) -> list[Frames]:
    """Open the arrays that the config names, each perhaps cut."""
    stacks: list[Frames] = []
    for text in several(given):
        address = parse(text)
        array = root.find(address.path, (), "", key)
        assert array is not None  # noqa: S101  what is named is there, or was refused
        stacks.append(cut_frames(ZarrFrames(path, array), address.cut, text, key))
    return stacks


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

    def sources(self) -> list[Hashable]:
        """Say what each picture is: the array's place, and its number there."""
        place = (str(self._array.store), self._array.path)
        return [(place, number) for number in range(self.shape[0])]


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
    return to_radians(values, str(array.attrs.get("units", "")), f"array {array.path}")


def _figure(
    array: AnyArray, name: str, convert: Callable[[float, str, str], Figure], unit: str
) -> Figure:
    """Read a number above zero from the attributes."""
    value = array.attrs.get(name)
    positive = isinstance(value, int | float) and value > 0
    return convert(float(value), unit, unit) if positive else Figure()  # type: ignore[arg-type]
