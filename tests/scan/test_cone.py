"""The beam of a scan: from the file, from the configuration, and where the two contradict."""

import re
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from tomobatch.errors import UserError
from tomobatch.phantom.write_cone import demo_beam, write_cone_phantom
from tomobatch.scan.inspection import inspect
from tomobatch.scan.open import open_scan
from tomobatch.scan.settings import DatasetSettings

SIZE = 32


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    path = tmp_path / "scan.nx"
    write_cone_phantom(path, size=SIZE, n_angles=40, n_flats=2, n_darks=2)
    return path


def settings(**values: object) -> DatasetSettings:
    return DatasetSettings.model_validate(values)


def set_value(path: Path, name: str, value: float | None) -> None:
    """Change a length of the file, or take it out."""
    with h5py.File(path, "r+") as file:
        unit = file["entry"][name].attrs["units"]
        del file["entry"][name]
        if value is not None:
            file["entry"][name] = value
            file["entry"][name].attrs["units"] = unit


def header(path: Path, **values: object):
    with open_scan(path, settings(**values)) as opened:
        return opened.header


def test_nxtomo_with_the_distance_of_its_source_is_a_cone(scan):
    beam, drawn = header(scan).beam, demo_beam(SIZE)
    assert beam is not None
    assert beam.source_to_axis_mm == pytest.approx(drawn.source_to_axis_mm)
    assert beam.magnification == pytest.approx(5)
    assert beam.axis_shift_px == beam.roll_deg == 0  # what no file tells
    assert header(scan).pixel_size_um == pytest.approx(drawn.voxel_um)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_negative_distance_is_one_upstream(scan, sign):
    set_value(scan, "instrument/source/distance", sign * 6.0)
    assert header(scan).beam.source_to_axis_mm == pytest.approx(6)


def test_inspect_says_in_words_that_it_is_a_cone(scan):
    found = inspect(scan)
    assert found.problems == ()
    assert "cone, 6 mm from source to axis and 30 mm to the detector" in found.facts["beam"]
    assert "5 times magnified" in found.facts["beam"]
    assert "are not checked" in found.facts["angles"]


def test_steep_rays_and_missing_angles_are_remarked_on(tmp_path):
    path = tmp_path / "steep.nx"
    write_cone_phantom(path, size=SIZE, n_rows=48, n_angles=40, n_flats=2, n_darks=2)
    with h5py.File(path, "r+") as file:
        file["entry/sample/rotation_angle"][...] *= 170 / 360
    odd = "\n".join(inspect(path).oddities)
    assert "rays are up to 10.4 degrees steep" in odd
    assert "the angles span 170 degrees: a cone beam needs half a turn and its fan" in odd


def test_a_voxel_that_contradicts_the_distances_stops(scan):
    set_value(scan, "sample/x_pixel_size", 5.0)
    with pytest.raises(UserError, match=r"a voxel of 5 um is stated, .* makes 46\.875 um"):
        open_scan(scan)
    assert header(scan, cone={"detector_pixel_um": 234.375}).beam is not None


def test_the_configuration_wins(scan):
    cone = {
        "source_to_axis_mm": 7.5,
        "source_to_detector_mm": 30,
        "detector_pixel_um": 200,
        "row_pitch_um": 210,
        "shift_v_px": 1.5,
        "roll_deg": -0.3,
    }
    beam = header(scan, cone=cone, rotation="counter-clockwise").beam
    assert (beam.magnification, beam.pixel_mm, beam.row_pitch_mm) == pytest.approx((4, 0.2, 0.21))
    assert (beam.shift_v_px, beam.roll_deg, beam.sense) == (1.5, -0.3, -1)


def test_a_cone_may_be_called_parallel(scan):
    assert header(scan, beam="parallel").beam is None


def test_a_missing_length_is_asked_for(scan):
    set_value(scan, "instrument/detector/distance", None)
    with pytest.raises(UserError, match=r"give datasets\.cone\.source_to_detector_mm"):
        open_scan(scan)
    assert header(scan, cone={"source_to_detector_mm": 30}).beam is not None


def test_distances_alone_of_the_configuration_make_a_cone(scan):
    for name in ("instrument/source/distance", "sample/x_pixel_size"):
        set_value(scan, name, None)
    assert header(scan).beam is None
    cone = {"source_to_axis_mm": 6, "source_to_detector_mm": 30}
    with pytest.raises(UserError, match="whose pixel is not known"):
        header(scan, cone=cone)
    assert header(scan, cone=cone, pixel_size_um=46.875).beam.pixel_mm == pytest.approx(0.234375)


def test_a_cone_without_angles_is_not_guessed_at(scan):
    with h5py.File(scan, "r+") as file:
        del file["entry/sample/rotation_angle"]
    with pytest.raises(UserError, match="a cone beam without angles"):
        open_scan(scan)
    angles = header(scan, angle_range_deg=(0, 351)).angles_rad
    assert np.rad2deg(angles[-1]) == pytest.approx(351)


def test_a_synchrotron_s_source_is_as_good_as_parallel(scan):
    set_value(scan, "instrument/source/distance", 145_000.0)
    assert header(scan).beam is None


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (6.0, "furlong", "a distance of the source of 6 furlong cannot be, and is not used"),
        (1e9, "m", "a distance of the source of 1e+09 m cannot be, and is not used"),
        (6_000_000.0, "m", "a distance of the source of 6e+06 m cannot be, and is not used"),
    ],
)
def test_a_distance_that_cannot_be_is_said(scan, value, unit, told):
    set_value(scan, "instrument/source/distance", value)
    with h5py.File(scan, "r+") as file:
        file["entry/instrument/source/distance"].attrs["units"] = unit
    (note,) = (one for one in header(scan).notes if "distance" in one)
    assert note == f"{told}; give datasets.cone.source_to_axis_mm of a cone beam"


def drifting(path: Path, last: tuple[float, float]) -> Path:
    """Write a scan whose picture moves evenly, to so many columns and rows at its end."""
    share = np.linspace(0, 1, 160)
    shifts = tuple((float(last[0] * s), float(last[1] * s)) for s in share)
    beam = replace(demo_beam(64), drift_px=shifts)
    write_cone_phantom(path, size=64, n_angles=160, beam=beam, n_flats=4, n_darks=4)
    return path


@pytest.mark.parametrize("last", [(3.0, 0.0), (0.0, -2.0), (0.0, 0.0)])
def test_a_focal_spot_that_drifts_is_told(tmp_path, last):
    told = [one for one in inspect(drifting(tmp_path / "s.nx", last)).oddities if "focal" in one]
    assert len(told) == any(last)
    if told:
        across, along = (float(n) for n in re.findall(r"(-?[\d.]+) (?:columns|rows)", told[0]))
        # To a quarter, which is enough to look at it: the sample turns by two steps between.
        assert (across, along) == pytest.approx(last, abs=0.75)


def test_a_drift_that_is_given_runs_straight_between_its_points(tmp_path):
    path = drifting(tmp_path / "s.nx", (3.0, -2.0))
    points = [[0, 0, 0], [159, 3, -2]]
    beam = header(path, cone={"drift_px": points}, exclude="0-9").beam
    assert len(beam.drift_px) == 150
    assert beam.drift_px[0] == pytest.approx((30 / 159, -20 / 159))
    assert not [one for one in inspect(path, settings(cone={"drift_px": points})).oddities
                if "focal" in one]  # fmt: skip
    with pytest.raises(UserError, match=r"numbers in datasets\.cone\.drift_px must rise"):
        header(path, cone={"drift_px": [[5, 0, 0], [5, 1, 1]]})
