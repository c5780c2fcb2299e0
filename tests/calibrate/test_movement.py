"""A sample that moves is told, whatever it does to the views at the two ends of the scan."""

import numpy as np
import pytest
from tests.calibrate.random_scans import draw, measure, process

from tomobatch.calibrate.calibration import Calibration, calibrate
from tomobatch.calibrate.evidence import EvidenceSettings, gather_evidence
from tomobatch.calibrate.settings import CalibrateSettings

PATHS = {
    "leap": lambda time: 4.0 * (time > 0.5),
    "small leap": lambda time: 1.0 * (time > 0.3),
    "steady": lambda time: 3.0 * time,
    "settling": lambda time: 1.5 * np.exp(-time / 0.15),
    "swing": lambda time: 1.0 * np.sin(3 * np.pi * time),
}


def found(kind: str, seed: int, path_px=None) -> tuple[Calibration, float]:
    recipe = draw(seed, kind=kind, n_x=136, n_rows=16, photons=2e4)
    scan = measure(recipe, path_px)
    evidence = gather_evidence(process(scan.sinograms), scan.angles_rad, 0, EvidenceSettings(16))
    return calibrate([evidence], CalibrateSettings()), recipe.cor_px


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("plain", "leap"),
        ("plain", "small leap"),
        ("plain", "steady"),
        ("strong stripes", "settling"),
        ("full turn", "swing"),
        ("full turn", "leap"),
    ],
)
def test_a_sample_that_moves_is_told_and_the_axis_is_not_certain(kind: str, path: str) -> None:
    calibration, cor_px = found(kind, 200, PATHS[path])
    where_it_was = PATHS[path](np.linspace(0, 1, 100)) + cor_px - calibration.line.mid_px
    assert np.abs(where_it_was).mean() < 3 * calibration.line.mid_sigma_px
    assert calibration.movement.how
    assert any("the sample moves" in text for text in calibration.warnings)


def test_a_leap_is_seen_of_a_sample_beyond_the_detector() -> None:
    """Its centre of mass says nothing, but neighbouring projections do."""
    calibration, _ = found("wide object", 204, PATHS["leap"])
    assert calibration.movement.how == "between two projections"
    assert calibration.line.mid_sigma_px > 0.5


@pytest.mark.parametrize("kind", ["plain", "full turn", "wide object", "off centre", "drift"])
def test_a_sample_that_stands_still_is_not_said_to_move(kind: str) -> None:
    calibration, _ = found(kind, 210)
    assert calibration.movement.error_px < 0.15
