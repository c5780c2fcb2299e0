"""Line integrals in a cone beam: against a parallel beam, closed forms and the stated geometry."""

from dataclasses import replace

import numpy as np
import pytest

from tomobatch.beam import ConeBeam
from tomobatch.phantom.cone import cone_line_integrals
from tomobatch.phantom.project import line_integrals
from tomobatch.phantom.solids import Shape, Solid, sphere

BEAM = ConeBeam(100, 200, 0.2, 0.25)
TURNED = replace(
    BEAM, shift_u_px=3.3, shift_v_px=-2, axis_shift_px=4, roll_deg=2, tilt_deg=4, slant_deg=-5
)


@pytest.mark.parametrize("shape", list(Shape))
def test_a_distant_source_makes_a_parallel_beam(shape):
    solids = [Solid(shape, 2, -3, 4, 10, 14, 9, 0.3, 1.0)]
    far = ConeBeam(1e6, 1e6 + 1e-3, 0.2, 0.2)
    found = cone_line_integrals(solids, far, 0.7, n_rows=48, n_cols=64)
    expected = line_integrals(solids, 0.7, n_rows=48, n_cols=64, cor_px=31.5)
    # Rays lean by 6e-6; at the flat faces of a box and a cylinder that is a part of a pixel's.
    assert found == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("sense", [1, -1])
@pytest.mark.parametrize("beam", [BEAM, TURNED])
def test_a_point_is_seen_where_the_documented_formula_says(beam, sense):
    beam = replace(beam, sense=sense)
    x, y, z, angle = 5.0, 6.0, 3.0, 0.7
    seen = cone_line_integrals(
        [sphere(x, y, z, 1.5, 1.0)], beam, angle, n_rows=100, n_cols=120, samples=8
    )
    row, column = np.mgrid[:100, :120]
    turn = sense * angle
    depth = beam.source_voxels + y * np.cos(turn) - x * np.sin(turn)
    magnified = beam.source_voxels / depth
    along = x * np.cos(turn) + y * np.sin(turn) + beam.axis_shift_px
    height = z * beam.pixel_mm / beam.row_pitch_mm
    u, v = beam.on_detector(magnified * along, magnified * height)
    u_px, v_px = beam.principal_px(100, 120)
    centre = (seen * column).sum() / seen.sum(), (seen * row).sum() / seen.sum()
    # A shadow six pixels wide, of pixels sampled 8 times each way.
    assert centre == pytest.approx((u_px + u, v_px + v), abs=0.02)


def test_the_ray_through_the_middle_of_a_ball_is_its_diameter():
    seen = cone_line_integrals(
        [sphere(0, 0, 0, 11, 0.5)], BEAM, 1.1, n_rows=51, n_cols=61, samples=1
    )
    assert seen.max() == seen[25, 30] == pytest.approx(11.0)


def test_a_drift_moves_the_picture():
    ball = [sphere(1, 2, 3, 8, 1.0)]
    still = cone_line_integrals(ball, BEAM, 0.2, n_rows=64, n_cols=64)
    moved = cone_line_integrals(ball, BEAM, 0.2, n_rows=64, n_cols=64, drift_px=(3, -2))
    # Nothing but the pixel numbers changes.
    assert moved[8:-8, 8:-8] == pytest.approx(still[10:-6, 5:-11])


def test_what_lies_beside_the_source_is_not_lost():
    wide = [Solid(Shape.BOX, 0, 0, 0, 2000, 2000, 5, 0.0, 1.0)]
    seen = cone_line_integrals(wide, BEAM, 0.0, n_rows=32, n_cols=32)
    assert (seen[15:17] > 0).all()
