"""Blocks: in order, overlapping, sized by the device's memory, on several devices."""

import threading
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pyopencl as cl
import pytest

from tomobatch.errors import UserError
from tomobatch.opencl.devices import Device, find_device
from tomobatch.reconstruct import stream
from tomobatch.reconstruct.geometry import make_geometry
from tomobatch.reconstruct.methods import METHODS
from tomobatch.reconstruct.settings import ReconstructSettings
from tomobatch.reconstruct.slices import fbp
from tomobatch.reconstruct.stream import reconstruct_blocks

N_ROWS, N_ANGLES, N_COLS = 70, 10, 16
ANGLES = np.arange(N_ANGLES) * np.pi / N_ANGLES
SINOGRAMS = np.random.default_rng(0).normal(size=(N_ROWS, N_ANGLES, N_COLS)).astype(np.float32)
CORS = np.linspace(7, 8, N_ROWS)
GEOMETRY = make_geometry(ANGLES, N_COLS)


class Keeper:
    """Keeps what is written, and in which order and thread."""

    def __init__(self) -> None:
        self.volume = np.full((N_ROWS, N_COLS, N_COLS), np.nan, dtype=np.float32)
        self.starts: list[int] = []
        self.threads: set[int] = set()

    def __call__(self, start: int, slices: np.ndarray) -> None:
        self.volume[start : start + len(slices)] = slices
        self.starts.append(start)
        self.threads.add(threading.get_ident())


def read(start: int, stop: int) -> np.ndarray:
    return SINOGRAMS[start:stop]


def run(write, reader=read, **options):
    return reconstruct_blocks(
        reader, write, N_ROWS, GEOMETRY, CORS, ReconstructSettings(method="direct"), **options
    )


@pytest.fixture(scope="module")
def expected() -> np.ndarray:
    return fbp(SINOGRAMS, ANGLES, CORS, method="direct")


@pytest.mark.cpu
def test_blocks_come_in_order_from_one_thread(expected) -> None:
    keeper = Keeper()
    timeline = run(keeper)
    assert np.array_equal(keeper.volume, expected)
    assert keeper.starts == [0, 32, 64]
    assert len(keeper.threads) == 1
    assert [s.first_row for s in timeline.spans if s.stage == "compute"] == [0, 32, 64]


def test_timeline_tells_where_the_time_went() -> None:
    timeline = run(Keeper())
    told = timeline.to_dict()
    assert 0 < told["compute_fraction"] <= 1
    assert told["compute_s"] + told["read_s"] + told["write_s"] > 0
    assert max(told["read_s"], told["compute_s"], told["write_s"]) <= told["wall_s"]
    assert "direct" in told["method"]
    assert find_device().description in told["devices"]


def test_next_block_is_read_while_one_is_computed() -> None:
    """Block 2 is asked for before block 1 is written: a reader that waits for that would hang."""
    second_read, first_written = threading.Event(), threading.Event()

    def reader(start: int, stop: int) -> np.ndarray:
        if start == 32:
            second_read.set()
        return read(start, stop)

    def write(start: int, slices: np.ndarray) -> None:
        assert second_read.wait(timeout=30)
        first_written.set()

    run(write, reader)
    assert first_written.is_set()


@pytest.mark.parametrize("stage", ["read", "write"])
def test_failure_of_a_stage_ends_the_run(stage) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        if stage == "read":
            run(Keeper(), fail)
        else:
            run(fail)


def test_sinograms_of_another_shape_are_refused() -> None:
    with pytest.raises(UserError, match=r"rows 0 to 32 have the shape \(32, 10, 15\)"):
        run(Keeper(), lambda start, stop: SINOGRAMS[start:stop, :, 1:])


@pytest.mark.cpu
@pytest.mark.parametrize("n_slices", [1, 5, 20])
def test_blocks_shrink_to_the_memory_there_is(n_slices, expected, monkeypatch) -> None:
    free = int(sum(METHODS["direct"].buffer_bytes(GEOMETRY, n_slices, on_device=False)) / 0.8) + 8
    monkeypatch.setattr(Device, "free_memory_bytes", lambda self: free)
    keeper = Keeper()
    run(keeper)
    assert np.array_equal(keeper.volume, expected)
    steps = set(np.diff(keeper.starts))
    assert max(steps) == {1: 1, 5: 4, 20: 16}[n_slices]


def test_not_even_one_slice_fits(monkeypatch) -> None:
    monkeypatch.setattr(Device, "free_memory_bytes", lambda self: 1000)
    with pytest.raises(UserError, match=r"one slice of 10 x 16 needs .* MB") as error:
        run(Keeper())
    assert "\n" not in str(error.value)


def test_a_fifth_of_the_memory_is_left_to_others(monkeypatch) -> None:
    one_slice = sum(METHODS["direct"].buffer_bytes(GEOMETRY, 1, on_device=False))
    monkeypatch.setattr(Device, "free_memory_bytes", lambda self: int(one_slice / 0.8) - 8)
    with pytest.raises(UserError, match=r"one slice of 10 x 16 needs .* MB"):
        run(Keeper())


@pytest.mark.cpu
def test_several_devices_share_the_blocks(expected, monkeypatch) -> None:
    """Two contexts on one device stand for two GPUs; each takes the next block when it is free."""
    one = find_device()
    two = [Device(one.cl_device, cl.Context([one.cl_device]), one.kind) for _ in range(2)]
    monkeypatch.setattr(stream, "find_devices", lambda kind: two)
    one_slice = int(sum(METHODS["direct"].buffer_bytes(GEOMETRY, 1, on_device=False)) / 0.8) + 8
    monkeypatch.setattr(Device, "free_memory_bytes", lambda self: one_slice)
    keeper = Keeper()
    timeline = run(keeper)
    assert np.array_equal(keeper.volume, expected)
    assert sorted(keeper.starts) == list(range(N_ROWS))
    assert {span.device for span in timeline.spans} == {0, 1}


@pytest.mark.cpu
def test_two_engines_keep_a_gpu_busy(expected, monkeypatch) -> None:
    """The device here stands for a GPU: its blocks are computed two at a time."""
    one = find_device()
    monkeypatch.setattr(stream, "find_devices", lambda kind: [replace(one, kind="gpu")])
    half_of_it = (
        int(2 * sum(METHODS["direct"].buffer_bytes(GEOMETRY, 1, on_device=False)) / 0.8) + 8
    )
    monkeypatch.setattr(Device, "free_memory_bytes", lambda self: half_of_it)
    keeper = Keeper()
    timeline = run(keeper)
    assert np.array_equal(keeper.volume, expected)
    assert sorted(keeper.starts) == list(range(N_ROWS))
    computing = sorted((s.start_s, s.stop_s) for s in timeline.spans if s.stage == "compute")
    assert any(next_start < stop for (_, stop), (next_start, _) in pairwise(computing))


def test_failure_on_one_device_stops_the_other(monkeypatch) -> None:
    one = find_device()
    two = [Device(one.cl_device, cl.Context([one.cl_device]), one.kind) for _ in range(2)]
    monkeypatch.setattr(stream, "find_devices", lambda kind: two)
    sinograms = SINOGRAMS.copy()
    sinograms[0, 0, 0] = np.nan
    with pytest.raises(UserError, match="row 0, projection 0"):
        run(Keeper(), lambda start, stop: sinograms[start:stop])
