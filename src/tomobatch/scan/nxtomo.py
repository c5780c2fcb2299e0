"""NXtomo, the NeXus application definition: one stack of pictures, and a key that sorts them.

Layouts after the definition (nexusformat.org), with the places where beamlines and the nxtomo
library put what it leaves open.
"""

import h5py
import numpy as np
from numpy.typing import NDArray

from tomobatch.errors import UserError
from tomobatch.scan.hdf5 import (
    Hdf5Frames,
    as_text,
    file_name,
    get_dataset,
    read_angles,
    read_number,
    walk_datasets,
)
from tomobatch.scan.header import ImageKey
from tomobatch.scan.parts import FlatBlock, ScanParts
from tomobatch.scan.settings import DatasetSettings
from tomobatch.scan.units import to_kev, to_um


def find_stacks(file: h5py.File) -> list[h5py.Dataset]:
    """Find the stacks of pictures that have an ``image_key`` beside them, each once."""
    found: dict[int, h5py.Dataset] = {}
    for dataset in walk_datasets(file):
        name = dataset.name.rpartition("/")[2]
        stack = dataset.parent.get("data") if name == "image_key" else None
        if not isinstance(stack, h5py.Dataset) or stack.ndim != 3:
            continue
        address = h5py.h5o.get_info(stack.id).addr
        is_detector = as_text(stack.parent.attrs.get("NX_class", "")) == "NXdetector"
        if address not in found or is_detector:
            found[address] = stack
    return sorted(found.values(), key=lambda stack: str(stack.name))


def read_nxtomo(
    file: h5py.File, stacks: list[h5py.Dataset], datasets: DatasetSettings
) -> ScanParts:
    """Find the parts of a scan; paths given in the config win.

    Raises
    ------
    UserError
        If there are several scans and the config names none, or the key does not fit the stack.
    """
    stack = _choose(file, stacks, datasets)
    key = _read_key(file, stack)
    kept = np.flatnonzero(key == ImageKey.PROJECTION)
    entry = _entry(stack)
    angles = _angles(file, entry, datasets)
    return ScanParts(
        format="NXtomo",
        projections=Hdf5Frames(stack, kept),
        flats=_flats(file, stack, key, datasets),
        darks=_darks(file, stack, key, datasets),
        angles=None if angles is None else read_angles(angles, kept, len(key)),
        pixel_size_um=_pixel_size_um(entry),
        energy_kev=_energy_kev(entry),
        close=file.close,
    )


def _choose(file: h5py.File, stacks: list[h5py.Dataset], datasets: DatasetSettings) -> h5py.Dataset:
    """Take the stack that the config names, or the only one."""
    if datasets.projections is not None:
        return get_dataset(file, datasets.projections, "projections")
    if len(stacks) > 1:
        names = ", ".join(stack.name for stack in stacks)
        raise UserError(
            f"{file_name(file)}: holds {len(stacks)} scans; choose one with datasets.projections:"
            f" {names}"
        )
    return stacks[0]


def _read_key(file: h5py.File, stack: h5py.Dataset) -> NDArray[np.int64]:
    """Read the image key; pictures that a control key marks as taken for alignment are invalid."""
    beside = stack.parent.get("image_key")
    if beside is None or len(beside) != len(stack):
        length = "no image_key" if beside is None else f"an image_key of {len(beside)} values"
        raise UserError(
            f"{file_name(file)}: {length} beside {stack.name}, which has {len(stack)} pictures"
        )
    key = np.asarray(beside[()], dtype=np.int64)
    known = np.isin(key, list(ImageKey))
    if not known.all():
        raise UserError(
            f"{file_name(file)}: {beside.name} holds {key[~known][0]}, but only 0 (projection),"
            " 1 (flat), 2 (dark) and 3 (invalid) mean anything"
        )
    control = stack.parent.get("image_key_control")
    if isinstance(control, h5py.Dataset) and len(control) == len(key):
        key[np.asarray(control[()]) < 0] = ImageKey.INVALID
    return key


def _entry(stack: h5py.Dataset) -> h5py.Group:
    """Entry that a stack belongs to: the group above its ``instrument`` or ``data``."""
    group = stack.parent.parent
    return group.parent if group.name.rpartition("/")[2] == "instrument" else group


def _angles(file: h5py.File, entry: h5py.Group, datasets: DatasetSettings) -> h5py.Dataset | None:
    if datasets.angles is not None:
        return get_dataset(file, datasets.angles, "angles")
    for path in ("sample/rotation_angle", "data/rotation_angle"):
        found = entry.get(path)
        if isinstance(found, h5py.Dataset):
            return found
    return None


def _flats(
    file: h5py.File, stack: h5py.Dataset, key: NDArray[np.int64], datasets: DatasetSettings
) -> tuple[FlatBlock, ...]:
    """Sort the flats into those taken with no projection between."""
    if datasets.flats is not None:
        return (FlatBlock(Hdf5Frames(get_dataset(file, datasets.flats, "flats")), 0),)
    flats = np.flatnonzero(key == ImageKey.FLAT)
    positions = np.cumsum(key == ImageKey.PROJECTION)[flats]
    return tuple(
        FlatBlock(Hdf5Frames(stack, flats[positions == position]), int(position))
        for position in np.unique(positions)
    )


def _darks(
    file: h5py.File, stack: h5py.Dataset, key: NDArray[np.int64], datasets: DatasetSettings
) -> tuple[Hdf5Frames, ...]:
    if datasets.darks is not None:
        return (Hdf5Frames(get_dataset(file, datasets.darks, "darks")),)
    darks = np.flatnonzero(key == ImageKey.DARK)
    return (Hdf5Frames(stack, darks),) if len(darks) else ()


def _pixel_size_um(entry: h5py.Group) -> float | None:
    """Size of a pixel at the specimen if it is given, or else at the detector."""
    found = read_number(
        entry,
        "sample/x_pixel_size",
        "instrument/detector/x_magnified_pixel_size",
        "instrument/detector/x_pixel_size",
    )
    return None if found is None else to_um(*found, "m")


def _energy_kev(entry: h5py.Group) -> float | None:
    found = read_number(
        entry,
        "instrument/beam/incident_energy",
        "beam/incident_energy",
        "instrument/monochromator/energy",
    )
    return None if found is None else to_kev(*found)
