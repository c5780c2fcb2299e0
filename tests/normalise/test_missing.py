"""Projections without a picture, and pixels without a number, found and mended."""

import numpy as np
import pytest
from tests.normalise.scans import make_scan

from tomobatch.normalise.divided import no_references
from tomobatch.normalise.missing import MISSING, Missing, bridge, find_missing, mend_pixels
from tomobatch.normalise.normalise import normalise
from tomobatch.normalise.settings import NormaliseSettings


def find(scan, counts, before=None, angles_deg=None) -> Missing:
    """Find those of a scan whose projections are half a degree apart."""
    angles = 0.5 * np.arange(len(counts)) if angles_deg is None else angles_deg
    return find_missing(counts, before, scan.references(), np.deg2rad(angles))


def test_sound_projections_are_not_missing():
    scan = make_scan((12, 40, 60), seed=4, n_zingers=3)
    found = find(scan, scan.projections)
    assert not found.any.any()
    assert found.numbers(0) == {}


def test_blank_dark_repeated_and_broken_projections_are_found():
    scan = make_scan((12, 40, 60), seed=4)
    counts = scan.projections.astype(np.float32)
    counts[2] = 0
    counts[5] = scan.darks[1]
    counts[7] = counts[6]
    counts[9, :20] = np.nan
    counts[11, 3, 4] = np.nan
    found = find(scan, counts)
    assert found.numbers(100) == {"blank": [102, 105], "repeated": [107], "broken": [109]}


def test_a_copy_of_the_projection_before_the_run_is_found():
    scan = make_scan((4, 40, 60), seed=4)
    found = find(scan, scan.projections, before=scan.projections[0])
    assert found.numbers(8) == {"repeated": [8]}


def test_a_dense_object_is_no_closed_shutter():
    scan = make_scan((4, 40, 60), seed=4)
    # A hundredth of the light comes through all of it, three times as much at its edge.
    signal = 0.01 * (scan.projections.astype(float) - 100)
    signal[:, :, :2] *= 3
    counts = np.random.default_rng(0).poisson(np.clip(signal, 0, None)) + 100
    assert not find(scan, counts.astype(np.uint16)).blank.any()


def test_pixels_without_a_number_have_the_nearest_value():
    counts = np.arange(2 * 5 * 6, dtype=np.float32).reshape(2, 5, 6)
    counts[0, 2, 3] = np.nan
    counts[1, 0, 0] = np.inf
    found, n_mended = mend_pixels(counts)
    assert n_mended == 2
    assert np.isfinite(found).all()
    assert found[0, 2, 3] in (14, 16, 9, 21)
    assert np.isnan(counts[0, 2, 3])
    whole = np.ones((1, 5, 6), np.uint16)
    assert mend_pixels(whole)[0] is whole


@pytest.mark.parametrize("order", ["rising", "falling", "golden"])
def test_missing_projections_lie_between_their_neighbours(order):
    angles = np.linspace(0, np.pi, 60, endpoint=False)
    if order == "falling":
        angles = -angles
    if order == "golden":
        angles = np.mod(np.arange(60) * np.deg2rad(111.246), np.pi)
    true = np.cos(angles)[None, :, None] * np.linspace(1, 2, 8) * np.ones((3, 1, 1))
    sinograms = true.astype(np.float32)
    lost = [0, 20, 21, 33]
    sinograms[:, lost] = MISSING
    missing = bridge(sinograms, angles)
    assert np.flatnonzero(missing).tolist() == lost
    # Linear over a few steps; at the end of the turn, the nearest.
    np.testing.assert_allclose(sinograms, true, atol=0.02 if order != "golden" else 0.06)


def test_nothing_missing_changes_nothing():
    sinograms = np.random.default_rng(0).random((2, 9, 5), np.float32)
    before = sinograms.copy()
    assert not bridge(sinograms, np.linspace(0, 3, 9)).any()
    np.testing.assert_array_equal(sinograms, before)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_projections_divided_by_their_flats_already(dtype):
    paths = np.random.default_rng(1).random((3, 20, 30)) * 3
    references = no_references((20, 30))
    settings = NormaliseSettings(input="transmission", zinger_threshold=None)
    found = normalise(np.exp(-paths).astype(dtype), 0, references, settings).line_integrals
    np.testing.assert_allclose(found, paths, atol=2e-6)
    ready = NormaliseSettings(input="line_integrals")
    found = normalise(paths.astype(dtype), 0, references, ready).line_integrals
    np.testing.assert_array_equal(found, paths.astype(np.float32))
