"""The two methods of reconstruction, which of them to take, and how many slices at a time."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import get_args

from tomobatch.errors import UserError
from tomobatch.opencl.devices import Device
from tomobatch.reconstruct.direct import DirectEngine
from tomobatch.reconstruct.engine import Engine
from tomobatch.reconstruct.fft import even_fast_length
from tomobatch.reconstruct.filter import SAMPLES_PER_PX
from tomobatch.reconstruct.fourier import STANDARD, FourierEngine
from tomobatch.reconstruct.geometry import Geometry
from tomobatch.reconstruct.sampling import row_length
from tomobatch.reconstruct.settings import MethodName, Padding, Window

METHODS: tuple[str, ...] = get_args(MethodName)

_LANES = {"direct": (32, 16, 8, 4, 1), "fourier": (16, 8, 4, 2, 1)}
_ENGINES: dict[str, Callable[..., Engine]] = {"direct": DirectEngine, "fourier": FourierEngine}
# With fewer a CPU takes too long for each: with 8 by ``fourier`` it takes 1.2 times as long as in a
# full block, with 16 by ``direct`` 1.3 times.
_WELL_FILLED = {"direct": 16, "fourier": 8}
# The driver, other programs and the runtime's own buffers want memory as well.
_USABLE_FRACTION = 0.8


@dataclass(frozen=True)
class Plan:
    """How the rows of a chunk are worked through on one device.

    Attributes
    ----------
    method
        "direct" or "fourier".
    lanes
        Slices of a full block.
    seconds
        What the whole chunk is expected to take in full blocks, by method.
    """

    method: str
    lanes: int
    seconds: dict[str, float]

    @property
    def description(self) -> str:
        """One phrase for the log: the method, the block and what the choice rests on."""
        expected = ", ".join(f"{name} {value:.2g} s" for name, value in self.seconds.items())
        return f"method {self.method}, {self.lanes} slices at a time (expected: {expected})"

    def lanes_for(self, n_rows: int) -> int:
        """Return the fewest lanes that take a block of so many rows."""
        return min(lanes for lanes in _LANES[self.method] if lanes >= min(n_rows, self.lanes))

    def engine(
        self,
        device: Device,
        geometry: Geometry,
        lanes: int,
        name: Window,
        padding: Padding,
    ) -> Engine:
        """Return the engine for blocks of so many lanes."""
        return _ENGINES[self.method](device, geometry, lanes, name, padding)


def make_plan(
    device: Device, geometry: Geometry, n_rows: int, method: MethodName, *, n_blocks: int = 4
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
    if method not in METHODS:
        raise UserError(f"method: '{method}' is not one of {', '.join(METHODS)}")
    names = [method] if method != "auto" else ["direct", "fourier"]
    seconds = {name: expected_s(device.kind, geometry, name) * n_rows for name in names}
    chosen = choose_method(geometry) if method == "auto" else method
    lanes = _most_lanes(device, geometry, n_rows, chosen, n_blocks)
    if lanes is None:
        need = sum(buffer_bytes(geometry, chosen, 1)) / 2**20
        free = device.free_memory_bytes() / 2**20
        raise UserError(
            f"one slice of {geometry.n_angles} x {geometry.n_cols} needs {need:.0f} MB on"
            f" '{device.cl_device.name.strip()}' by the method {chosen}, {free:.0f} MB are free:"
            " reconstruct a region or bin the slices, or take a device with more memory"
        )
    return Plan(chosen, lanes, seconds)


def choose_method(geometry: Geometry) -> str:
    """Return the method that a CPU, where the choice matters most, is faster by."""
    return min(("direct", "fourier"), key=lambda name: expected_s("cpu", geometry, name))


def buffer_bytes(geometry: Geometry, method: str, lanes: int) -> list[int]:
    """Return the sizes of the device buffers of a block, without the tables that all share."""
    height, width = geometry.shape_px
    out = 4 * lanes * height * width
    if method == "direct":
        n_samples = SAMPLES_PER_PX * (2 * math.ceil(geometry.reach_px) + 16)
        rows = 4 * lanes * geometry.n_angles * n_samples
        return [rows, out, out]
    lanes = max(lanes, 2)
    samples = 8 * lanes * geometry.n_angles * (row_length(geometry) // 2 + 1)
    return [samples, 4 * lanes * _n_grid(geometry) ** 2, out]


def expected_s(kind: str, geometry: Geometry, method: str) -> float:
    """Return the expected time of a slice among a full block, by the table of measured costs."""
    by_lanes = {int(known): costs for known, costs in _costs()[kind][method].items()}
    lanes = max(by_lanes)
    costs = by_lanes[lanes]
    slice_ns = sum(costs[term] * count for term, count in work(geometry, method).items())
    return 1e-9 * (slice_ns + costs["block"] / lanes)


def work(geometry: Geometry, method: str) -> dict[str, float]:
    """Return how much there is to do for one slice, in the terms of the cost table.

    ``filter`` and ``grid`` count points of a transform times the logarithm of its length,
    ``update`` pixels times angles, ``spread`` samples of the spectrum.
    """
    height, width = geometry.shape_px
    length = row_length(geometry)
    filtering = geometry.n_angles * length * math.log2(length)
    if method == "direct":
        area = float(height * width)
        if geometry.mask_radius_px is not None:
            area = min(area, math.pi * (geometry.mask_radius_px / geometry.binning) ** 2)
        return {"filter": filtering, "update": area * geometry.n_angles}
    n_grid = _n_grid(geometry)
    return {
        "filter": filtering,
        "spread": geometry.n_angles * min(length / 2, length / 2 / geometry.binning),
        "grid": n_grid**2 * math.log2(n_grid),
    }


def _most_lanes(
    device: Device, geometry: Geometry, n_rows: int, method: str, n_blocks: int
) -> int | None:
    """Return the most lanes, not more than the rows need, whose buffers fit the device."""
    free = device.free_memory_bytes() * _USABLE_FRACTION / device.n_engines
    largest = device.cl_device.max_mem_alloc_size
    wanted = math.ceil(n_rows / n_blocks)
    if device.kind == "cpu":
        wanted = max(wanted, min(n_rows, _WELL_FILLED[method]))
    enough = min((n for n in _LANES[method] if n >= wanted), default=_LANES[method][0])
    for lanes in _LANES[method]:
        sizes = buffer_bytes(geometry, method, lanes)
        if lanes <= enough and sum(sizes) <= free and max(sizes) <= largest:
            return lanes
    return None


def _n_grid(geometry: Geometry) -> int:
    return even_fast_length(math.ceil(STANDARD.oversampling * max(geometry.shape_px)))


@cache
def _costs() -> dict[str, dict[str, dict[str, dict[str, float]]]]:
    """Return nanoseconds by device kind, method, lanes and term of ``work`` (``block``: once)."""
    text = (files("tomobatch.reconstruct") / "costs.json").read_text(encoding="utf-8")
    table: dict[str, dict[str, dict[str, dict[str, float]]]] = json.loads(text)["nanoseconds"]
    return table
