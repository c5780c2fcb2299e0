"""A scan whose projections were moved: the run aligns them, chunks do not show, nor do previews."""

import h5py
import numpy as np
import pytest
from tests.in_process import reconstruct
from tests.preview.test_slices import AXIS, assert_same, preview, write_phantom

from tomobatch.preview.known import NOT_ALIGNED, Known
from tomobatch.shifts import Shifts

N_ANGLES = 80
X_PX, Y_PX = np.random.default_rng(3).integers(-2, 3, (2, N_ANGLES))
ALIGNED = {"align": {"method": "auto"}, "stripes": {"method": "none"}, "calibrate": AXIS}


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    path = tmp_path_factory.mktemp("scan") / "scan.h5"
    write_phantom(path, size=64, n_rows=40, n_angles=N_ANGLES, n_flats=6, n_darks=6)
    with h5py.File(path, "r+") as file:
        data = file["exchange/data"]
        for i, moved in enumerate(zip(Y_PX, X_PX, strict=True)):
            data[i] = np.roll(data[i], moved, (0, 1))
    return path


@pytest.fixture(scope="module")
def run(scan, tmp_path_factory):
    sections = {**ALIGNED, "chunks": {"slices": 7}}
    return reconstruct(tmp_path_factory.mktemp("results"), scan, sections)


def test_what_was_moved_is_found_and_told(run):
    found = run.calibration.shifts
    # Across rows nothing is gained by a move of the whole specimen; along them by none of the axis.
    assert np.std(found.arrays[1] - Y_PX) < 0.3
    assert np.std(found.arrays[0] - X_PX) < 0.6
    assert Shifts.from_json((run.results / "alignment.json").read_text()) == found
    assert run.findings.scan == "scan"
    assert found.words in (run.results / "report.html").read_text()


def test_chunks_do_not_show(scan, run, tmp_path):
    whole = reconstruct(tmp_path, scan, {**ALIGNED, "chunks": {"slices": 40}})
    assert_same(run.volume, whole.volume)


def test_a_preview_takes_the_shifts_of_the_run(scan, run):
    known = Known(calibration=run.calibration, shifts=run.calibration.shifts)
    made = preview(scan, ALIGNED, [0, 17, 39], known=known)
    for tile, row in zip(made.tiles, (0, 17, 39), strict=True):
        assert_same(tile.image, run.volume[row])
    assert NOT_ALIGNED not in made.warnings
    assert NOT_ALIGNED in preview(scan, ALIGNED, [17]).warnings
