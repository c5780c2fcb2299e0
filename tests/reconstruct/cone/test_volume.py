"""What the call on a cone-beam scan in memory refuses."""

import numpy as np
import pytest

from tomobatch.beam import ConeBeam
from tomobatch.errors import UserError
from tomobatch.reconstruct.cone import fdk

BEAM = ConeBeam(100, 200, 1.0, 1.0)
ANGLES_RAD = np.linspace(0, 2 * np.pi, 40, endpoint=False)
ROWS = np.zeros((4, 40, 16), np.float32)


@pytest.mark.parametrize("option", ["filter", "padding", "device"])
def test_a_choice_that_there_is_not(option):
    with pytest.raises(UserError, match=f"{option}: 'other' is not one of "):
        fdk(ROWS, ANGLES_RAD, BEAM, **{option: "other"})


@pytest.mark.parametrize(
    ("rows", "angles", "said"),
    [
        (ROWS, np.rad2deg(ANGLES_RAD), "they look like degrees"),
        (ROWS, ANGLES_RAD[1:], "angles_rad: 39 angles for 40 projections"),
        (ROWS[0], ANGLES_RAD, r"sinograms: shape \(40, 16\) is not \(y, angle, x\)"),
        (ROWS[:0], ANGLES_RAD, r"sinograms: shape \(0, 40, 16\) is not \(y, angle, x\)"),
        (ROWS * np.nan, ANGLES_RAD, "in row 0, projection 0"),
    ],
)
def test_what_is_no_scan(rows, angles, said):
    with pytest.raises(UserError, match=said):
        fdk(rows, angles, BEAM)
