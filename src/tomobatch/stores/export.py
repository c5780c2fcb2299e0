"""Copies of the volume in formats that every viewer opens."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import tifffile
import zarr

from tomobatch.stores.files import complete_or_absent
from tomobatch.stores.layout import Array


def export_tiff(volume: "zarr.Array[Any]", path: Path, pixel_size_um: float | None) -> None:
    """Write a volume (z, y, x) as a stack of float32 pages in one BigTIFF, slice by slice.

    ``pixel_size_um`` is that of a slice, here and below.
    """
    resolution: dict[str, Any] = {}
    if pixel_size_um is not None:
        pixels_per_cm = 1e4 / pixel_size_um
        resolution = {"resolution": (pixels_per_cm, pixels_per_cm), "resolutionunit": "CENTIMETER"}
    with complete_or_absent(path) as partial, tifffile.TiffWriter(partial, bigtiff=True) as stack:
        for block in _blocks(volume):
            for page in block:
                stack.write(page, contiguous=True, metadata=None, **resolution)


def export_hdf5(volume: "zarr.Array[Any]", path: Path, pixel_size_um: float | None) -> None:
    """Write a volume (z, y, x) as the dataset ``/volume`` of an HDF5 file, block by block."""
    with complete_or_absent(path) as partial, h5py.File(partial, "w") as file:
        dataset = file.create_dataset("volume", volume.shape, np.float32)
        dataset.attrs["axes"] = "zyx"
        if pixel_size_um is not None:
            dataset.attrs["pixel_size_um"] = pixel_size_um
        start = 0
        for block in _blocks(volume):
            dataset[start : start + len(block)] = block
            start += len(block)


def _blocks(volume: "zarr.Array[Any]") -> Iterator[Array]:
    """Walk a volume shard by shard."""
    step = (volume.shards or volume.chunks)[0]
    for start in range(0, volume.shape[0], step):
        yield np.asarray(volume[start : start + step])
