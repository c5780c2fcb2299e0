"""How the back-projection of a cone is cut for a device: the constants of its three kernels."""

import math
from dataclasses import dataclass
from typing import Literal

import pyopencl as cl

from tomobatch.opencl.devices import Device
from tomobatch.opencl.kernels import Define
from tomobatch.reconstruct.cone.geometry import ConeGeometry

# Longest column of voxels that a CPU keeps at hand: 1 KB of sums.
_LONGEST_COLUMN = 256
LANES = 8
"""Floats of a vector of the kernel for CPUs."""
_TILE = 16


@dataclass(frozen=True)
class Variant:
    """One of the kernels and its constants.

    ``columns`` runs along z with unit stride, on a CPU; ``local`` holds patches of the detector in
    a GPU's local memory; ``image`` reads through its texture units.

    Attributes
    ----------
    name
        The kernel's file.
    defines
        Constants of the build.
    n_z
        Voxels of a column that one work-item or group computes: heights are padded to a multiple.
    side
        Pixels of a tile or group each way.
    """

    name: Literal["columns", "local", "image"]
    defines: dict[str, Define]
    n_z: int
    side: int


def columns(geometry: ConeGeometry, n_slices: int) -> Variant:
    """Return the variant for CPUs: columns as long as the slab lets them be."""
    n_z = min(_LONGEST_COLUMN, 64 * math.ceil(n_slices / 64))
    far, near = geometry.magnifications
    spread = max(near - 1, 1 - far)
    taps = 2 + max(1, math.ceil((LANES - 1) * spread))
    # A vector before the rows that a column projects to, and one after, for loads of whole ones.
    line = LANES * (math.ceil((n_z * near + taps) / LANES) + 3)
    defines: dict[str, Define] = {
        "N_VECS": n_z // LANES,
        "TAPS": taps,
        "LINE": line,
        "TILE": _TILE,
    }
    return Variant("columns", defines, n_z, _TILE)


def image(n_z: int = 8, side: int = 16) -> Variant:
    """Return the variant that fetches through a GPU's texture units."""
    return Variant("image", {"N_Z": n_z, "SIDE": side}, n_z, side)


def local(geometry: ConeGeometry, local_bytes: int, side: int = 8, n_z: int = 64) -> Variant | None:
    """Return the variant for GPUs, or None where the smallest patch does not fit.

    Half of the local memory is used, so that a second group may run on the same unit.
    """
    while side >= 4:
        n_columns, n_rows = _patch(geometry, side, n_z)
        if 4 * n_columns * n_rows + 16 * side**2 + 8 <= local_bytes // 2:
            defines: dict[str, Define] = {
                "SIDE": side,
                "N_Z": n_z,
                "N_PIXELS": side**2 // 4,
                "COLUMNS": n_columns,
                "ROWS": n_rows,
            }
            return Variant("local", defines, n_z, side)
        side, n_z = side // 2, n_z // 2
    return None


def choose_variant(device: Device, geometry: ConeGeometry, n_slices: int) -> Variant:
    """Return the variant for a device by its properties: local memory of its own, images."""
    found = device.cl_device
    if found.local_mem_type == cl.device_local_mem_type.LOCAL:
        chosen = local(geometry, found.local_mem_size)
        if chosen is not None:
            return chosen
        if found.image_support and found.image_max_array_size >= 8:
            return image()
    return columns(geometry, n_slices)


def _patch(geometry: ConeGeometry, side: int, n_z: int) -> tuple[int, int]:
    """Return the columns and rows that the voxels of a group project to at most, and one each way.

    A square of pixels is ``diagonal`` wide; where it stands askew, its depth moves it sideways.
    """
    diagonal = (side - 1) * math.sqrt(2) * geometry.slices.binning
    _, near = geometry.magnifications
    reach = geometry.slices.reach_px
    shift = abs(geometry.beam.axis_shift_px)
    steepest = near * (reach + shift) / geometry.source
    _, v_px = geometry.principal_px
    highest = max(v_px, geometry.n_rows - v_px) + n_z
    # The square's own corner may lie beyond the reach, by its diagonal.
    closer = geometry.source / max(geometry.source - reach - diagonal, 0.05 * geometry.source)
    wide = closer * diagonal * math.hypot(1, steepest)
    high = closer * (n_z - 1) + highest * closer**2 / geometry.source * diagonal
    return math.ceil(wide) + 3, math.ceil(high) + 3
