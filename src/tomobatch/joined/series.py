"""A time series: volumes of the same place one after the other, as one OME-Zarr (t, z, y, x).

A shard of a volume is byte by byte the shard of a series in which it is one moment, as inner chunks
lie in C order. So nothing is read or packed: files are linked, or copied to another disk.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from tomobatch.errors import UserError
from tomobatch.joined.level import Member, check_alike, read_member
from tomobatch.joined.provenance import take_provenance
from tomobatch.stores.files import complete_folder, write_json

_ALIKE = ("shape", "data_type", "chunk_grid", "codecs", "attributes", "fill_value")


def join_series(volumes: Sequence[Path], output: Path, *, interval_s: float | None = None) -> None:
    """Write the series of finished volumes, in their order.

    The volumes stay, and may be removed: files that are linked are there as long as one of their
    names is.

    Parameters
    ----------
    volumes
        Their folders.
    output
        The folder of the series, which is not there yet.
    interval_s
        From one to the next; None if it is not known.

    Raises
    ------
    UserError
        If one is not finished, or they differ in shape, voxel, type, or what whole numbers mean.
    """
    if len(volumes) < 2:
        raise UserError("a series has two volumes or more")
    members = [read_member(volume) for volume in volumes]
    check_alike(members, _ALIKE)
    with complete_folder(output) as partial:
        names = [member.multiscale["name"] for member in members]
        write_json(partial / "zarr.json", _group(members, interval_s))
        for level, array in enumerate(members[0].arrays):
            path = members[0].multiscale["datasets"][level]["path"]
            (partial / path / "c").mkdir(parents=True)
            write_json(partial / path / "zarr.json", _with_time(array, len(members)))
            for moment, member in enumerate(members):
                _take(member.folder / path / "c", partial / path / "c" / str(moment))
        take_provenance(members, partial, {"series": names})


def _with_time(array: Mapping[str, Any], n_moments: int) -> dict[str, Any]:
    """Return the metadata of a level with an axis of time before the others."""
    joined = deepcopy(dict(array))
    joined["shape"] = [n_moments, *joined["shape"]]
    joined["dimension_names"] = ["t", *joined["dimension_names"]]
    grid = joined["chunk_grid"]["configuration"]
    grid["chunk_shape"] = [1, *grid["chunk_shape"]]
    (sharding,) = joined["codecs"]
    inner = sharding["configuration"]
    inner["chunk_shape"] = [1, *inner["chunk_shape"]]
    return joined


def _group(members: Sequence[Member], interval_s: float | None) -> dict[str, Any]:
    """Return the metadata of the series: those of its first volume, with time."""
    group = deepcopy(members[0].group)
    ome = group["attributes"]["ome"]
    (multiscale,) = ome["multiscales"]
    unit = {} if interval_s is None else {"unit": "second"}
    multiscale["axes"] = [{"name": "t", "type": "time", **unit}, *multiscale["axes"]]
    multiscale["name"] = "series"
    for dataset in multiscale["datasets"]:
        scale, translation = dataset["coordinateTransformations"]
        scale["scale"] = [1.0 if interval_s is None else interval_s, *scale["scale"]]
        translation["translation"] = [0.0, *translation["translation"]]
    low = min(member.window[0] for member in members)
    high = max(member.window[1] for member in members)
    ome["omero"]["channels"][0]["window"] = {"min": low, "max": high, "start": low, "end": high}
    return group


def _take(source: Path, target: Path) -> None:
    """Link all files of a folder into another one, or copy them where links cannot be."""
    shutil.copytree(source, target, copy_function=_link)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
