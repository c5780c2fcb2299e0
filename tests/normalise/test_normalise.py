from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from tests.normalise.scans import make_scan

from tomobatch.errors import UserError
from tomobatch.normalise.beam import flat_places, signals
from tomobatch.normalise.normalise import build_program, lowest_transmission, normalise
from tomobatch.normalise.references import average_references
from tomobatch.normalise.repair import plan_repair
from tomobatch.normalise.series import ReferenceSeries
from tomobatch.normalise.settings import NormaliseSettings
from tomobatch.normalise.twin import normalise_projection
from tomobatch.opencl.devices import find_device
from tomobatch.opencl.kernels import build_log

# A float32 quotient and a logarithm, each right to a few units in the last place, on line integrals
# up to 10.
TOLERANCE = 2e-6


@pytest.fixture(scope="module", params=["cpu", "gpu"])
def device(request):
    """The CPU device worked as a CPU, and as if it were a GPU: groups of 64 items, and copies."""
    return replace(find_device("cpu"), kind=request.param)


def twin(scan, references, choices, first=0):
    """Return what the float64 twin makes of every frame."""
    repair = plan_repair(references.bad_pixels)
    signal = signals(references, choices).astype(float)
    lowest = lowest_transmission(references, choices)
    numbers = np.arange(first, first + len(scan))
    before, shares = flat_places(numbers, references, choices)
    frames = []
    for raw, series, share in zip(scan, before, shares.astype(float), strict=True):
        after = min(series + 1, len(signal) - 1)
        mixed = (1 - share) * signal[series] + share * signal[after]
        noise = 6 * references.noise
        frames.append(
            normalise_projection(
                raw, mixed, references.dark.astype(float), repair, choices, noise, lowest
            )
        )
    return frames


@pytest.mark.parametrize("keep_zingers", [True, False])
@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "i4", "f4"])
def test_every_build_is_clean(device, dtype, keep_zingers):
    program = build_program(device, np.dtype(dtype), keep_zingers=keep_zingers)
    assert "warning" not in build_log(program, device)


@settings(deadline=None, max_examples=25)
@given(
    n=st.integers(1, 3),
    n_y=st.integers(1, 40),
    n_x=st.integers(1, 40),
    seed=st.integers(0, 1000),
    dtype=st.sampled_from(["u1", ">u2", "<i2", "i4", "f4", ">f4", "f8", "u4"]),
    flats=st.sampled_from(["interpolate", "mean"]),
    threshold=st.sampled_from([None, 0.3]),
)
def test_equals_the_twin(device, n, n_y, n_x, seed, dtype, flats, threshold):
    scan = make_scan((n, n_y + 3, n_x + 3), photons=9000, drift=-0.2, seed=seed, n_zingers=1)
    references = scan.references()
    choices = NormaliseSettings(flats=flats, zinger_threshold=threshold)
    raw = (scan.projections // (64 if dtype == "u1" else 1)).clip(0, 32767).astype(dtype)
    found = normalise(raw, 5, references, choices, device=device)
    expected = twin(raw, references, choices, first=5)
    for one, frame in zip(expected, found.line_integrals, strict=True):
        assert np.abs(frame - one.line_integrals).max() < TOLERANCE
    assert found.zingers.tolist() == [one.n_zingers for one in expected]
    assert found.clipped.tolist() == [one.n_clipped for one in expected]
    assert found.repaired == np.count_nonzero(references.bad_pixels)


@pytest.mark.parametrize("shape", [(2, 35, 1040), (2, 16, 1024), (2, 17, 1031), (2, 70, 523)])
def test_equals_the_twin_across_tiles(device, shape):
    scan = make_scan(shape, seed=4, n_zingers=20)
    references = scan.references()
    found = normalise(scan.projections, 0, references, device=device)
    expected = twin(scan.projections, references, NormaliseSettings())
    for one, frame in zip(expected, found.line_integrals, strict=True):
        assert np.abs(frame - one.line_integrals).max() < TOLERANCE
    assert found.zingers.tolist() == [one.n_zingers for one in expected]
    assert found.zingers.sum() >= 15


@pytest.mark.parametrize("block_bytes", [1, 3 * 4 * 30 * 50])
def test_chunks_and_blocks_make_no_difference(device, block_bytes, monkeypatch):
    scan = make_scan((7, 30, 50), drift=0.1, n_zingers=8)
    references = scan.references()
    whole = normalise(scan.projections, 0, references, device=device)
    module = import_module("tomobatch.normalise.normalise")
    monkeypatch.setattr(module, "_BLOCK_BYTES", block_bytes)
    for size in (1, 3, 7):
        for start in range(0, 7, size):
            rows = slice(start, start + size)
            part = normalise(scan.projections[rows], start, references, device=device)
            assert np.array_equal(part.line_integrals, whole.line_integrals[rows])
            assert np.array_equal(part.zingers, whole.zingers[rows])


@pytest.mark.parametrize("n_rows", [1, 2, 3, 50])
def test_zingers_are_found_and_little_else(n_rows):
    """Recall 1 for hits of half the beam and more; below one false alarm in 10^5 pixels."""
    scan = make_scan((20, n_rows, 301), photons=5000, seed=n_rows, n_zingers=20 * min(n_rows, 5))
    found = normalise(scan.projections, 0, scan.references())
    n_true = np.count_nonzero(scan.zingers)
    assert n_true <= found.zingers.sum() <= n_true + 1e-5 * scan.projections.size + 1
    off = np.abs(found.line_integrals - scan.paths)
    # The steepest slope of the specimen is 1/8 a pixel; the rest is noise: 1.5% at full beam.
    assert off[scan.zingers].max() < 0.35
    # A hit beside a bad pixel leaks into what stands in for it.
    near_hit = ndimage.binary_dilation(scan.zingers.any(axis=0), iterations=4)
    assert off[:, scan.bad & ~near_hit].max(initial=0) < 0.35


@pytest.mark.parametrize("blob", [(1, 1), (1, 3), (2, 2), (2, 3), (3, 2)])
def test_hits_of_up_to_six_pixels_are_taken_out(blob):
    scan = make_scan((1, 40, 60), seed=8)
    references = scan.references()
    before = normalise(scan.projections, 0, references)
    scan.projections[0, 20 : 20 + blob[0], 4 : 4 + blob[1]] = 60_000
    after = normalise(scan.projections, 0, references)
    assert after.zingers[0] == before.zingers[0] + blob[0] * blob[1]
    assert np.abs(after.line_integrals - before.line_integrals).max() < 0.1


def test_edges_and_gaps_of_a_specimen_are_no_zingers():
    flats = [ReferenceSeries(np.full((2, 40, 40), 1000.0), 0.0)]
    references = average_references(flats, np.zeros((1, 40, 40)))
    specimen = np.full((1, 40, 40), 100.0)
    specimen[0, :15, :15] = 1000  # a bright corner
    specimen[0, :, 20:22] = 1000  # a gap two pixels wide
    found = normalise(specimen, 0, references)
    assert found.zingers.sum() == 0
    assert np.allclose(found.line_integrals, -np.log(specimen / 1000), atol=TOLERANCE)


def test_a_slope_up_to_the_edge_of_the_frame_is_no_zinger():
    flats = [ReferenceSeries(np.full((2, 40, 40), 1000.0), 0.0)]
    references = average_references(flats, np.zeros((1, 40, 40)))
    distance = np.arange(40)
    for slope in (1000 * 0.7**distance, 1000 * 0.7 ** distance[::-1]):
        down = np.broadcast_to(slope[:, None], (40, 40))
        found = normalise(np.stack([down, down.T]), 0, references)
        assert found.zingers.tolist() == [0, 0]


def test_photon_noise_behind_a_dense_specimen_is_no_zinger():
    """At 5 photons a pixel, a reading 1.3 times its surroundings is common and is kept."""
    rng = np.random.default_rng(0)
    flats = [ReferenceSeries(rng.poisson(1000, (10, 60, 80)), 0.0)]
    references = average_references(flats, np.zeros((2, 60, 80), int))
    found = normalise(rng.poisson(5, (4, 60, 80)), 0, references)
    assert found.zingers.sum() <= 0.001 * 4 * 60 * 80


@pytest.mark.parametrize(("flats", "worst"), [("interpolate", 0.002), ("mean", 0.04)])
def test_a_drifting_beam_is_followed_between_the_flats(flats, worst):
    scan = make_scan((10, 60, 80), photons=1e4, drift=0.08, n_flats=20, seed=5)
    found = normalise(scan.projections, 0, scan.references(), NormaliseSettings(flats=flats))
    off = (found.line_integrals - scan.paths).mean(axis=(1, 2))
    assert np.abs(off).max() < worst
    if flats == "mean":
        assert np.abs(off).max() > 0.03, "the drift must matter for the test to tell"


def test_before_the_first_flats_and_after_the_last_they_are_constant():
    frames = np.full((2, 4, 5), 1000.0)
    flats = [ReferenceSeries(frames, 10.0), ReferenceSeries(2 * frames, 20.0)]
    references = average_references(flats, np.zeros((1, 4, 5)))
    found = normalise(np.full((30, 4, 5), 500.0), 0, references).line_integrals[:, 0, 0]
    assert np.allclose(found[:10], np.log(2), atol=TOLERANCE)
    assert np.allclose(found[20:], np.log(4), atol=TOLERANCE)
    assert found[14] == pytest.approx(np.log(1.45 * 2), abs=TOLERANCE)


def test_transmission_is_clipped_and_counted(device):
    flats = [ReferenceSeries(np.full((2, 5, 11), 1000.0), 0.0)]
    references = average_references(flats, np.zeros((1, 5, 11)))
    raw = np.full((2, 5, 11), 500.0)
    raw[0, 1, :6] = 0
    raw[1, 2, 10] = -50
    raw[1, 3, :] = 1e6
    choices = NormaliseSettings(zinger_threshold=None, transmission_min=1e-3, transmission_max=2.0)
    found = normalise(raw, 0, references, choices, device=device)
    assert found.clipped.tolist() == [6, 12]
    assert found.line_integrals.max() == pytest.approx(-np.log(1e-3), abs=TOLERANCE)
    assert found.line_integrals.min() == pytest.approx(-np.log(2.0), abs=TOLERANCE)


def test_saturated_pixels_are_counted(device):
    scan = make_scan((3, 21, 37), seed=9)
    scan.projections[1, 3:7, 30:] = 65535
    references = scan.references()
    stuck = np.count_nonzero(scan.projections[0] == 65535)
    found = normalise(scan.projections, 0, references, device=device)
    assert found.saturated.tolist() == [
        stuck,
        np.count_nonzero(scan.projections[1] == 65535),
        stuck,
    ]
    lower = NormaliseSettings(saturation_counts=4095)
    expected = (scan.projections >= 4095).sum(axis=(1, 2))
    again = normalise(scan.projections, 0, references, lower, device=device)
    assert again.saturated.tolist() == expected.tolist()
    floats = normalise(scan.projections.astype(np.float32), 0, references, device=device)
    assert floats.saturated.tolist() == [0, 0, 0]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_projection_that_is_not_finite_is_named(value):
    scan = make_scan((4, 8, 9))
    raw = scan.projections.astype(np.float32)
    raw[2, 3, 4] = value
    with pytest.raises(UserError, match="projection 102 holds values that are not finite"):
        normalise(raw, 100, scan.references())


def test_a_scan_of_another_shape_is_refused():
    scan = make_scan((1, 8, 9))
    with pytest.raises(UserError, match=r"projections of \(8, 8\) pixels .* flats of \(8, 9\)"):
        normalise(scan.projections[:, :, 1:], 0, scan.references())


def test_the_logarithm_is_right_over_the_whole_range():
    transmission = np.geomspace(1e-4, 10, 4096, dtype=np.float32).reshape(1, 8, 512)
    references = average_references(
        [ReferenceSeries(np.ones((2, 8, 512), np.float32), 0.0)], np.zeros((1, 8, 512), np.float32)
    )
    choices = NormaliseSettings(zinger_threshold=None)
    found = normalise(transmission, 0, references, choices).line_integrals
    expected = -np.log(transmission.astype(float))
    assert np.abs(found - expected).max() < 1e-6


@pytest.mark.parametrize(
    ("threshold", "kept", "taken_out"), [(0.3, 1.27, 1.33), (0.1, 1.08, 1.12), (1.0, 1.95, 2.05)]
)
def test_the_threshold_is_a_share_above_what_lies_around(threshold, kept, taken_out):
    flats, darks = np.full((3, 30, 40), 40_000, np.uint16), np.zeros((3, 30, 40), np.uint16)
    references = average_references([ReferenceSeries(flats, 0.0)], darks)
    raw = np.full((1, 30, 40), 10_000, np.uint16)
    raw[0, 10, 10], raw[0, 20, 30] = 10_000 * kept, 10_000 * taken_out
    found = normalise(raw, 0, references, NormaliseSettings(zinger_threshold=threshold))
    assert found.zingers.tolist() == [1]
    assert found.line_integrals[0, 10, 10] == pytest.approx(np.log(4 / kept), abs=1e-3)
    assert found.line_integrals[0, 20, 30] == pytest.approx(np.log(4), abs=1e-3)
