"""A seeded sample of the random scans of ``benchmarks/calibration.py``."""

import numpy as np
import pytest
from tests.calibrate.random_scans import KINDS, draw, measure, process

from tomobatch.calibrate.calibration import calibrate
from tomobatch.calibrate.evidence import EvidenceSettings, gather_evidence
from tomobatch.calibrate.settings import CalibrateSettings


def small(kind, seed):
    """A recipe of the kind, small enough for a test."""
    return draw(seed, kind=kind, n_x=144, n_rows=24)


@pytest.mark.parametrize("kind", list(KINDS))
def test_right_or_warned(kind):
    recipe = small(kind, 3)
    scan = measure(recipe)
    settings = EvidenceSettings(recipe.n_rows)
    evidence = gather_evidence(process(scan.sinograms), scan.angles_rad, 0, settings)
    found = calibrate([evidence], CalibrateSettings())
    error_px = found.line.mid_px - recipe.cor_px
    assert abs(error_px) < 0.25 or any(text.startswith("cor") for text in found.warnings)
    assert abs(error_px) < 3.5 * found.line.mid_sigma_px
    if found.tilt_sigma_deg is not None:
        assert abs(found.tilt_deg - recipe.tilt_deg) < 3.5 * found.tilt_sigma_deg


def test_a_smooth_body_in_few_rows_does_not_hide_the_tilt():
    """Row by row the body's outline takes away a good part of it; as a picture it does not."""
    recipe = draw(11, kind="plain", n_x=160, n_rows=48, tilt_deg=-0.8, photons=1e5)
    scan = measure(recipe)
    evidence = gather_evidence(scan.sinograms, scan.angles_rad, 0, EvidenceSettings(48))
    found = calibrate([evidence], CalibrateSettings())
    assert found.method == "mirror"
    assert found.tilt_deg == pytest.approx(-0.8, abs=0.05)
    wedge = np.array([(row.row, row.cors_px["wedge"]) for row in found.rows])
    by_rows_deg = np.rad2deg(np.polyfit(wedge[:, 0], wedge[:, 1], 1)[0])
    assert abs(by_rows_deg + 0.8) > 0.1
