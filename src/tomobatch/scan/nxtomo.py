"""NXtomo, the NeXus application definition: one stack of pictures, and a key that sorts them.

Layouts after the definition (nexusformat.org), with the places where beamlines and the nxtomo
library put what it leaves open.
"""

from dataclasses import replace

import h5py
import numpy as np
from numpy.typing import NDArray

from tomobatch.errors import UserError
from tomobatch.known_axis import read_known_axis
from tomobatch.scan.addresses import open_each, parse, refuse_second_role
from tomobatch.scan.angle_files import names_angle_file, read_angles_beside
from tomobatch.scan.angles import FoundAngles
from tomobatch.scan.hdf5 import file_name, get_dataset, read_angles, read_text
from tomobatch.scan.hdf5_frames import Hdf5Frames
from tomobatch.scan.hdf5_links import Found, get_item, walk
from tomobatch.scan.hdf5_metadata import read_array
from tomobatch.scan.header import Frames, ImageKey
from tomobatch.scan.nxtomo_find import Stack, entry_of, key_for
from tomobatch.scan.nxtomo_instrument import (
    read_beam,
    read_cone,
    read_energy,
    read_flips,
    read_pixel_size,
    read_rotation,
)
from tomobatch.scan.parts import FlatBlock, ScanParts, flat_blocks
from tomobatch.scan.settings import DatasetSettings

# What the definition calls control: the current of the ring, or a monitor in the beam; and where
# the beamlines of Diamond and the ESRF keep it.
_MONITORS = (
    "control/data",
    "data/control/data",
    "data/control",
    "control",
    "instrument/beam/current",
    "instrument/machine/current",
    "instrument/ring/current",
    "instrument/source/current",
)
_ANGLES = ("sample/rotation_angle", "data/rotation_angle")
# Exposures of flats and projections that differ by less are one exposure, measured.
_SAME_EXPOSURE = 0.01


def choose_stack(file: h5py.File, stacks: list[Stack], datasets: DatasetSettings) -> Stack | None:
    """Take the stack that the config names, or the only one; None for a file without a key.

    Raises
    ------
    UserError
        If there are several scans and the config names none.
    """
    named = datasets.projections
    if named is not None:
        address = parse(named)
        if address.cut is not None or address.file is not None:
            return None
        group = get_item(file, named)
        if isinstance(group, h5py.Group):
            inside = "/" + named.strip("/") + "/"
            within = [stack for stack in stacks if stack.pictures.path.startswith(inside)]
            return _only(file, within, f" in {named}") if within else None
        pictures = get_dataset(file, named, "projections")
        key = _named_key(file, datasets) or key_for(file, pictures)
        return None if key is None else Stack(pictures, key)
    key = _named_key(file, datasets)
    if key is not None:
        return Stack(_pictures_for(file, key), key)
    return _only(file, stacks, "") if stacks else None


def read_nxtomo(file: h5py.File, stack: Stack, datasets: DatasetSettings) -> ScanParts:
    """Find the parts of a scan; paths given in the config win.

    Raises
    ------
    UserError
        If the key holds what means nothing.
    """
    key, notes = _read_key(file, stack)
    kept = np.flatnonzero(key == ImageKey.PROJECTION)
    entry = _entry(file, stack.pictures)
    projections = Hdf5Frames(stack.pictures, kept)
    monitor = read_array(entry, len(stack.pictures.dataset), *_MONITORS)
    flats = _flats(file, entry, stack, key, datasets)
    darks = _darks(file, stack, key, datasets)
    if datasets.flats is not None or datasets.darks is not None:
        refuse_second_role(
            projections, {"flats": [block.frames for block in flats], "darks": darks}
        )
    turn = _rotation_angle(file, entry, stack.pictures)
    field_of_view = read_text(entry, "instrument/detector/field_of_view")
    return ScanParts(
        format="NXtomo",
        projections=projections,
        flats=flats,
        darks=tuple(darks),
        angles=_angles(file, turn, key, datasets),
        pixel_size=read_pixel_size(entry),
        energy=read_energy(entry),
        beam=read_beam(entry),
        cone=read_cone(entry, read_beam(entry)),
        known_axis=read_known_axis(file),
        monitor=None if monitor is None else monitor[kept],
        half_acquisition=field_of_view.lower() == "half",
        rotation=None if turn is None else read_rotation(turn.dataset),
        notes=(*notes, *read_flips(entry)),
        close=file.close,
    )


def _only(file: h5py.File, stacks: list[Stack], where: str) -> Stack:
    if len(stacks) > 1:
        names = ", ".join(stack.pictures.path for stack in stacks)
        raise UserError(
            f"{file_name(file)}: holds {len(stacks)} scans{where}; choose one with"
            f" datasets.projections: {names}"
        )
    return stacks[0]


def _named_key(file: h5py.File, datasets: DatasetSettings) -> Found | None:
    if datasets.image_key is None:
        return None
    return get_dataset(file, datasets.image_key, "image_key")


def _pictures_for(file: h5py.File, key: Found) -> Found:
    """Find the one stack as long as a key that the config names."""
    fitting = [
        found
        for found in walk(file)
        if found.dataset.ndim == 3 and len(found.dataset) == key.dataset.size
    ]
    near = [found for found in fitting if entry_of(found.path) == entry_of(key.path)] or fitting
    if not near:
        raise UserError(
            f"{file_name(file)}: no stack of {key.dataset.size} pictures for {key.path}; name it"
            " with datasets.projections"
        )
    return min(near, key=lambda found: (found.name != "data", found.path))


def _read_key(file: h5py.File, stack: Stack) -> tuple[NDArray[np.int64], list[str]]:
    """Read the image key of as many pictures as both have, and say if one has more.

    Pictures that a control key marks as taken for alignment are invalid.
    """
    key = np.asarray(stack.key.dataset[()], dtype=np.int64).reshape(-1)
    n_pictures = len(stack.pictures.dataset)
    notes = []
    if len(key) != n_pictures:
        n_both = min(len(key), n_pictures)
        notes.append(
            f"{stack.pictures.path} has {n_pictures} pictures, but {stack.key.path} has {len(key)}"
            f" values, as after an aborted scan: the first {n_both} of both are used"
        )
        key = key[:n_both]
    known = np.isin(key, list(ImageKey))
    if not known.all():
        raise UserError(
            f"{file_name(file)}: {stack.key.path} holds {key[~known][0]}, but only 0 (projection),"
            " 1 (flat), 2 (dark) and 3 (invalid) mean anything"
        )
    control = get_item(file, f"{stack.key.folder}/image_key_control")
    if isinstance(control, h5py.Dataset) and len(control) >= len(key):
        key[np.asarray(control[()])[: len(key)] < 0] = ImageKey.INVALID
    return key, notes


def _entry(file: h5py.File, pictures: Found) -> h5py.Group:
    """Entry that a stack belongs to: the group above its ``instrument`` or ``data``."""
    path = pictures.folder.rpartition("/")[0]
    if path.rpartition("/")[2] == "instrument":
        path = path.rpartition("/")[0]
    return file[path or "/"]


def _angles(
    file: h5py.File,
    found: Found | None,
    key: NDArray[np.int64],
    datasets: DatasetSettings,
) -> FoundAngles | None:
    """Read the angles of the projections: those the config names, or those found in the entry."""
    if datasets.angles is not None and names_angle_file(datasets.angles):
        return read_angles_beside(file_name(file), datasets.angles)
    if datasets.angles is not None:
        found = get_dataset(file, datasets.angles, "angles")
    kept = np.flatnonzero(key == ImageKey.PROJECTION)
    return None if found is None else read_angles(found, kept, len(key))


def _rotation_angle(file: h5py.File, entry: h5py.Group, pictures: Found) -> Found | None:
    for path in _ANGLES:
        found = get_item(entry, path)
        if isinstance(found, h5py.Dataset):
            return Found(f"{entry.name.rstrip('/')}/{path}", found)
    near = [
        found
        for found in walk(file)
        if found.name == "rotation_angle" and entry_of(found.path) == entry_of(pictures.path)
    ]
    return near[0] if len(near) == 1 else None


def _flats(
    file: h5py.File,
    entry: h5py.Group,
    stack: Stack,
    key: NDArray[np.int64],
    datasets: DatasetSettings,
) -> tuple[FlatBlock, ...]:
    """Sort the flats into those taken with no projection between."""
    n_projections = int(np.count_nonzero(key == ImageKey.PROJECTION))
    if datasets.flats is not None:
        return flat_blocks(open_each(file, datasets.flats, "flats"), n_projections)
    flats = np.flatnonzero(key == ImageKey.FLAT)
    positions = np.cumsum(key == ImageKey.PROJECTION)[flats]
    exposures = read_array(
        entry, len(stack.pictures.dataset), "instrument/detector/count_time", "control/count_time"
    )
    monitor = read_array(entry, len(stack.pictures.dataset), *_MONITORS)
    blocks = []
    for position in np.unique(positions):
        indices = flats[positions == position]
        block = FlatBlock(Hdf5Frames(stack.pictures, indices), int(position))
        if monitor is not None:
            block = replace(block, monitor=float(np.mean(monitor[indices])))
        if exposures is not None:
            block = replace(block, scale=_exposure_scale(exposures, indices, key))
        blocks.append(block)
    return tuple(blocks)


def _exposure_scale(
    exposures: NDArray[np.float64], flats: NDArray[np.int64], key: NDArray[np.int64]
) -> float:
    """Return how much longer the projections were exposed than some flats."""
    projections = exposures[: len(key)][key == ImageKey.PROJECTION]
    own = float(np.median(exposures[flats]))
    if not (own > 0 and projections.size and np.median(projections) > 0):
        return 1.0
    scale = float(np.median(projections)) / own
    return 1.0 if abs(scale - 1) < _SAME_EXPOSURE else scale


def _darks(
    file: h5py.File, stack: Stack, key: NDArray[np.int64], datasets: DatasetSettings
) -> list[Frames]:
    if datasets.darks is not None:
        return open_each(file, datasets.darks, "darks")
    darks = np.flatnonzero(key == ImageKey.DARK)
    return [Hdf5Frames(stack.pictures, darks)] if len(darks) else []
