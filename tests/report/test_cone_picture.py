"""The cone of a report: its figures, and a picture in which nothing is amiss."""

from dataclasses import replace

import numpy as np
import pytest
from tests.scan.lab_scans import nikon

from tomobatch.report.cone_picture import FALL_A_DEGREE, cone_facts, cone_picture
from tomobatch.scan.open import open_scan


@pytest.fixture
def header(tmp_path):
    with open_scan(nikon(tmp_path)) as scan:
        return scan.header


def test_the_figures_of_a_cone(header):
    facts = cone_facts(header, header.beam)
    assert facts["Magnification"] == "4: a pixel of 200 µm is a voxel of 50 µm"
    assert facts["Source to axis, to detector"] == "100 mm, 400 mm"
    assert facts["Seen whole"].endswith(f"of 0 to {header.n_rows - 1}")
    moving = replace(header.beam, drift_px=((0.0, 0.0), (1.5, -2.0)))
    assert cone_facts(header, moving)["Moves between projections"] == "1.50 columns, 2.00 rows"


def test_the_fall_is_that_of_the_measured_slices():
    # Of a density of 1, in the flat parts of slices seen under 5 and 10 degrees: results/cone.md.
    np.testing.assert_allclose(FALL_A_DEGREE * np.array([5, 10]), [0.0048, 0.0102], rtol=0.05)


@pytest.mark.parametrize("steep", [1, 100])
def test_the_picture_is_drawn_of_any_cone(header, steep):
    beam = replace(header.beam, row_pitch_mm=0.2 * steep, tilt_deg=3.0)
    drawn = cone_picture(header, beam)
    assert drawn.startswith("<svg")
    assert "nan" not in drawn.lower()


def test_slices_that_are_iterated_on_have_not_the_fall_of_fdk(header):
    assert "FDK's fall" in cone_facts(header, header.beam)
    assert "FDK's fall" not in cone_facts(header, header.beam, by_fdk=False)
    assert "too low by" in cone_picture(header, header.beam)
    assert "too low by" not in cone_picture(header, header.beam, by_fdk=False)
