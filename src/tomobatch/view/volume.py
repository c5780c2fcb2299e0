"""The planes of an OME-Zarr volume, each read by range from the level that a page asks for."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

from tomobatch.errors import UserError
from tomobatch.s3.address import is_remote
from tomobatch.stores.grey_codes import codes_in, read_grey
from tomobatch.stores.multiscale import read_ome
from tomobatch.stores.read import open_array
from tomobatch.view.held import Held

AXES = ("z", "y", "x")

_MOST_BYTES = 96 * 2**20
"""What a plane may take to be read: a plane along z cuts every chunk of its column."""


@dataclass(frozen=True)
class Volume:
    """An OME-Zarr volume, and how it is to be shown.

    Attributes
    ----------
    address
        Its folder, or its s3:// address.
    levels
        Its resolutions (z, y, x), the finest first.
    voxel_um
        Edge of a voxel of each level in micrometres, (z, y, x); None where the scan did not say.
    window
        Lowest and highest grey value to show first.
    stored_window
        The same in what is stored, which differs where whole numbers are.
    held
        Small levels that were read whole, for planes that cut all of their chunks.
    """

    address: str
    levels: tuple["zarr.Array[Any]", ...]
    voxel_um: tuple[tuple[float, ...], ...] | None
    window: tuple[float, float]
    stored_window: tuple[float, float]
    held: Held = field(default_factory=Held, repr=False, compare=False)

    def facts(self) -> dict[str, Any]:
        """Return what the page needs to know, as plain JSON values."""
        return {
            "name": "/".join(self.address.split("/")[-2:]),
            "address": self.address,
            "levels": [
                {"shape": level.shape, "best": {axis: self._is_quick(n, axis) for axis in AXES}}
                for n, level in enumerate(self.levels)
            ],
            "voxel_um": self.voxel_um,
            "window": self.window,
        }

    def plane(self, level: int, axis: str, index: int) -> npt.NDArray[np.float32]:
        """Read one plane across an axis.

        Returns
        -------
        float32 (y, x), (z, x) or (z, y), contiguous; what is not reconstructed yet is zero.

        Raises
        ------
        LookupError
            If there is no such level, axis or index.
        """
        array = self.levels[level]
        number = AXES.index(axis)
        if not 0 <= index < array.shape[number] or level < 0:
            raise IndexError(f"{axis} {index} of level {level}")
        where = tuple(index if n == number else slice(None) for n in range(3))
        if axis != "z" and array.size * 4 <= _MOST_BYTES:
            values = self.held.level(level, lambda: read_grey(array, slice(None)))[where]
        else:
            values = read_grey(array, where)
        return np.ascontiguousarray(values, dtype="<f4")

    def _is_quick(self, level: int, axis: str) -> bool:
        """Tell whether a plane across an axis can be read without the volume itself."""
        array = self.levels[level]
        across = array.chunks[AXES.index(axis)]
        n_values = np.prod(array.shape, dtype=np.int64) // array.shape[AXES.index(axis)] * across
        return bool(n_values * 4 <= _MOST_BYTES)


def open_volume(address: str) -> Volume:
    """Open a volume in a folder or on S3; nothing but its metadata is read.

    Raises
    ------
    UserError
        If there is no OME-Zarr volume.
    """
    address = address.rstrip("/")
    if not is_remote(address):
        address = str(Path(address).absolute())
    ome = read_ome(address)
    multiscale = ome["multiscales"][0]
    names = "".join(axis["name"] for axis in multiscale["axes"])
    if names != "zyx":
        raise UserError(f"{address}: its axes are {names}, not zyx; napari shows an axis of time")
    datasets = multiscale["datasets"]
    has_unit = multiscale["axes"][0].get("unit") == "micrometer"
    scales = tuple(
        tuple(float(value) for value in each["coordinateTransformations"][0]["scale"])
        for each in datasets
    )
    channel = ome.get("omero", {}).get("channels", [{}])[0]
    shown = channel.get("window", {})
    levels = tuple(open_array(f"{address}/{each['path']}/zarr.json") for each in datasets)
    stored = float(shown.get("start", 0)), float(shown.get("end", 1))
    codes = codes_in(levels[0].attrs, levels[0].dtype)
    window = stored
    if codes is not None:
        window = codes.low + codes.scale * stored[0], codes.low + codes.scale * stored[1]
    return Volume(address, levels, scales if has_unit else None, window, stored)
