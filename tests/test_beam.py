"""The geometry of a cone beam: lengths, contradictions, and the turned detector."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tomobatch.beam import ConeBeam, check_voxel, cone_beam_from_dict
from tomobatch.errors import UserError

BEAM = ConeBeam(67.11594, 174.07267, 0.0222, 0.0222)


def test_the_voxel_is_the_pixel_over_the_magnification():
    assert pytest.approx(8.559493, rel=1e-5) == BEAM.voxel_um
    assert BEAM.source_voxels * BEAM.voxel_um == pytest.approx(67115.94)
    check_voxel(BEAM, 8.559493, "scan.log")


def test_a_voxel_that_contradicts_the_distances_is_refused_with_both():
    with pytest.raises(UserError, match=r"scan\.log.* 7\.4 um is stated.* makes 8\.55949 um"):
        check_voxel(BEAM, 7.4, "scan.log")


@pytest.mark.parametrize("values", [(0, 1, 1, 1), (1, float("nan"), 1, 1), (2, 1, 1, 1)])
def test_lengths_that_make_no_beam_are_refused(values):
    with pytest.raises(UserError, match="cone beam"):
        ConeBeam(*values)


def test_a_beam_comes_back_from_json():
    beam = replace(BEAM, roll_deg=0.3, sense=-1, drift_px=((0.5, 1.0), (0.25, -1.0)))
    assert cone_beam_from_dict(json.loads(json.dumps(beam.to_dict()))) == beam


def test_the_axis_is_put_where_it_is_seen():
    assert replace(BEAM, shift_u_px=2.0).with_axis(70.25, 128).cor_px(128) == pytest.approx(70.25)


@pytest.mark.parametrize("name", ["roll_deg", "tilt_deg", "slant_deg"])
def test_a_turned_detector_is_met_where_the_ray_meets_its_plane(name):
    beam = replace(BEAM, **{name: 3.0})
    u, v = np.array([-700.0, 300.0]), np.array([400.0, 900.0])
    columns, rows = beam.on_detector(u, v)
    foot = np.array([0, 0, beam.source_to_detector_mm])
    in_plane = beam.pixel_mm * np.stack([columns, rows, np.zeros(2)])
    points = foot[:, None] + beam.rotation() @ in_plane
    seen = beam.source_to_detector_mm * points[:2] / points[2] / beam.pixel_mm
    assert seen == pytest.approx(np.stack([u, v]))


def test_turns_have_the_signs_that_are_documented():
    down = np.array([0.0, 1.0, 0.0])
    right = np.array([1.0, 0.0, 0.0])
    assert replace(BEAM, roll_deg=1.0).on_detector(0, 1000)[0] > 0
    assert (replace(BEAM, tilt_deg=1.0).rotation() @ down)[2] > 0
    assert (replace(BEAM, slant_deg=1.0).rotation() @ right)[2] > 0


def test_slices_seen_whole_are_fewer_near_the_source():
    beam = ConeBeam(100, 200, 0.2, 0.2)
    first, stop = beam.whole_slices(101, 401)
    # The fan's edge is 0.1961 D from the axis: there, 0.804 of the height is seen.
    assert (first, stop) == (10, 91)
    assert replace(beam, shift_v_px=-50).whole_slices(101, 401) == (0, 81)
