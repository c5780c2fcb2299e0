"""The methods of reconstruction, which of them to take, and how many slices at a time.

Decisions 13 and 15.
"""

import json
import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from tomobatch.errors import UserError
from tomobatch.opencl.devices import Device
from tomobatch.reconstruct import vkfft
from tomobatch.reconstruct.direct import DIRECT
from tomobatch.reconstruct.engine import Method
from tomobatch.reconstruct.fourier import FOURIER
from tomobatch.reconstruct.geometry import Geometry
from tomobatch.reconstruct.iterative.methods import CGLS, SIRT, TV
from tomobatch.reconstruct.model import T4, Gpu, find_gpu, slice_s
from tomobatch.reconstruct.settings import MethodName

METHODS = {method.name: method for method in (DIRECT, FOURIER, SIRT, CGLS, TV)}

FBP = (DIRECT.name, FOURIER.name)
"""Those that give one and the same volume, between which ``auto`` chooses."""

# Into which the rows of a chunk are cut (decision 15).
_N_BLOCKS = 4
# The driver, other programs and the runtime's own buffers want memory as well.
_USABLE_FRACTION = 0.8


@dataclass(frozen=True)
class Plan:
    """How the rows of a chunk are worked through on one device.

    Attributes
    ----------
    method
        One of ``METHODS``.
    lanes
        Slices of a full block.
    seconds
        What the whole chunk is expected to take in full blocks, by method.
    basis
        What the expectation rests on, where it is not on times that were measured.
    """

    method: str
    lanes: int
    seconds: dict[str, float]
    basis: str = ""

    @property
    def description(self) -> str:
        """One phrase for the log: the method, the block and what the choice rests on."""
        expected = ", ".join(f"{name} {value:.2g} s" for name, value in self.seconds.items())
        basis = f" {self.basis}" if self.basis else ""
        return f"method {self.method}, {self.lanes} slices at a time (expected{basis}: {expected})"

    def lanes_for(self, n_rows: int) -> int:
        """Return the fewest lanes that take a block of so many rows."""
        return min(
            lanes for lanes in METHODS[self.method].lanes if lanes >= min(n_rows, self.lanes)
        )


def make_plan(
    device: Device,
    geometry: Geometry,
    n_rows: int,
    method: MethodName,
    *,
    n_blocks: int = _N_BLOCKS,
    n_iterations: int = 1,
) -> Plan:
    """Choose the method, unless one is given, and the size of the blocks, which fits the device.

    So many blocks, or more, unless they became so small that they compute slowly: the first one's
    reading and the last one's writing overlap with nothing, engines side by side want two each, and
    small blocks need less memory. The method rests on the geometry alone, by what it costs a CPU: a
    scan cut into other chunks, a job with less memory to spare or on another device gets the same
    volume.

    Raises
    ------
    UserError
        A method there is not; a device too small for a single slice.
    """
    if method != "auto" and method not in METHODS:
        raise UserError(f"method: '{method}' is not one of auto, {', '.join(METHODS)}")
    names = [method] if method != "auto" else FBP
    gpu = find_gpu(device.cl_device.name) if device.kind == "gpu" else T4
    seconds = {
        name: n_rows * expected_s(device.kind, geometry, name, gpu, n_iterations=n_iterations)
        for name in names
    }
    chosen = choose_method(geometry) if method == "auto" else method
    lanes = _most_lanes(device, geometry, n_rows, chosen, n_blocks)
    if lanes is None:
        need = sum(_buffer_bytes(device, geometry, chosen, 1)) / 2**20
        free = device.free_memory_bytes() / 2**20
        raise UserError(
            f"one slice of {geometry.n_angles} x {geometry.n_cols} needs {need:.0f} MB on"
            f" '{device.cl_device.name.strip()}' by the method {chosen}, {free:.0f} MB are free:"
            " reconstruct a region or bin the slices, or take a device with more memory"
        )
    measured = is_measured(device.kind, chosen, gpu)
    basis = "" if measured else f"by the model of a {gpu.name}, not measured"
    return Plan(chosen, lanes, seconds, basis)


def choose_method(geometry: Geometry) -> str:
    """Return the method that a CPU, where the choice matters most, is faster by."""
    return min(FBP, key=lambda name: expected_s("cpu", geometry, name))


def expected_s(
    kind: str, geometry: Geometry, method: str, gpu: Gpu = T4, *, n_iterations: int = 1
) -> float:
    """Return the expected time of a slice among a full block.

    By the table of measured costs, or, for GPUs until it has their row, by the model of one.
    """
    if not is_measured(kind, method, gpu):
        return slice_s(gpu, geometry, method, n_iterations)
    row = _costs()[_row_name(kind, gpu)][method]
    by_lanes = {int(known): costs for known, costs in row.items()}
    lanes = max(by_lanes)
    costs = by_lanes[lanes]
    work = METHODS[method].work(geometry)
    slice_ns = n_iterations * sum(costs[term] * count for term, count in work.items())
    return 1e-9 * (slice_ns + costs["block"] / lanes)


def is_measured(kind: str, method: str, gpu: Gpu = T4) -> bool:
    """Tell whether the table has times of a method on such a device."""
    return method in _costs().get(_row_name(kind, gpu), {})


def _row_name(kind: str, gpu: Gpu) -> str:
    return gpu.name if kind == "gpu" else kind


def _most_lanes(
    device: Device, geometry: Geometry, n_rows: int, method: str, n_blocks: int
) -> int | None:
    """Return the most lanes, not more than the rows need, whose buffers fit the device."""
    free = device.free_memory_bytes() * _USABLE_FRACTION / device.n_engines
    largest = device.cl_device.max_mem_alloc_size
    its = METHODS[method]
    enough = _enough_lanes(its, n_rows, n_blocks, on_cpu=device.kind == "cpu")
    for lanes in its.lanes:
        sizes = _buffer_bytes(device, geometry, method, lanes)
        if lanes <= enough and sum(sizes) <= free and max(sizes) <= largest:
            return lanes
    return None


def _enough_lanes(its: Method, n_rows: int, n_blocks: int, *, on_cpu: bool) -> int:
    """Return the lanes that make so many blocks of the rows, if they are not too small for it."""
    wanted = math.ceil(n_rows / n_blocks)
    if on_cpu:
        wanted = max(wanted, min(n_rows, its.well_filled))
    return min((n for n in its.lanes if n >= wanted), default=its.lanes[0])


def block_bytes(method: str, geometry: Geometry, n_rows: int) -> int:
    """Return what the buffers of a block take on a CPU that has the memory for them."""
    its = METHODS[method]
    lanes = _enough_lanes(its, n_rows, _N_BLOCKS, on_cpu=True)
    return sum(its.buffer_bytes(geometry, lanes, on_device=False))


def _buffer_bytes(device: Device, geometry: Geometry, method: str, lanes: int) -> list[int]:
    return METHODS[method].buffer_bytes(geometry, lanes, on_device=vkfft.is_used(device))


@cache
def _costs() -> dict[str, dict[str, dict[str, dict[str, float]]]]:
    """Return nanoseconds by device, method, lanes and term of work (``block``: once)."""
    text = (files("tomobatch.reconstruct") / "costs.json").read_text(encoding="utf-8")
    table: dict[str, dict[str, dict[str, dict[str, float]]]] = json.loads(text)["nanoseconds"]
    return table
