"""Build every kernel of the reconstruction with every set of options and compare it with numpy."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from tomobatch.arrays import Float64Array
from tomobatch.opencl.check import KernelCheck, compare
from tomobatch.opencl.devices import Device
from tomobatch.reconstruct import vkfft
from tomobatch.reconstruct.direct import DIRECT, DirectEngine
from tomobatch.reconstruct.engine import Engine
from tomobatch.reconstruct.filter import SAMPLES_PER_PX
from tomobatch.reconstruct.fourier import FOURIER, FourierEngine
from tomobatch.reconstruct.geometry import Geometry, make_geometry
from tomobatch.reconstruct.iterative.selftest import check_kernels as check_iterative
from tomobatch.reconstruct.twin import fbp_twin
from tomobatch.reconstruct.variants import image, local, tiles

# float32 sums of some tens of angles, and what the standard gridding kernel promises.
DIRECT_TOLERANCE = 1e-5
FOURIER_TOLERANCE = 1e-2
# float32 transforms of some thousand points, in another order.
VKFFT_TOLERANCE = 1e-5

Size = tuple[int, int]
"""Angles and columns of the noise that is reconstructed."""

SIZE: Size = (24, 37)


def check_kernels(device: Device, size: Size = SIZE) -> Iterator[KernelCheck]:
    """Build, run and compare, one kernel and option set after the other."""
    for lanes in DIRECT.lanes[::-1]:
        yield _check_direct(device, lanes, "tiles", size)
    for lanes in DIRECT.lanes[::-1]:
        yield _check_direct(device, lanes, "local", size)
    if device.cl_device.image_support:
        yield _check_direct(device, 4, "image", size)
    for lanes in FOURIER.lanes[::-1]:
        for shared in (False, True):
            yield _check_fourier(device, lanes, shared, size)
    if vkfft.is_installed():
        for lanes in DIRECT.lanes[::-1]:
            yield _check_vkfft(device, DirectEngine, lanes, size)
        for lanes in FOURIER.lanes[::-1]:
            yield _check_vkfft(device, FourierEngine, lanes, size)
    yield from check_iterative(device, _noise(1, *size)[2])


def _check_direct(device: Device, lanes: int, name: str, size: Size) -> KernelCheck:
    # The least local memory that OpenCL 1.2 grants; a device may have more and take other options.
    local_bytes = int(device.cl_device.local_mem_size)
    variants = {"tiles": tiles(lanes), "local": local(lanes, 1, local_bytes), "image": image()}
    files = {"tiles": "direct.cl", "local": "direct_local.cl", "image": "direct_image.cl"}
    variant = variants[name]
    if variant is None:
        problem = f"{local_bytes} bytes of local memory are too few"
        return KernelCheck(files[name], f"{lanes} slices", None, DIRECT_TOLERANCE, problem)

    def make(geometry: Geometry) -> Engine:
        return DirectEngine(device, geometry, lanes, variant=variant)

    options = f"{lanes} slices"
    return _check(files[name], options, make, (lanes, *size), DIRECT_TOLERANCE, SAMPLES_PER_PX)


def _check_fourier(device: Device, lanes: int, shared: bool, size: Size) -> KernelCheck:
    def make(geometry: Geometry) -> Engine:
        return FourierEngine(device, geometry, lanes, shared=shared)

    options = f"{lanes} slices, {'one work-item' if not shared else 'a group'} a tile"
    return _check("sampling.cl, gridding.cl", options, make, (lanes, *size), FOURIER_TOLERANCE, 16)


def _check_vkfft(
    device: Device, engine: type[DirectEngine | FourierEngine], lanes: int, size: Size
) -> KernelCheck:
    """Compare rows and grids that the device transforms with those of the host."""
    sinograms, cors, geometry = _noise(lanes, *size)

    def slices(on_device: bool) -> npt.NDArray[np.float32]:
        found = np.empty((lanes, *geometry.shape_px), dtype=np.float32)
        engine(device, geometry, lanes, on_device=on_device)(sinograms, cors, found)
        return found

    kernel = "rows.cl, direct.cl" if engine is DirectEngine else "rows.cl, gridding.cl"
    options = f"{lanes} slices, transforms by VkFFT"
    return compare(kernel, options, VKFFT_TOLERANCE, lambda: (slices(True), slices(False)))


def _check(
    kernel: str,
    options: str,
    make: Callable[[Geometry], Engine],
    shape: tuple[int, int, int],
    tolerance: float,
    samples_per_px: int,
) -> KernelCheck:
    """Compare the first and the last slice of a block of noise with the reference."""

    def run() -> tuple[npt.ArrayLike, npt.ArrayLike]:
        sinograms, cors, geometry = _noise(*shape)
        found = np.empty((len(sinograms), *geometry.shape_px), dtype=np.float32)
        make(geometry)(sinograms, cors, found)
        expected = [
            fbp_twin(sinograms[lane], geometry, cors[lane], samples_per_px=samples_per_px)
            for lane in (0, -1)
        ]
        return found[[0, -1]], expected

    return compare(kernel, options, tolerance, run)


def _noise(
    lanes: int, n_angles: int, n_cols: int
) -> tuple[npt.NDArray[np.float32], Float64Array, Geometry]:
    """Return sinograms of noise, a centre of rotation for each, and a geometry of odd angles."""
    random = np.random.default_rng(lanes)
    sinograms = random.normal(size=(lanes, n_angles, n_cols)).astype(np.float32)
    cors = (n_cols - 1) / 2 + random.uniform(-2, 2, lanes)
    return sinograms, cors, make_geometry(random.uniform(0, 2 * np.pi, n_angles), n_cols)
