"""Build every kernel of the cone beam's back-projection and compare it with its float64 twin."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tomobatch.beam import ConeBeam
from tomobatch.opencl.check import KernelCheck, compare
from tomobatch.opencl.devices import Device
from tomobatch.reconstruct.cone.geometry import ConeGeometry, make_cone_geometry
from tomobatch.reconstruct.cone.slabs import reconstruct_slab
from tomobatch.reconstruct.cone.twin import fdk_twin
from tomobatch.reconstruct.cone.variants import Variant, columns, image, local

# Noise has no smooth place: a float32 coordinate moves it by some 1e-6 of its largest value.
TOLERANCE = 1e-5

Size = tuple[int, int, int]
"""Rows, angles and columns of the noise that is reconstructed."""

SIZE: Size = (20, 24, 37)

_BEAM = ConeBeam(100, 200, 1.0, 1.1, shift_u_px=1.2, shift_v_px=-2, axis_shift_px=1.5, sense=-1)


def check_kernels(device: Device, size: Size = SIZE) -> Iterator[KernelCheck]:
    """Build, run and compare, one variant after the other."""
    n_rows, n_angles, n_cols = size
    angles = np.arange(n_angles) * 2 * np.pi / n_angles
    geometry = make_cone_geometry(_BEAM, angles, n_rows, n_cols)
    local_bytes = int(device.cl_device.local_mem_size)
    yield _check(device, geometry, columns(geometry, n_rows), TOLERANCE)
    in_patches = local(geometry, local_bytes)
    if in_patches is None:
        problem = f"{local_bytes} bytes of local memory are too few"
        yield KernelCheck("cone/local.cl", "no patch fits", None, TOLERANCE, problem)
    else:
        yield _check(device, geometry, in_patches, TOLERANCE)
    if device.cl_device.image_support:
        yield _check(device, geometry, image(), TOLERANCE)


def _check(
    device: Device, geometry: ConeGeometry, variant: Variant, tolerance: float
) -> KernelCheck:
    """Compare the upper half of the slices of a scan of noise with the twin."""
    n_rows, slices = geometry.n_rows, geometry.slices

    def run() -> tuple[npt.ArrayLike, npt.ArrayLike]:
        random = np.random.default_rng(n_rows)
        sinograms = random.normal(size=(n_rows, slices.n_angles, slices.n_cols)).astype(np.float32)
        chunk = (n_rows // 2, n_rows)
        found = reconstruct_slab(
            lambda rows, angles: sinograms[rows, angles], chunk, geometry, device, variant
        )
        return found, fdk_twin(sinograms, geometry, *chunk)

    return compare(f"cone/{variant.name}.cl", f"{variant.n_z} slices", tolerance, run)
