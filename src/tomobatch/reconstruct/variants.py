"""How the back-projection is cut for a kind of device: the variants of its kernel (decision 14)."""

import math
from dataclasses import dataclass
from typing import Literal

import pyopencl as cl

from tomobatch.opencl.devices import Device
from tomobatch.opencl.kernels import Define
from tomobatch.reconstruct.filter import SAMPLES_PER_PX
from tomobatch.reconstruct.geometry import Geometry

PIXELS_A_RUN = 4


@dataclass(frozen=True)
class Variant:
    """How the work is cut; the constants are those of the kernel files.

    ``tiles`` (``direct.cl``) keeps runs of pixels in the registers of a CPU, ``local``
    (``direct_local.cl``) strips of the rows in a GPU's local memory, ``image``
    (``direct_image.cl``) reads through its texture units.
    """

    name: Literal["tiles", "local", "image"]
    defines: dict[str, Define]
    side: int
    n_pixels: int = 1

    @property
    def margin_px(self) -> int:
        """Pixels beyond the mask that a run of pixels may reach."""
        return self.n_pixels if self.name == "tiles" else 0


def tiles(lanes: int, n_pixels: int = PIXELS_A_RUN, tile: int = 32, n_angles: int = 8) -> Variant:
    """Return the variant for CPUs; the numbers were the fastest at 1024 px, see the benchmarks."""
    width = min(lanes, 16)
    defines: dict[str, Define] = {
        "VEC": "float" if width == 1 else f"float{width}",
        "N_VECS": lanes // width,
        "N_PIXELS": n_pixels,
        "TILE": tile,
        "N_ANGLES": n_angles,
    }
    return Variant("tiles", defines, tile, n_pixels)


def local(lanes: int, binning: int, local_bytes: int) -> Variant | None:
    """Return the variant for GPUs, or None where not even one strip fits half the local memory.

    Half, so that a second group may run on the same unit while one waits at a barrier.
    """
    for side in (16, 8):
        strip = math.ceil((side - 1) * math.sqrt(2) * binning * SAMPLES_PER_PX) + 3
        n_angles = min(16, local_bytes // 2 // (4 * lanes * strip + 4))
        if n_angles >= 1:
            return _local(lanes, side, strip, n_angles)
    return None


def _local(lanes: int, side: int, strip: int, n_angles: int) -> Variant:
    width = min(lanes, 4)
    defines: dict[str, Define] = {
        "VEC": "float" if width == 1 else f"float{width}",
        "N_VECS": lanes // width,
        "SIDE": side,
        "N_ANGLES": n_angles,
        "STRIP": strip,
    }
    return Variant("local", defines, side)


def image(side: int = 16) -> Variant:
    """Return the variant that reads four slices through a GPU's texture units."""
    return Variant("image", {"SIDE": side}, side)


def choose_variant(device: Device, geometry: Geometry, lanes: int) -> Variant:
    """Return the variant for a device by its properties: local memory of its own, images."""
    found = device.cl_device
    if found.local_mem_type == cl.device_local_mem_type.LOCAL:
        chosen = local(lanes, geometry.binning, found.local_mem_size)
        if chosen is not None:
            return chosen
        samples = SAMPLES_PER_PX * (2 * math.ceil(geometry.reach_px) + 6)
        fits = samples <= found.image2d_max_width and geometry.n_angles <= found.image2d_max_height
        if lanes == 4 and found.image_support and fits:
            return image()
    return tiles(lanes)
