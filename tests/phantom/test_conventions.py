"""The vectors that the page on conventions gives to other programs are our projector's."""

from dataclasses import replace

import numpy as np
import pytest

from tomobatch.beam import ConeBeam
from tomobatch.phantom.cone import detector_frame

N_ROWS, N_COLS = 40, 60
IDEAL = ConeBeam(100, 400, 0.2, 0.25)
TURNED = replace(
    IDEAL, shift_u_px=3, shift_v_px=-2, axis_shift_px=1.5, roll_deg=2, tilt_deg=4, slant_deg=-5
)


def vectors(beam: ConeBeam, angle: float) -> tuple[np.ndarray, ...]:
    """Source, middle of the detector, column and row in voxels, as docs/explanation has them."""
    columns = np.array([np.cos(angle), np.sin(angle), 0])
    rows = np.array([0.0, 0.0, 1.0])
    along = np.array([-np.sin(angle), np.cos(angle), 0])
    turned = np.stack([columns, rows, along], axis=1) @ beam.rotation()
    voxel = beam.voxel_um / 1e3
    u = beam.magnification * turned[:, 0]
    v = beam.magnification * beam.row_pitch_mm / beam.pixel_mm * turned[:, 1]
    shift = beam.axis_shift_px
    source = -beam.source_to_axis_mm / voxel * along - shift * columns
    u_p, v_p = beam.principal_px(N_ROWS, N_COLS)
    middle = source + beam.source_to_detector_mm / voxel * along
    middle = middle + ((N_COLS - 1) / 2 - u_p) * u + ((N_ROWS - 1) / 2 - v_p) * v
    return source, middle, u, v


@pytest.mark.parametrize("beam", [IDEAL, TURNED])
@pytest.mark.parametrize("angle", [0.0, 0.7, 4.0])
def test_vectors_for_astra_are_those_of_our_projector(beam, angle):
    source, middle, u, v = vectors(beam, angle)
    at, pixels = detector_frame(beam, angle, N_ROWS, N_COLS)
    np.testing.assert_allclose(source, at, atol=1e-9)
    np.testing.assert_allclose(u, pixels[:, 0], atol=1e-9)
    np.testing.assert_allclose(v, pixels[:, 1], atol=1e-9)
    seen = at + pixels @ np.array([(N_COLS - 1) / 2, (N_ROWS - 1) / 2, 1])
    np.testing.assert_allclose(middle, seen, atol=1e-9)
