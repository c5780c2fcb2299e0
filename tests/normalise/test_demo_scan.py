"""The defects of the demo scan, whose positions are known, are found: all of them and no others."""

import h5py
import numpy as np
import pytest

from tomobatch.normalise.normalise import normalise
from tomobatch.normalise.references import average_references
from tomobatch.normalise.series import ReferenceSeries
from tomobatch.phantom.write import write_phantom


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    path = tmp_path_factory.mktemp("scan") / "demo.h5"
    truth = write_phantom(path, size=128, n_rows=48, n_angles=90, n_flats=10, seed=7)
    with h5py.File(path) as file:
        data = file["exchange"]
        return truth, data["data"][:], data["data_white"][:], data["data_dark"][:]


def test_dead_and_hot_pixels_and_zingers_of_the_demo_scan(demo):
    truth, projections, flats, darks = demo
    half = len(flats) // 2
    series = [
        ReferenceSeries(flats[:half], 0.0),
        ReferenceSeries(flats[half:], float(len(projections))),
    ]
    references = average_references(series, darks)
    expected = np.zeros(projections.shape[1:], bool)
    expected[tuple(truth.hot.T)] = expected[tuple(truth.dead.T)] = True
    assert np.array_equal(references.bad_pixels, expected)
    # The beam loses 4% over the scan.
    assert references.drift.change == pytest.approx(-0.04, abs=0.005)
    found = normalise(projections, 0, references)
    assert truth.n_zingers > 10
    # A hit on a bad pixel cannot be seen. Beads of few pixels have tips as sharp as a hit: up to
    # one false alarm in 10^5 pixels.
    n_extra = int(found.zingers.sum()) - truth.n_zingers
    assert -1 <= n_extra <= 1e-5 * projections.size
