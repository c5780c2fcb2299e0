"""HDF5 as NeXus lays it out: NXdata with its axes, and how the volume was made (NXprocess)."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tomobatch.copies.original import Original
from tomobatch.provenance.record import JOINED, Record, joined_as, records_of_scans
from tomobatch.stores.files import complete_or_absent

_PLACE = "entry/data"


def write_nexus(original: Original, path: Path, record: Record) -> None:
    """Write a volume (z, y, x) to an HDF5 file, block by block.

    The voxels are ``/entry/data/data`` and, for programs that know no NeXus, ``/volume``: one
    dataset of two names. Their axes stand beside them, in micrometres where the voxel is known.
    ``/entry/reconstruction`` has every setting, found value, version and warning; of a stack
    ``/entry/reconstruction_0`` and so on have those of its scans, and ``/entry/joined`` all.

    Parameters
    ----------
    record
        How the volume was made, as ``provenance.read_record`` reads it.
    """
    with complete_or_absent(path) as partial, h5py.File(partial, "w") as file:
        file.attrs.update({"NX_class": "NXroot", "default": "entry"})
        entry = _group(file, "entry", "NXentry")
        entry.attrs["default"] = "data"
        entry["title"] = joined_as(record) or record["scan"]["name"]
        dataset = _write_data(_group(entry, "data", "NXdata"), original)
        file["volume"] = dataset
        if JOINED not in record:
            _write_process(_group(entry, "reconstruction", "NXprocess"), record)
            return
        for number, one in enumerate(records_of_scans(record)):
            _write_process(_group(entry, f"reconstruction_{number}", "NXprocess"), one)
        _write_note(_group(entry, "joined", "NXnote"), record)


def _write_data(data: h5py.Group, original: Original) -> h5py.Dataset:
    volume, voxel_um = original.array, original.voxel_um
    axes = ("z", "y", "x")
    data.attrs.update({"signal": "data", "axes": axes})
    data.attrs.update({f"{axis}_indices": number for number, axis in enumerate(axes)})
    pitches = (1.0, 1.0, 1.0) if voxel_um is None else voxel_um
    for axis, n, pitch, origin in zip(axes, volume.shape, pitches, original.origin_um, strict=True):
        data[axis] = origin + pitch * np.arange(n)
        data[axis].attrs["units"] = "px" if voxel_um is None else "um"
    dataset = data.create_dataset("data", volume.shape, volume.dtype)
    codes = original.codes
    dataset.attrs.update({} if codes is None else codes.attributes())
    dataset.attrs.update({"long_name": "attenuation", "units": original.unit})
    if voxel_um is not None:
        dataset.attrs["voxel_um"] = voxel_um
    start = 0
    for block in original.blocks():
        dataset[start : start + len(block)] = block
        start += len(block)
    return dataset


def _write_process(process: h5py.Group, record: Mapping[str, Any]) -> None:
    process["program"] = "tomobatch"
    process["version"] = record["versions"]["tomobatch"]
    process["date"] = record["made"]
    for part in ("settings", "found", "versions", "scan"):
        _write_values(_group(process, part, "NXcollection"), record[part])
    process["warnings"] = np.array(record["warnings"], h5py.string_dtype())
    _write_note(_group(process, "record", "NXnote"), record)


def _write_note(note: h5py.Group, record: Mapping[str, Any]) -> None:
    note["type"] = "application/json"
    note["data"] = json.dumps(record)


def _write_values(group: h5py.Group, values: Mapping[str, Any]) -> None:
    """Write plain values under their keys; what HDF5 has no type for as JSON."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            _write_values(_group(group, key, "NXcollection"), value)
        else:
            group[key] = value if isinstance(value, str | bool | int | float) else json.dumps(value)


def _group(parent: h5py.Group, name: str, kind: str) -> h5py.Group:
    group = parent.create_group(name)
    group.attrs["NX_class"] = kind
    return group
