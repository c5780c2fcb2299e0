"""Runs of scans whose pictures are turned, cropped and binned, beside those of plain ones."""

import shutil

import h5py
import numpy as np
import pytest
from tests.in_process import reconstruct

from tomobatch.phantom.write import write_phantom
from tomobatch.scan.open import open_scan
from tomobatch.scan.settings import DatasetSettings
from tomobatch.scan.views import binned

STACKS = ("exchange/data", "exchange/data_white", "exchange/data_dark")
PLAIN = {"stripes": {"method": "none"}, "normalise": {"zinger_threshold": None}}


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    path = tmp_path_factory.mktemp("scan") / "scan.h5"
    write_phantom(path, size=64, n_rows=24, n_angles=90, n_flats=6, n_darks=6, tilt_deg=0.6)
    return path


@pytest.fixture(scope="module")
def whole(scan, tmp_path_factory):
    return reconstruct(tmp_path_factory.mktemp("whole"), scan, {**PLAIN, **given(scan)})


def given(path, **datasets):
    """Return the axis that a demo scan is known to have, seen so."""
    with open_scan(path, DatasetSettings(**datasets)) as scan:
        known = scan.header.known_axis
    return {"calibrate": {"cor_px": known.cor_px, "tilt_deg": known.tilt_deg}}


def changed(path, made, change):
    """Write the scan with every stack of its pictures changed."""
    shutil.copy(path, made)
    with h5py.File(made, "r+") as file:
        for name in STACKS:
            pictures = change(file[name][:])
            del file[name]
            file[name] = pictures
    return made


def test_an_axis_that_lies_is_made_upright(scan, whole, tmp_path):
    lying = changed(scan, tmp_path / "lying.h5", lambda stack: np.rot90(stack, axes=(1, 2)))
    datasets = {"quarter_turn": "clockwise"}
    run = reconstruct(tmp_path / "run", lying, {**PLAIN, **given(scan), "datasets": datasets})
    np.testing.assert_array_equal(run.volume, whole.volume)
    assert any("turned by 90 degrees clockwise" in line for line in run.warnings)


def test_binned_pictures_give_what_pictures_binned_before_give(scan, whole, tmp_path):
    before = changed(scan, tmp_path / "before.h5", lambda stack: binned(stack, 2))
    datasets = {"binning": 2}
    axis = given(scan, **datasets)
    run = reconstruct(tmp_path / "run", scan, {**PLAIN, **axis, "datasets": datasets})
    expected = reconstruct(tmp_path / "before", before, {**PLAIN, **axis}).volume
    assert run.volume.shape == (12, 32, 32)
    cor_px = axis["calibrate"]["cor_px"]
    assert any(f"is column {2 * cor_px + 0.5:g} of the detector" in line for line in run.warnings)
    # Its pixel size is that of the pictures as they were, and so a voxel half as wide.
    np.testing.assert_array_equal(2 * run.volume, expected)
    # The same sample, in the same place to a twentieth of a pixel.
    coarse = whole.volume.reshape(12, 2, 32, 2, 32, 2).mean(axis=(1, 3, 5))
    inner = np.s_[2:-2, 8:-8, 8:-8]
    error = (run.volume - coarse)[inner].ravel()
    slopes = np.stack([one[inner].ravel() for one in np.gradient(coarse)])
    moved, *_ = np.linalg.lstsq(slopes.T, error, rcond=None)
    np.testing.assert_allclose(moved, 0, atol=0.05)
    assert run.volume[inner].mean() == pytest.approx(coarse[inner].mean(), rel=0.01)
    ours, theirs = (
        one.attributes["ome"]["multiscales"][0]["datasets"][0]["coordinateTransformations"]
        for one in (run, whole)
    )
    pitch = theirs[0]["scale"][0]
    assert ours[0]["scale"] == pytest.approx([2 * pitch] * 3)
    assert ours[1]["translation"] == pytest.approx([pitch / 2] * 3)


def test_the_axis_of_binned_pictures_is_found_where_it_is(scan, tmp_path):
    datasets = {"binning": 2}
    run = reconstruct(tmp_path, scan, {"datasets": datasets})
    known = given(scan, **datasets)["calibrate"]["cor_px"]
    with open_scan(scan) as plain:
        assert known == pytest.approx((plain.header.known_axis.cor_px - 0.5) / 2)
    assert run.calibration.line.mid_px == pytest.approx(known, abs=0.2)
    assert any("2 x 2 pixels are averaged to one" in line for line in run.warnings)


def test_columns_left_out_give_what_a_narrower_detector_gives(scan, tmp_path):
    before = changed(scan, tmp_path / "before.h5", lambda stack: stack[:, :, 3:61])
    datasets = {"columns": "3-60"}
    axis = given(scan, **datasets)
    with open_scan(scan) as plain:
        assert axis["calibrate"]["cor_px"] == plain.header.known_axis.cor_px - 3
    run = reconstruct(tmp_path / "run", scan, {**PLAIN, **axis, "datasets": datasets})
    expected = reconstruct(tmp_path / "before", before, {**PLAIN, **axis}).volume
    assert run.volume.shape == (24, 58, 58)
    np.testing.assert_array_equal(run.volume, expected)
