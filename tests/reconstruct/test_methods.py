"""Which method, how many slices at a time, and the memory they take."""

from dataclasses import replace
from types import SimpleNamespace
from typing import get_args

import numpy as np
import pytest

from tomobatch.errors import UserError
from tomobatch.opencl.buffers import Shared
from tomobatch.opencl.devices import Device, find_device
from tomobatch.reconstruct import methods
from tomobatch.reconstruct.geometry import Geometry, make_geometry
from tomobatch.reconstruct.methods import METHODS, expected_s, make_plan
from tomobatch.reconstruct.settings import MethodName, ReconstructSettings


def geometry_of(n_px: int, n_angles: int, **options) -> Geometry:
    return make_geometry(np.arange(n_angles) * np.pi / n_angles, n_px, **options)


@pytest.mark.parametrize("method", ["direct", "fourier"])
def test_memory_of_a_large_chunk(method) -> None:
    """32 slices of 2048 x 1800: at most 2.5 times input and output, counting both once."""
    lanes = make_plan(find_device("cpu"), geometry_of(2048, 1800), 32, method).lanes
    arrays = 4 * 32 * (1800 * 2048 + 2048**2)
    geometry = geometry_of(2048, 1800)
    samples, grid, _ = METHODS[method].buffer_bytes(geometry, lanes, on_device=False)
    assert arrays + samples + grid <= 2.5 * arrays


@pytest.mark.cpu
@pytest.mark.parametrize("options", [{}, {"binning": 16}, {"roi": (5, 9, 11, 7)}])
@pytest.mark.parametrize(("method", "lanes"), [("direct", 32), ("direct", 1), ("fourier", 16)])
def test_buffers_are_as_large_as_counted(method, lanes, options, monkeypatch) -> None:
    taken = []
    make = Shared.__init__

    def record(self, queue, shape) -> None:
        taken.append(4 * int(np.prod(shape)))
        make(self, queue, shape)

    monkeypatch.setattr(Shared, "__init__", record)
    geometry = geometry_of(300, 40, **options)
    METHODS[method].make(find_device("cpu"), geometry, lanes, ReconstructSettings())
    counted = METHODS[method].buffer_bytes(geometry, lanes, on_device=False)
    assert sorted(taken) == sorted(counted[:2])


def test_every_choice_is_a_method_or_auto() -> None:
    """The choices stand in the settings, what does them in its own file: a new one needs both."""
    assert {"auto", *METHODS} == set(get_args(MethodName))


def test_direct_wins_where_pixels_are_few_fourier_where_they_are_many() -> None:
    costs = methods._costs()
    assert costs["cpu"].keys() == METHODS.keys()
    device = find_device("cpu")
    assert make_plan(device, geometry_of(2048, 1800), 32, "auto").method == "fourier"
    part = geometry_of(2048, 1800, roi=(1000, 1000, 16, 16))
    assert expected_s("cpu", part, "direct") < expected_s("cpu", geometry_of(2048, 1800), "direct")


def test_cheaper_method_is_chosen(monkeypatch) -> None:
    table = {
        "direct": {"32": {"block": 0.0, "filter": 0.0, "update": 1.0}},
        "fourier": {"16": {"block": 0.0, "filter": 0.0, "spread": 1.0, "grid": 1000.0}},
    }
    monkeypatch.setattr(methods, "_costs", lambda: {"cpu": table})
    device = find_device("cpu")
    few, many = geometry_of(64, 4), geometry_of(64, 40000)
    assert make_plan(device, few, 32, "auto").method == "direct"
    assert make_plan(device, many, 32, "auto").method == "fourier"
    assert make_plan(device, many, 32, "direct").method == "direct"


@pytest.mark.cpu
def test_choice_does_not_depend_on_rows_or_memory(monkeypatch) -> None:
    device, geometry = find_device("cpu"), geometry_of(256, 200)
    chosen = {make_plan(device, geometry, n_rows, "auto").method for n_rows in (1, 2, 7, 32, 500)}
    small = int(sum(METHODS["fourier"].buffer_bytes(geometry, 2, on_device=False)) / 0.8) + 8
    monkeypatch.setattr(Device, "free_memory_bytes", lambda self: small)
    chosen.add(make_plan(device, geometry, 32, "auto").method)
    assert len(chosen) == 1


def test_no_more_lanes_than_rows_need() -> None:
    device, geometry = find_device("cpu"), geometry_of(64, 40)
    n_rows = (1, 2, 5, 16, 17, 100)
    lanes = [make_plan(device, geometry, n, "direct", n_blocks=1).lanes for n in n_rows]
    assert lanes == [1, 4, 8, 16, 32, 32]
    plan = make_plan(device, geometry, 100, "direct")
    assert [plan.lanes_for(n) for n in (32, 4, 1)] == [32, 4, 1]


def test_engines_of_a_gpu_get_two_blocks_each() -> None:
    gpu = replace(find_device("cpu"), kind="gpu")
    lanes = [make_plan(gpu, geometry_of(64, 40), n, "direct").lanes for n in (1, 32, 1000)]
    assert lanes == [1, 8, 32]


@pytest.mark.cpu
@pytest.mark.parametrize(
    ("method", "expected"), [("direct", [1, 16, 16, 32, 32]), ("fourier", [1, 8, 8, 16, 16])]
)
def test_rows_come_in_four_blocks_of_some_size(method, expected) -> None:
    device, geometry = find_device("cpu"), geometry_of(64, 40)
    n_rows = (1, 16, 32, 100, 500)
    lanes = [make_plan(device, geometry, n, method).lanes for n in n_rows]
    assert lanes == expected


def test_unknown_method_is_refused() -> None:
    with pytest.raises(UserError, match="method: 'gridrec' is not one of auto, direct, fourier"):
        make_plan(find_device("cpu"), geometry_of(8, 4), 1, "gridrec")


def test_a_block_costs_once_for_all_of_its_slices(monkeypatch) -> None:
    free = {"filter": 0.0, "update": 0.0}
    table = {"direct": {"8": {"block": 5.0, **free}, "32": {"block": 64e9, **free}}}
    monkeypatch.setattr(methods, "_costs", lambda: {"cpu": table})
    assert expected_s("cpu", geometry_of(64, 40), "direct") == pytest.approx(2.0)


def test_no_buffer_is_larger_than_the_device_allows() -> None:
    geometry = geometry_of(64, 40)
    largest = max(METHODS["direct"].buffer_bytes(geometry, 8, on_device=False))
    device = SimpleNamespace(
        kind="cpu",
        n_engines=1,
        free_memory_bytes=lambda: 10**12,
        cl_device=SimpleNamespace(max_mem_alloc_size=largest),
    )
    assert make_plan(device, geometry, 100, "direct").lanes == 8
