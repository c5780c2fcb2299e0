"""Build the kernels of iteration with every set of options and compare them with numpy."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tomobatch.arrays import Float32Array, Float64Array
from tomobatch.opencl.check import KernelCheck, compare
from tomobatch.opencl.devices import Device
from tomobatch.reconstruct.geometry import Geometry
from tomobatch.reconstruct.iterative import twin
from tomobatch.reconstruct.iterative.cut import Cut, rays, tiles
from tomobatch.reconstruct.iterative.engine import IterativeEngine
from tomobatch.reconstruct.iterative.methods import ITERATIONS
from tomobatch.reconstruct.iterative.projector import make_grid
from tomobatch.reconstruct.iterative.rays import RayPlacer, noise_sigma
from tomobatch.reconstruct.settings import IterativeName, ReconstructSettings

TOLERANCE = 1e-4
"""float32 sums of some tens of angles, a few iterations over."""

_ITERATIONS = 3


def check_kernels(device: Device, geometry: Geometry) -> Iterator[KernelCheck]:
    """Reconstruct noise by every method and cut, a few iterations of it, one after the other."""
    for name in ITERATIONS:
        for cut in (tiles(4), tiles(16), rays(4), rays(16)):
            yield check_method(device, geometry, name, cut)
    yield check_method(device, geometry, "sirt", tiles(1))
    yield check_method(device, geometry, "sirt", tiles(8))


def check_method(device: Device, geometry: Geometry, name: IterativeName, cut: Cut) -> KernelCheck:
    """Compare the first and the last slice of a block that is not full with the reference."""

    def run() -> tuple[npt.ArrayLike, npt.ArrayLike]:
        random = np.random.default_rng(cut.lanes)
        n_rows = max(1, cut.lanes - 1)
        shape = (n_rows, geometry.n_angles, geometry.n_cols)
        sinograms = random.normal(1, 1, size=shape).astype(np.float32)
        cors = (geometry.n_cols - 1) / 2 + random.uniform(-2, 2, n_rows)
        found = np.empty((n_rows, *geometry.shape_px), dtype=np.float32)
        chosen = ReconstructSettings(method=name, non_negative=name != "cgls")
        method = ITERATIONS[name]
        engine = IterativeEngine(device, geometry, cut.lanes, chosen, method, _ITERATIONS, cut)
        engine(sinograms, cors, found)
        ends = (0, n_rows - 1)
        expected = [expected_slice(sinograms[at], geometry, cors[at], name) for at in ends]
        return found[list(ends)], expected

    how = "a work-item a tile" if cut.group == 1 else "a work-item a ray"
    options = f"{name}, {cut.lanes} slices, {how}"
    return compare("iterative/projector.cl, iterative/algebra.cl", options, TOLERANCE, run)


def expected_slice(
    sinogram: Float32Array, geometry: Geometry, cor_px: float, name: IterativeName
) -> Float64Array:
    """Return what a few iterations make of a sinogram (angle, x), by the twins, (ny, nx)."""
    grid, cor = make_grid(geometry), np.array([cor_px])
    placer = RayPlacer(grid)
    placed = np.empty((geometry.n_angles, grid.n_samples, 1), dtype=np.float32)
    placer(sinogram[None], cor, placed)
    seen = placer.seen(cor)
    a = twin.matrix(grid)
    used = np.tile(seen[:, 0] > 0, geometry.n_angles) & (a.sum(axis=1) > 1e-3)
    a, b = a[used], placed[:, :, 0].ravel()[used].astype(np.float64)
    if name == "sirt":
        image = twin.sirt_twin(a, b, _ITERATIONS, lowest=0)
    elif name == "cgls":
        image = twin.cgls_twin(a, b, _ITERATIONS)
    else:
        bound = float(noise_sigma(placed, seen)[0]) * geometry.n_angles**0.5
        inside = np.ones((grid.side, grid.side))
        if geometry.mask_radius_px is not None:
            whole = grid.geometry
            r2 = np.add.outer(whole.y_px**2, whole.x_px**2)
            inside = (r2 <= geometry.mask_radius_px**2).astype(np.float64)
        image = twin.tv_twin(a, b, _ITERATIONS, bound, inside, lowest=0)
    (y, x), (height, width) = grid.corner, geometry.shape_px
    whole_slice = image.reshape(grid.side, grid.side) / geometry.binning
    return whole_slice[y : y + height, x : x + width]
