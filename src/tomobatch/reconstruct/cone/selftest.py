"""Build every kernel of the cone beam and compare it with its float64 twin."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tomobatch.arrays import Float32Array, Float64Array
from tomobatch.beam import ConeBeam
from tomobatch.opencl.check import KernelCheck, compare
from tomobatch.opencl.devices import Device
from tomobatch.reconstruct.cone.geometry import ConeGeometry, make_cone_geometry
from tomobatch.reconstruct.cone.iterate import iterate_volume
from tomobatch.reconstruct.cone.projector import COLUMNS, LANES, RayCut
from tomobatch.reconstruct.cone.projector_twin import ray_matrix
from tomobatch.reconstruct.cone.rays import seen_pixels, volume_noise
from tomobatch.reconstruct.cone.slabs import reconstruct_slab
from tomobatch.reconstruct.cone.twin import fdk_twin
from tomobatch.reconstruct.cone.variants import Variant, columns, image, local
from tomobatch.reconstruct.cone.walks import make_ray_grid
from tomobatch.reconstruct.iterative import twin
from tomobatch.reconstruct.iterative.methods import ITERATIONS
from tomobatch.reconstruct.iterative.workspace import LEAST_LENGTH_PX
from tomobatch.reconstruct.settings import IterativeName, ReconstructSettings

# Noise has no smooth place: a float32 coordinate moves it by some 1e-6 of its largest value.
TOLERANCE = 1e-5

Size = tuple[int, int, int]
"""Rows, angles and columns of the noise that is reconstructed."""

SIZE: Size = (20, 24, 37)

ITERATED_TOLERANCE = 1e-4
"""float32 sums of some tens of planes and angles, a few iterations over."""

_FEW: Size = (4, 3, 9)
_ITERATIONS = 2
_NEAR = ConeBeam(30, 60, 1.0, 1.1, shift_u_px=1.2, shift_v_px=-2, axis_shift_px=1.5, sense=-1)
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
    for name in ITERATIONS:
        yield _check_iterations(device, name, COLUMNS)
    yield _check_iterations(device, "tv", LANES)


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


def _check_iterations(device: Device, name: IterativeName, cut: RayCut) -> KernelCheck:
    """Compare all slices of a small scan of noise, a few iterations over, with the twins."""
    n_rows, n_angles, n_cols = _FEW
    geometry = make_cone_geometry(_NEAR, 2.2 * np.arange(n_angles), n_rows, n_cols)
    chosen = ReconstructSettings(
        method=name,
        iterations=_ITERATIONS,
        non_negative=name != "cgls",
        device=device.kind,
    )

    def run() -> tuple[npt.ArrayLike, npt.ArrayLike]:
        random = np.random.default_rng(cut.width)
        sinograms = random.normal(1, 1, size=_FEW).astype(np.float32)
        found: list[Float32Array] = []
        iterate_volume(
            lambda rows, angles: sinograms[rows, angles],
            lambda start, slices: found.append(slices),
            (0, n_rows),
            geometry,
            chosen,
            cut,
        )
        return np.concatenate(found), _expected(sinograms, geometry, name)

    files = "cone/rays.cl, cone/gradient.cl" if name == "tv" else "cone/rays.cl"
    how = "vectors" if cut.width > 1 else "a work-item a voxel"
    return compare(files, f"{name}, {how}", ITERATED_TOLERANCE, run)


def _expected(sinograms: Float32Array, geometry: ConeGeometry, name: IterativeName) -> Float64Array:
    """Return what a few iterations make of a scan (row, angle, x), by the twins, (slice, y, x)."""
    grid = make_ray_grid(geometry)
    rays = np.ascontiguousarray(sinograms.transpose(1, 2, 0))
    a = ray_matrix(grid)
    used = a.sum(axis=1) > LEAST_LENGTH_PX
    a, b = a[used], rays.ravel()[used].astype(np.float64)
    if name == "sirt":
        volume = twin.sirt_twin(a, b, _ITERATIONS, lowest=0)
    elif name == "cgls":
        volume = twin.cgls_twin(a, b, _ITERATIONS)
    else:
        bound = volume_noise(rays, seen_pixels(grid)) * geometry.slices.n_angles**0.5
        slices = grid.slices
        inside = np.ones((grid.n_slices, grid.side, grid.side))
        if slices.mask_radius_px is not None:
            r2 = np.add.outer(slices.y_px**2, slices.x_px**2)
            inside *= r2 <= slices.mask_radius_px**2
        volume = twin.tv_twin(a, b, _ITERATIONS, bound, inside, lowest=0)
    first = -grid.first_slice
    shape = grid.n_slices, grid.side, grid.side
    return np.asarray(volume.reshape(shape)[first : first + geometry.n_rows])
