"""The volume that copies are made of: one level of it, where it lies, and what its numbers mean."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

from tomobatch.errors import UserError
from tomobatch.stores.grey_codes import GreyCodes, codes_in
from tomobatch.stores.multiscale import read_ome
from tomobatch.stores.read import open_array
from tomobatch.units import grey_unit

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Original:
    """One level of a volume.

    Attributes
    ----------
    array
        Its voxels (z, y, x).
    voxel_um
        Edge of a voxel (z, y, x), in micrometres; None if it is not known.
    origin_um
        Where the centre of its first voxel lies: detector pixels from the first row and from the
        corner of the whole slice, in micrometres where the voxel is known.
    """

    array: "zarr.Array[Any]"
    voxel_um: Triple | None
    origin_um: Triple

    @property
    def codes(self) -> GreyCodes | None:
        """How whole numbers are written; None where the values are the greys."""
        return codes_in(self.array.attrs, self.array.dtype)

    @property
    def unit(self) -> str:
        """Unit of the grey values."""
        return grey_unit(None if self.voxel_um is None else self.voxel_um[2])

    def blocks(self) -> Iterator[npt.NDArray[Any]]:
        """Walk it from the first slice to the last, shard by shard."""
        step = (self.array.shards or self.array.chunks)[0]
        for start in range(0, self.array.shape[0], step):
            yield np.asarray(self.array[start : start + step])

    def slices(self) -> Iterator[npt.NDArray[Any]]:
        """Walk its slices (y, x)."""
        for block in self.blocks():
            yield from block


def open_original(group: str, level: int = 0) -> Original:
    """Open a level of the volume in a folder or on S3.

    Parameters
    ----------
    group
        Its folder or s3:// address.
    level
        0 is the finest.

    Raises
    ------
    UserError
        If it has no such level, or is a series of volumes.
    """
    multiscale = read_ome(group)["multiscales"][0]
    datasets = multiscale["datasets"]
    axes = "".join(axis["name"] for axis in multiscale["axes"])
    if axes != "zyx":
        raise UserError(
            f"{group}: its axes are {axes}, and a copy has z, y and x: export the volumes of a"
            " series one by one"
        )
    if not 0 <= level < len(datasets):
        raise UserError(f"{group}: level {level} asked for, it has 0 to {len(datasets) - 1}")
    scale, translation = datasets[level]["coordinateTransformations"]
    voxel, origin = scale["scale"], translation["translation"]
    known = multiscale["axes"][0].get("unit") == "micrometer"
    return Original(
        open_array(f"{group}/{datasets[level]['path']}/zarr.json"),
        (float(voxel[0]), float(voxel[1]), float(voxel[2])) if known else None,
        (float(origin[0]), float(origin[1]), float(origin[2])),
    )
