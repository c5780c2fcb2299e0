"""How the work of the projectors is cut for a kind of device."""

import math
from dataclasses import dataclass

import pyopencl as cl

from tomobatch.opencl.devices import Device
from tomobatch.opencl.kernels import Define


@dataclass(frozen=True)
class Cut:
    """The constants of the kernels, and how many work-items make a group.

    Attributes
    ----------
    lanes, width
        Slices of a block, and those of a vector.
    tile_rays, tile_angles, n_rays
        A work-item's share of the rays, and how many it keeps in registers.
    tile, n_angles, n_pixels
        Its share of the pixels, the angles between two visits, and pixels in registers.
    run
        Values of a row that it takes in algebra.
    group
        Work-items of a group; they go along rays or columns.
    """

    lanes: int
    width: int
    tile_rays: int
    tile_angles: int
    n_rays: int
    tile: int
    n_angles: int
    n_pixels: int
    run: int
    group: int = 1

    @property
    def n_vecs(self) -> int:
        """Vectors of a pixel."""
        return self.lanes // self.width

    @property
    def pad_px(self) -> int:
        """Zeros beside an image that the outer rays of a run may reach."""
        return math.ceil(math.sqrt(2) * (self.n_rays - 1)) + 4

    @property
    def defines(self) -> dict[str, Define]:
        """The constants of ``projector.cl``."""
        return {
            "VEC": "float" if self.width == 1 else f"float{self.width}",
            "N_VECS": self.n_vecs,
            "TILE_RAYS": self.tile_rays,
            "TILE_ANGLES": self.tile_angles,
            "N_RAYS": self.n_rays,
            "TILE": self.tile,
            "N_PIXELS": self.n_pixels,
            "N_ANGLES": self.n_angles,
            "PAD": self.pad_px,
        }

    @property
    def algebra(self) -> dict[str, Define]:
        """The constants of ``algebra.cl``."""
        return {"LANES": self.lanes, "WIDTH": self.width, "RUN": self.run}


def tiles(lanes: int) -> Cut:
    """Return the cut for CPUs: a work-item a tile, all of a vector's lanes at once."""
    return Cut(lanes, min(lanes, 16), 64, 8, 4, 32, 8, 4, run=256)


def rays(lanes: int) -> Cut:
    """Return the cut for GPUs: a work-item a ray or a pixel, of four slices."""
    return Cut(lanes, min(lanes, 4), 1, 1, 1, 1, 1 << 20, 1, run=8, group=64)


def choose_cut(device: Device, lanes: int) -> Cut:
    """Return the cut for a device: by whether it has local memory of its own, as GPUs have."""
    own = device.cl_device.local_mem_type == cl.device_local_mem_type.LOCAL
    return rays(lanes) if own else tiles(lanes)
