import numpy as np
import pytest
from tests.normalise.scans import make_scan

from tomobatch.errors import UserError
from tomobatch.normalise.references import average_references
from tomobatch.normalise.series import ReferenceSeries
from tomobatch.normalise.settings import NormaliseSettings

FLATS = np.full((3, 8, 10), 1000, np.uint16)
DARKS = np.full((2, 8, 10), 100, np.uint16)


def test_series_come_out_in_the_order_of_their_positions():
    late, early = ReferenceSeries(FLATS + 100, 50.0), ReferenceSeries(FLATS, 0.0)
    found = average_references([late, early], DARKS)
    assert found.flat_positions.tolist() == [0.0, 50.0]
    assert found.flats[:, 0, 0].tolist() == [1000.0, 1100.0]
    assert found.flats.dtype == found.dark.dtype == np.float32
    assert found.warnings == ()


def test_drift_is_told_as_a_number_and_as_a_map():
    scan = make_scan((2, 90, 130), drift=-0.1)
    right = scan.flats[1].frames[:, :, 65:]
    right[:] = 100 + np.rint(0.8 * (right.astype(float) - 100))
    drift = scan.references().drift
    assert drift.intensities[1] / drift.intensities[0] - 1 == pytest.approx(drift.change)
    assert max(drift.map.shape) <= 64
    assert drift.map[:, :20].mean() == pytest.approx(-0.10, abs=0.003)
    assert drift.map[:, -20:].mean() == pytest.approx(-0.28, abs=0.003)


def test_noise_is_that_of_the_photons():
    scan = make_scan((1, 60, 90), photons=10_000)
    assert scan.references().noise == pytest.approx(0.0103, abs=0.0005)


def test_zingers_of_flats_and_darks_are_counted_and_left_out():
    scan = make_scan((1, 60, 90), seed=1)
    clean = scan.references()
    scan.flats[0].frames[3, 20, 20] = 60_000
    scan.darks[1, 30, 30] = 60_000
    hit = scan.references()
    assert hit.counts.zingers == clean.counts.zingers + 2
    assert abs(hit.flats[0, 20, 20] - clean.flats[0, 20, 20]) < 100
    assert abs(hit.dark[30, 30] - clean.dark[30, 30]) < 20
    kept = average_references(scan.flats, scan.darks, NormaliseSettings(zinger_threshold=None))
    assert kept.counts.zingers == 0
    assert kept.dark[30, 30] > 10_000


def test_bad_pixels_are_counted_by_kind():
    flats, darks = FLATS.copy(), DARKS.copy()
    flats[:, 2, 3] = 100
    flats[:, 4, 4] = darks[:, 4, 4] = 65535
    found = average_references([ReferenceSeries(flats, 0.0)], darks)
    assert (found.counts.dead, found.counts.hot, found.counts.bad_pixels) == (1, 1, 2)
    assert np.argwhere(found.bad_pixels).tolist() == [[2, 3], [4, 4]]


@pytest.mark.parametrize("darks", [None, np.empty((0, 8, 10), np.uint16)])
def test_without_darks_zero_is_taken_with_a_warning(darks):
    found = average_references([ReferenceSeries(FLATS, 0.0)], darks)
    assert not found.dark.any()
    assert "no darks" in found.warnings[0]
    assert "datasets.darks" in found.warnings[0]


def test_a_single_flat_is_taken_with_a_warning():
    found = average_references([ReferenceSeries(FLATS[:1], 0.0)], DARKS)
    assert "a single flat" in found.warnings[0]
    assert "take ten or more" in found.warnings[0]
    assert found.noise == 0.0


@pytest.mark.parametrize("flats", [[], [ReferenceSeries(FLATS[:0], 0.0)]])
def test_no_flats_says_what_to_do(flats):
    with pytest.raises(UserError, match=r"no flats found; say where they are with datasets\.flats"):
        average_references(flats, DARKS)


def test_shapes_that_differ_are_named():
    with pytest.raises(UserError, match=r"darks of \(8, 9\) pixels .* flats of \(8, 10\)"):
        average_references([ReferenceSeries(FLATS, 0.0)], DARKS[:, :, 1:])
    other = ReferenceSeries(FLATS[:, 1:], 9.0)
    with pytest.raises(UserError, match=r"flats of \(7, 10\) pixels"):
        average_references([ReferenceSeries(FLATS, 0.0), other], DARKS)


def test_flats_and_darks_exchanged_are_noticed():
    with pytest.raises(UserError, match="nowhere brighter than the darks"):
        average_references([ReferenceSeries(DARKS, 0.0)], FLATS)
