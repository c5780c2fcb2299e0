"""Pictures that were not read to their end, and copies further off; what is opaque is neither."""

import numpy as np
import pytest
from tests.normalise.scans import DARK, make_scan
from tests.normalise.test_missing import find

from tomobatch.normalise.missing import MISSING
from tomobatch.normalise.settings import NormaliseSettings
from tomobatch.on_chunks.corrections import Corrections
from tomobatch.on_chunks.projections import preprocess_chunk

SHAPE = (24, 40, 60)


@pytest.fixture(scope="module")
def scan():
    return make_scan(SHAPE, seed=4, n_zingers=6)


def dimmed(scan, paths) -> np.ndarray:
    """Counts behind so many line integrals (n, y) more, noise as before."""
    signal = (scan.projections.astype(float) - DARK) * np.exp(-paths)[:, :, None]
    noise = np.random.default_rng(1).poisson(DARK, signal.shape)
    return np.clip(np.rint(signal + noise), 0, 65535).astype(np.uint16)


@pytest.mark.parametrize("level", ["zero", "dark"])
@pytest.mark.parametrize("rows", [slice(20, None), slice(None, 20), slice(12, 15), slice(1, None)])
@pytest.mark.parametrize("which", [[0], [23], [11], [5, 6, 7, 8, 9, 10], [0, 1, 12, 22, 23]])
def test_a_picture_that_lacks_rows_is_found(scan, level, rows, which):
    counts = scan.projections.copy()
    for index in which:
        counts[index, rows] = 0 if level == "zero" else scan.darks[index % 5, rows]
    assert find(scan, counts).numbers(0) == {"cut": which}


def test_it_is_found_in_any_order_of_the_angles(scan):
    counts = scan.projections.copy()
    counts[[3, 17], 20:] = 0
    golden = np.mod(111.246 * np.arange(len(counts)), 360)
    assert find(scan, counts, angles_deg=golden).numbers(0) == {"cut": [3, 17]}
    assert find(scan, counts.astype(">f4")).numbers(0) == {"cut": [3, 17]}


def test_it_is_found_above_a_stage_that_is_always_dark(scan):
    paths = np.zeros(SHAPE[:2])
    paths[:, 30:] = 12
    counts = dimmed(scan, paths)
    assert not find(scan, counts).any.any()
    counts[9, 18:] = 0
    assert find(scan, counts).numbers(0) == {"cut": [9]}


def slab(angles_deg) -> np.ndarray:
    """Rows of a slab wider than the detector, opaque from 70 to 110 degrees."""
    depth = 1.6 / np.abs(np.cos(np.deg2rad(angles_deg)))
    return np.where(np.arange(SHAPE[1]) > 14, np.clip(depth, 0, 40)[:, None], 0)


@pytest.mark.parametrize("step_deg", [0.5, 2, 7])
@pytest.mark.parametrize("first_deg", [20, 60, 68, 80])
def test_a_sample_that_is_opaque_over_whole_rows_is_none(scan, step_deg, first_deg):
    angles = first_deg + step_deg * np.arange(SHAPE[0])
    found = find(scan, dimmed(scan, slab(angles)), angles_deg=angles)
    assert found.numbers(0) == {}


def test_nor_is_one_in_golden_order(scan):
    angles = np.mod(111.246 * np.arange(SHAPE[0]), 180)
    assert find(scan, dimmed(scan, slab(angles)), angles_deg=angles).numbers(0) == {}


def test_nor_is_a_dark_edge_that_trembles(scan):
    edge = 20 + np.random.default_rng(3).integers(0, 2, SHAPE[0])
    paths = np.where(np.arange(SHAPE[1]) >= edge[:, None], 12.0, 0)
    assert find(scan, dimmed(scan, paths)).numbers(0) == {}


@pytest.mark.parametrize("sinks_at", [4, 12, 19])
def test_nor_is_a_dark_stage_that_sinks(scan, sinks_at):
    paths = np.where(np.arange(SHAPE[1]) >= 30, 12.0, 0) * np.ones((SHAPE[0], 1))
    paths[:sinks_at, 22:] = 12
    assert find(scan, dimmed(scan, paths)).numbers(0) == {}


def test_nor_is_air_that_grows_narrow(scan):
    counts = dimmed(scan, np.full(SHAPE[:2], 12.0))
    for index, width in enumerate(3 + np.abs(np.arange(SHAPE[0]) - 12) // 2):
        counts[index, :, -width + 2 :] = scan.projections[index, :, -width + 2 :]
    assert not find(scan, counts).cut.any()


def test_a_copy_of_any_picture_before_is_found(scan):
    counts = scan.projections.copy()
    counts[9] = counts[2]
    counts[20] = counts[2]
    counts[14] = counts[13]
    found = find(scan, counts, before=counts[5].copy())
    assert found.numbers(0) == {"repeated": [5, 9, 14, 20]}


def test_pictures_that_differ_in_one_pixel_are_no_copies():
    large = make_scan((3, 600, 300), seed=2)
    counts = large.projections.copy()
    counts[2] = counts[0]
    counts[2, 333, 111] += 1
    assert not find(large, counts).any.any()
    counts[2, 333, 111] -= 1
    assert find(large, counts).numbers(0) == {"repeated": [2]}


def test_it_is_marked_and_none_of_its_pixels_is_counted(scan):
    counts = scan.projections.copy()
    counts[9, 20:] = 0
    counts[4, 20:] = 65535
    angles_rad = np.deg2rad(np.arange(len(counts)))
    settings = NormaliseSettings(saturation_counts=60_000)
    done = preprocess_chunk(counts, None, 0, scan.references(), settings, Corrections(), angles_rad)
    assert done.missing.numbers(0) == {"cut": [9]}
    marked = (done.normalised.line_integrals == MISSING).all(axis=(1, 2))
    assert np.flatnonzero(marked).tolist() == [9]
    assert done.normalised.clipped[9] == 0
    assert done.normalised.saturated[4] > 1000
