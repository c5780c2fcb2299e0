"""Which method is believed."""

import pytest

from tomobatch.calibrate.calibration import calibrate
from tomobatch.calibrate.candidate import Candidate
from tomobatch.calibrate.consensus import choose, method_result
from tomobatch.calibrate.evidence import Evidence, RowEvidence
from tomobatch.calibrate.settings import CalibrateSettings


def results(*, is_full_turn=False, **cors_px):
    return {m: method_result(m, cor_px, 0.01, 20, is_full_turn) for m, cor_px in cors_px.items()}


@pytest.mark.parametrize(
    ("cors_px", "chosen", "checked_by"),
    [
        ({"wedge": 50.0, "mirror": 50.1, "moments": 50.2}, "wedge", "moments"),
        ({"wedge": 70.0, "mirror": 50.1, "negativity": 50.3}, "mirror", "negativity"),
        (
            {"wedge": 70.0, "mirror": 70.1, "moments": 50.0, "negativity": 50.2},
            "negativity",
            "moments",
        ),
        ({"wedge": 50.0, "mirror": 50.1, "moments": 70.0}, "wedge", "mirror"),
    ],
)
def test_the_most_certain_that_another_family_bears_out(cors_px, chosen, checked_by):
    method, check = choose(results(**cors_px))
    assert (method, check.method) == (chosen, checked_by)
    assert check.agrees


def test_a_full_turn_trusts_its_many_pairs():
    method, _ = choose(results(is_full_turn=True, wedge=50.0, mirror=50.01, moments=50.0))
    assert method == "mirror"


def evidence(**cors_px):
    candidates = {m: Candidate(cor_px, 0.05) for m, cor_px in cors_px.items()}
    rows = tuple(RowEvidence(row, 0.5, 0.01, candidates) for row in range(8))
    return [Evidence(n_x=200, n_rows=8, is_full_turn=False, rows=rows)]


def test_disagreement_is_told_with_both_values():
    settings = CalibrateSettings(grey_window=(0.0, 1.0))
    found = calibrate(evidence(wedge=90.0, moments=120.0), settings)
    (warning,) = found.warnings
    for part in ("90.00 px by wedge", "moments finds 120.00 px", "calibrate.cor_px"):
        assert part in warning


def test_a_lone_method_is_told():
    settings = CalibrateSettings(grey_window=(0.0, 1.0))
    found = calibrate(evidence(moments=90.0), settings)
    assert found.check is None
    assert "could not be checked" in found.warnings[0]
