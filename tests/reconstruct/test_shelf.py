"""What `fbp` keeps from one call for the next."""

import threading
from dataclasses import replace

import numpy as np
import pytest

import tomobatch
from tomobatch.errors import UserError
from tomobatch.opencl import devices
from tomobatch.reconstruct import stream
from tomobatch.reconstruct.methods import METHODS

N_ROWS, N_ANGLES, N_COLS = 20, 30, 40
ANGLES = np.arange(N_ANGLES) * np.pi / N_ANGLES
SINOGRAMS = np.random.default_rng(0).normal(size=(N_ROWS, N_ANGLES, N_COLS)).astype(np.float32)


@pytest.fixture(params=["direct", "fourier"])
def method(request):
    tomobatch.release_memory()
    yield request.param
    tomobatch.release_memory()


@pytest.fixture
def made(method, monkeypatch):
    """Note the lanes of every engine that is made."""
    lanes: list[int] = []
    usual = METHODS[method]

    def make(device, geometry, n_lanes, settings):
        lanes.append(n_lanes)
        return usual.make(device, geometry, n_lanes, settings)

    methods = {**METHODS, method: replace(usual, make=make)}
    monkeypatch.setattr(stream, "METHODS", methods)
    return lanes


def test_calls_of_one_shape_share_an_engine_and_give_what_each_would(method, made):
    first = tomobatch.fbp(SINOGRAMS, ANGLES, method=method)
    again = tomobatch.fbp(SINOGRAMS, ANGLES, method=method)
    # Another axis and other values, which no engine holds.
    other = tomobatch.fbp(2 * SINOGRAMS, ANGLES, 15.25, method=method)
    n_kept = len(made)
    tomobatch.release_memory()
    assert np.array_equal(other, tomobatch.fbp(2 * SINOGRAMS, ANGLES, 15.25, method=method))
    assert np.array_equal(first, again)
    # One serves the last block as well, which is smaller than the others.
    assert len(set(made)) == 1
    n_engines = devices.find_devices()[0].n_engines
    assert 1 <= n_kept <= n_engines
    assert n_kept < len(made) <= n_kept + n_engines


@pytest.mark.parametrize(
    "other",
    [
        {"angles_rad": ANGLES + 0.1},
        {"filter": "hann"},
        {"padding": "zero"},
        {"binning": 2},
        {"roi": (3, 4, 20, 20)},
        {"mask": False},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_shape_or_option_is_made_anew(method, other):
    usual = {"angles_rad": ANGLES, "method": method}
    tomobatch.release_memory()
    expected = tomobatch.fbp(SINOGRAMS, **{**usual, **other})
    tomobatch.fbp(SINOGRAMS, **usual)
    assert np.array_equal(tomobatch.fbp(SINOGRAMS, **{**usual, **other}), expected)


def test_the_slices_go_where_they_are_wanted(method):
    expected = tomobatch.fbp(SINOGRAMS, ANGLES, method=method)
    out = np.full(expected.shape, np.nan, dtype=np.float32)
    assert tomobatch.fbp(SINOGRAMS, ANGLES, method=method, out=out) is out
    assert np.array_equal(out, expected)


@pytest.mark.parametrize(
    "out",
    [
        np.empty((N_ROWS, N_COLS, N_COLS)),
        np.empty((N_ROWS, N_COLS, N_COLS + 1), dtype=np.float32),
        np.empty((N_ROWS, N_COLS, 2 * N_COLS), dtype=np.float32)[..., ::2],
    ],
    ids=["float64", "another shape", "strided"],
)
def test_a_place_that_does_not_fit_is_refused(out):
    with pytest.raises(UserError, match=r"out: .* is not a C-contiguous float32 array \(20, 40"):
        tomobatch.fbp(SINOGRAMS, ANGLES, out=out)


def test_a_call_that_failed_leaves_nothing_wrong(method):
    expected = tomobatch.fbp(SINOGRAMS, ANGLES, method=method)
    spoilt = SINOGRAMS.copy()
    spoilt[7, 3, 5] = np.nan
    with pytest.raises(UserError, match="row 7, projection 3"):
        tomobatch.fbp(spoilt, ANGLES, method=method)
    assert np.array_equal(tomobatch.fbp(SINOGRAMS, ANGLES, method=method), expected)


def test_calls_side_by_side_do_not_share_an_engine(method):
    stacks = [(1 + n % 3) * SINOGRAMS[: N_ROWS - n % 2] for n in range(6)]
    expected = [tomobatch.fbp(stack, ANGLES, method=method) for stack in stacks]
    found: dict[int, np.ndarray] = {}

    def call(n):
        for _ in range(3):
            found[n] = tomobatch.fbp(stacks[n], ANGLES, method=method)

    threads = [threading.Thread(target=call, args=(n,)) for n in range(len(stacks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(found[n], expected[n]) for n in range(len(stacks)))
