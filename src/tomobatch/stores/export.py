"""Copies of the volume in formats that every viewer opens; whole numbers stay as they are."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import tifffile
import zarr

from tomobatch.stores.files import complete_or_absent
from tomobatch.stores.grey_codes import codes_in
from tomobatch.units import grey_unit

Voxel = tuple[float, float, float] | None

# Offsets of a classic TIFF have 32 bits; the rest is for what is no pixel.
_LARGEST_CLASSIC_BYTES = 2**32 - 2**24


def export_tiff(volume: "zarr.Array[Any]", path: Path, voxel_um: Voxel) -> None:
    """Write a volume (z, y, x) as a stack of pages in its own type, slice by slice.

    Below 4 GB it is a classic TIFF that says to ImageJ how far slices are apart and what its whole
    numbers mean; beyond, a BigTIFF, whose pages say the size of a pixel alone.

    ``voxel_um`` is the edge of a voxel (z, y, x), here and below; None if it is not known.
    """
    resolution: dict[str, Any] = {}
    if voxel_um is not None:
        pixels_per_cm = 1e4 / voxel_um[2], 1e4 / voxel_um[1]
        resolution = {"resolution": pixels_per_cm, "resolutionunit": "CENTIMETER"}
    with complete_or_absent(path) as partial:
        if volume.nbytes > _LARGEST_CLASSIC_BYTES:
            with tifffile.TiffWriter(partial, bigtiff=True) as stack:
                for page in _pages(volume):
                    stack.write(page, contiguous=True, metadata=None, **resolution)
            return
        if voxel_um is not None:
            resolution = {"resolution": (1 / voxel_um[2], 1 / voxel_um[1])}
        with tifffile.TiffWriter(partial, imagej=True) as stack:
            stack.write(
                _pages(volume),
                shape=volume.shape,
                dtype=volume.dtype,
                metadata=_for_imagej(volume, voxel_um),
                **resolution,
            )


def export_hdf5(volume: "zarr.Array[Any]", path: Path, voxel_um: Voxel) -> None:
    """Write a volume (z, y, x) as the dataset ``/volume`` of an HDF5 file, block by block."""
    with complete_or_absent(path) as partial, h5py.File(partial, "w") as file:
        dataset = file.create_dataset("volume", volume.shape, volume.dtype)
        dataset.attrs["axes"] = "zyx"
        dataset.attrs["units"] = grey_unit(None if voxel_um is None else voxel_um[2])
        if voxel_um is not None:
            dataset.attrs["pixel_size_um"] = voxel_um[2]
            dataset.attrs["voxel_um"] = voxel_um
        codes = codes_in(volume.attrs, volume.dtype)
        dataset.attrs.update({} if codes is None else codes.attributes())
        start = 0
        for block in _blocks(volume):
            dataset[start : start + len(block)] = block
            start += len(block)


def _for_imagej(volume: "zarr.Array[Any]", voxel_um: Voxel) -> dict[str, Any]:
    """Return what ImageJ reads of a stack: spacing, and the straight line from codes to greys."""
    facts: dict[str, Any] = {"axes": "ZYX"}
    if voxel_um is not None:
        facts |= {"unit": "um", "spacing": voxel_um[0]}
    codes = codes_in(volume.attrs, volume.dtype)
    if codes is not None:
        unit = grey_unit(None if voxel_um is None else voxel_um[2])
        # Function 0 of ImageJ is the straight line.
        facts |= {"cf": 0, "c0": codes.low, "c1": codes.scale, "vunit": unit}
    return facts


def _pages(volume: "zarr.Array[Any]") -> Iterator[npt.NDArray[Any]]:
    for block in _blocks(volume):
        yield from block


def _blocks(volume: "zarr.Array[Any]") -> Iterator[npt.NDArray[Any]]:
    """Walk a volume shard by shard."""
    step = (volume.shards or volume.chunks)[0]
    for start in range(0, volume.shape[0], step):
        yield np.asarray(volume[start : start + step])
