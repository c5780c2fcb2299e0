"""The command that makes scans: every fault of a cone beam on demand."""

import re

import h5py
import numpy as np
import pytest
import yaml
from tests.cli.calling import tomobatch

from tomobatch.config.schema import DatasetSettings
from tomobatch.phantom.cone import cone_line_integrals
from tomobatch.phantom.truth import read_truth
from tomobatch.phantom.write_cone import demo_beam
from tomobatch.scan.open import open_scan

SMALL = ("--size", "32", "--rows", "16", "--angles", "24", "--flats", "2", "--darks", "3")
KEYS = ("axis_shift_px", "shift_u_px", "shift_v_px", "roll_deg", "tilt_deg", "slant_deg")


def made(tmp_path, *options):
    path = tmp_path / "scan.nx"
    said = tomobatch("phantom", str(path), *SMALL, *options, "--force")
    assert said.code == 0, said.err
    return path, said.out


def test_a_file_that_is_there_is_replaced_only_when_told_to(tmp_path):
    mine = tmp_path / "mine.h5"
    for options in ((), ("--cone",)):
        mine.write_bytes(b"mine")
        said = tomobatch("phantom", str(mine), *SMALL, *options)
        assert said.code == 1
        assert said.err == f"error: {mine} exists; give another name, or --force to write it anew"
        assert mine.read_bytes() == b"mine"
        assert tomobatch("phantom", str(mine), *SMALL, *options, "--force").code == 0
        assert h5py.is_hdf5(mine)
    said = tomobatch("phantom", str(tmp_path), *SMALL, "--force")
    assert said.err == f"error: {tmp_path} is a folder; give the name of a file"


def transmission(path, index):
    """Return minus the logarithm of a projection over the flats, and the truth."""
    with h5py.File(path) as file:
        frames, key = (
            file["entry/instrument/detector/data"][:].astype(float),
            file["entry/instrument/detector/image_key"][:],
        )
        truth = read_truth(file)
    dark, flat = (np.median(frames[key == kind], axis=0) for kind in (2, 1))
    seen = np.maximum(frames[key == 0][index] - dark, 1)
    return -np.log(seen / np.maximum(flat - dark, 1)), truth


def test_every_fault_of_the_detector_is_in_the_projections(tmp_path):
    options = ("--axis-shift", "1.5", "--shift-u", "2", "--shift-v", "-3", "--roll", "4")
    turned = ("--tilt", "12", "--slant", "-9", "--no-stripes", "--cone")
    path, out = made(tmp_path, *options, *turned)
    assert "datasets: {cone: {shift_u_px: 2, tilt_deg: 12, slant_deg: -9}}" in out
    found, truth = transmission(path, 5)
    values = dict(zip(KEYS, (1.5, 2, -3, 4, 12, -9), strict=True))
    beam = demo_beam(32)
    expected = {}
    for name in (None, *KEYS):
        faulty = {**vars(beam), **values, **({name: 0.0} if name else {})}
        paths = cone_line_integrals(
            truth.solids, type(beam)(**faulty), 5 * 2 * np.pi / 24, n_rows=16, n_cols=32
        )
        expected[name] = np.median(np.abs(found - paths))
    assert min(expected, key=expected.get) is None
    assert len(truth.stripes) == 0


def test_what_it_says_the_file_does_not_tell_can_be_given(tmp_path):
    path, out = made(tmp_path, "--cone", "--offset-detector", "--tilt", "1", "--counter-clockwise")
    (text,) = re.findall(r"not told by the file: datasets: (.*)", out)
    with open_scan(path, DatasetSettings.model_validate(yaml.safe_load(text))) as opened:
        beam = opened.header.beam
    assert (beam.shift_u_px, beam.tilt_deg, beam.sense) == (11, 1, -1)
    with h5py.File(path) as file:
        assert (np.diff(file["entry/sample/rotation_angle"][5:20]) < 0).all()


def test_a_drift_a_jitter_and_few_counts(tmp_path):
    plain, _ = made(tmp_path, "--cone", "--no-stripes")
    still = [transmission(plain, index)[0] for index in (0, 23)]
    moved, _ = made(tmp_path, "--cone", "--no-stripes", "--drift", "6", "0")
    first, last = (
        np.median(np.abs(transmission(moved, index)[0] - one))
        for index, one in zip((0, 23), still, strict=True)
    )
    assert last > 3 * first
    shaken, _ = made(tmp_path, "--cone", "--no-stripes", "--jitter", "3")
    assert np.median(np.abs(transmission(shaken, 0)[0] - still[0])) > 3 * first
    dim, _ = made(tmp_path, "--cone", "--no-stripes", "--counts", "300")
    assert np.median(np.abs(transmission(dim, 0)[0] - still[0])) > 3 * first


def test_a_short_scan_has_fewer_projections(tmp_path):
    path, _ = made(tmp_path, "--cone", "--short-scan")
    with open_scan(path) as opened:
        angles = opened.header.angles_rad
    assert 12 < len(angles) < 20
    assert np.ptp(angles) > np.pi


@pytest.mark.parametrize(
    "option",
    [("--tilt", "1"), ("--short-scan",), ("--drift", "1", "0"), ("--axis-shift", "2")],
    ids=lambda option: option[0],
)
def test_faults_of_a_cone_need_a_cone(tmp_path, option):
    said = tomobatch("phantom", str(tmp_path / "scan.h5"), *SMALL, *option)
    assert said.code != 0
    assert said.err.endswith(f"error: {option[0]} needs --cone: the beam of this scan is parallel")
