"""What is measured of a device: one figure after the other, by parts."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyopencl as cl

from tomobatch.beam import ConeBeam
from tomobatch.benchmark.fitting import typical_settings
from tomobatch.benchmark.timing import block_s, full_blocks_s, half_turn, least_s, side_by_side_s
from tomobatch.errors import UserError
from tomobatch.opencl.devices import Device
from tomobatch.reconstruct import vkfft
from tomobatch.reconstruct.cone import variants as cone_variants
from tomobatch.reconstruct.cone.geometry import make_cone_geometry
from tomobatch.reconstruct.cone.slabs import reconstruct_slab
from tomobatch.reconstruct.direct import DirectEngine
from tomobatch.reconstruct.engine import Engine
from tomobatch.reconstruct.fourier import FourierEngine
from tomobatch.reconstruct.geometry import Geometry
from tomobatch.reconstruct.methods import METHODS, expected_s
from tomobatch.reconstruct.model import find_gpu
from tomobatch.reconstruct.stream import reconstruct_blocks
from tomobatch.reconstruct.variants import image, local, tiles

TYPICAL = ((512, 804), (1024, 1500), (2048, 1800))
_COPY_BYTES = 64 * 2**20
_SLICE = "ms a slice"


@dataclass(frozen=True)
class Figure:
    """One figure; ``value`` is None where ``problem`` tells why there is none.

    ``model`` is what was expected of it before, in the same unit.
    """

    what: str
    value: float | None
    unit: str
    model: float | None = None
    problem: str = ""


FAILURES = (cl.Error, UserError, MemoryError)
"""What a device may do instead of computing."""

Part = Callable[[Device, int], Iterator[Figure]]


def sizes(most_px: int) -> list[tuple[int, int]]:
    """Return columns and angles of typical scans up to a size: that size, if it is below them."""
    found = [size for size in TYPICAL if size[0] <= most_px]
    return found or [(most_px, math.ceil(1.5 * most_px))]


def variants(device: Device, most_px: int) -> Iterator[Figure]:
    """Time every variant of both methods' kernels, at the middle size."""
    n_px, n_angles = sizes(min(most_px, 1024))[-1]
    geometry = half_turn(n_px, n_angles)
    memory = int(device.cl_device.local_mem_size)
    for lanes in METHODS["direct"].lanes:
        made = {"tiles": tiles(lanes), "local": local(lanes, 1, memory)}
        if lanes == 4 and device.cl_device.image_support:
            made["image"] = image()
        for name, variant in made.items():
            label = f"direct, {name}, {lanes} lanes, {n_px} px"
            if variant is None:
                yield Figure(label, None, _SLICE, problem="its strips do not fit the local memory")
                continue
            yield _slice(device, geometry, lanes, label, _direct(device, lanes, variant))
    for lanes in METHODS["fourier"].lanes:
        for shared in (True, False):
            how = "a group a tile" if shared else "a work-item a tile"
            label = f"fourier, {how}, {lanes} lanes, {n_px} px"
            yield _slice(device, geometry, lanes, label, _fourier(device, lanes, shared=shared))


def methods(device: Device, most_px: int) -> Iterator[Figure]:
    """Time all methods in full blocks at typical sizes, beside what was expected."""
    gpu = find_gpu(device.cl_device.name)
    for n_px, n_angles in sizes(most_px):
        geometry = half_turn(n_px, n_angles)
        for name, method in METHODS.items():
            lanes = method.lanes[0]

            def make(geometry: Geometry, name: str = name, lanes: int = lanes) -> Engine:
                return METHODS[name].make(device, geometry, lanes, typical_settings(name))

            n = typical_settings(name).n_iterations(name)
            expected_ms = 1e3 * expected_s(device.kind, geometry, name, gpu, n_iterations=n)
            iterations = f", {n} iterations" if n > 1 else ""
            label = f"{name}, {lanes} lanes, {n_px} px, {n_angles} angles{iterations}"

            def run(
                geometry: Geometry = geometry,
                lanes: int = lanes,
                make: Callable[[Geometry], Engine] = make,
            ) -> float:
                return 1e3 * full_blocks_s(device, geometry, lanes, make) / lanes

            yield _figure(label, _SLICE, run, expected_ms)


def transforms(device: Device, most_px: int) -> Iterator[Figure]:
    """Time the fourier method with transforms on the host, and on the device by VkFFT."""
    for n_px, n_angles in sizes(most_px):
        geometry = half_turn(n_px, n_angles)
        for on_device in (False, True):
            label = f"transforms {'by VkFFT' if on_device else 'on the host'}, {n_px} px"
            if on_device and not vkfft.is_installed():
                yield Figure(label, None, _SLICE, problem="pyvkfft is not installed")
                continue
            yield _slice(device, geometry, 16, label, _fourier(device, 16, on_device=on_device))


def engines(device: Device, most_px: int) -> Iterator[Figure]:
    """Time one engine against two that take turns, in wall time."""
    n_px, n_angles = sizes(min(most_px, 1024))[-1]
    geometry = half_turn(n_px, n_angles)
    for name, method in METHODS.items():
        lanes = method.lanes[1]
        for n in (1, 2):
            label = f"{name}, {'one engine' if n == 1 else 'two engines'}, {lanes} lanes, {n_px} px"

            def run(name: str = name, n: int = n, lanes: int = lanes) -> float:
                make = METHODS[name].make
                made = [make(device, geometry, lanes, typical_settings(name)) for _ in range(n)]
                return 1e3 * side_by_side_s(geometry, lanes, made, 4) / lanes

            yield _figure(label, _SLICE, run)


def transfers(device: Device, most_px: int) -> Iterator[Figure]:
    """Time copies to the device, back, and within it."""
    n_bytes = min(_COPY_BYTES, 1024 * most_px**2)
    queue, flags = device.queue(), cl.mem_flags.READ_WRITE
    host = np.ones(n_bytes // 4, dtype=np.float32)
    near, far = (cl.Buffer(device.context, flags, n_bytes) for _ in range(2))
    bus = find_gpu(device.cl_device.name).bus_gb_s if device.kind == "gpu" else None
    for label, to, source, crossed, model in (
        ("to the device", near, host, 1, bus),
        ("from the device", host, near, 1, bus),
        ("within the device, read and written", far, near, 2, None),
    ):

        def copy(to: object = to, source: object = source) -> None:
            cl.enqueue_copy(queue, to, source)  # type: ignore[call-overload]
            queue.finish()

        def rate(copy: Callable[[], None] = copy, crossed: int = crossed) -> float:
            return crossed * n_bytes / least_s(device, copy) / 1e9

        yield _figure(label, "GB/s", rate, model)


def pipeline(device: Device, most_px: int) -> Iterator[Figure]:
    """Reconstruct a chunk as a job does, block after block, reading and writing beside it."""
    for n_px, n_angles in sizes(most_px)[-2:]:
        geometry = half_turn(n_px, n_angles)
        for name, method in METHODS.items():
            n_rows = 4 * method.lanes[0]
            rows = np.ones((method.lanes[0], n_angles, n_px), dtype=np.float32)
            settings = typical_settings(name).model_copy(update={"device": device.kind})
            cors = np.full(n_rows, (n_px - 1) / 2)

            start = time.perf_counter()
            timeline = reconstruct_blocks(
                lambda first, stop, rows=rows: rows[: stop - first],  # type: ignore[misc]
                lambda first, slices: None,
                n_rows,
                geometry,
                cors,
                settings,
            )
            taken_ms = 1e3 * (time.perf_counter() - start) / n_rows
            label = f"{name}, {n_rows} slices of {n_px} px, start included"
            yield Figure(label, taken_ms, _SLICE)
            yield Figure(f"{label}: computing", 100 * timeline.compute_fraction, "% of the time")


def cones(device: Device, most_px: int) -> Iterator[Figure]:
    """Time the variants of the cone beam's back-projection, filter included."""
    n_px = min(most_px, 128)
    angles = np.arange(n_px) * 2 * np.pi / n_px
    beam = ConeBeam(4.0 * n_px, 8.0 * n_px, 1.0, 1.0)
    geometry = make_cone_geometry(beam, angles, n_px, n_px)
    made = {
        "columns": cone_variants.columns(geometry, n_px),
        "local": cone_variants.local(geometry, int(device.cl_device.local_mem_size)),
        "image": cone_variants.image() if device.cl_device.image_support else None,
    }
    sinograms = np.ones((n_px, n_px, n_px), dtype=np.float32)
    for name, variant in made.items():
        if variant is None:
            yield Figure(
                f"cone, {name}", None, _SLICE, problem="the device cannot hold its patches"
            )
            continue

        def run(variant: cone_variants.Variant = variant) -> float:
            def slab() -> object:
                return reconstruct_slab(
                    lambda rows, of: sinograms[rows, of], (0, n_px), geometry, device, variant
                )

            return 1e3 * least_s(device, slab) / n_px

        yield _figure(f"cone, {name}, {n_px} slices of {n_px} px and as many angles", _SLICE, run)


def _direct(device: Device, lanes: int, variant: object) -> Callable[[Geometry], Engine]:
    return lambda geometry: DirectEngine(device, geometry, lanes, variant=variant)  # type: ignore[arg-type]


def _fourier(
    device: Device, lanes: int, *, shared: bool | None = None, on_device: bool | None = None
) -> Callable[[Geometry], Engine]:
    return lambda geometry: FourierEngine(
        device, geometry, lanes, shared=shared, on_device=on_device
    )


def _slice(
    device: Device,
    geometry: Geometry,
    lanes: int,
    label: str,
    make: Callable[[Geometry], Engine],
) -> Figure:
    def run() -> float:
        return 1e3 * block_s(device, geometry, lanes, make(geometry)) / lanes

    return _figure(label, _SLICE, run)


def _figure(what: str, unit: str, run: Callable[[], float], model: float | None = None) -> Figure:
    """Return what was measured, or why it could not be."""
    try:
        return Figure(what, run(), unit, model)
    except FAILURES as error:
        return Figure(what, None, unit, model, str(error).splitlines()[0])


PARTS: dict[str, Part] = {
    "Methods": methods,
    "Transfers": transfers,
    "One engine against two": engines,
    "Transforms": transforms,
    "As a job works": pipeline,
    "Cone beam": cones,
    "Variants and lanes": variants,
}
