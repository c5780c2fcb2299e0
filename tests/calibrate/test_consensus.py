"""Which method is believed, and when the user is warned."""

from dataclasses import replace

import numpy as np
import pytest

from tomobatch.calibrate.calibration import calibrate
from tomobatch.calibrate.candidate import Candidate
from tomobatch.calibrate.consensus import MethodResult, choose, contradicting, mean_of
from tomobatch.calibrate.doubts import Belief, doubts
from tomobatch.calibrate.evidence import Evidence, RowEvidence
from tomobatch.calibrate.line import Line
from tomobatch.calibrate.movement import STANDS_STILL, TO_AND_FRO, Movement
from tomobatch.calibrate.settings import CalibrateSettings

ERRORS_PX = {"mirror": 0.01, "wedge": 0.05, "moments": 0.3, "sharpness": 0.1}


def results(**cors_px):
    return {m: MethodResult(cor_px, 0.01, ERRORS_PX[m], 20) for m, cor_px in cors_px.items()}


@pytest.mark.parametrize(
    ("cors_px", "chosen", "checked_by"),
    [
        ({"mirror": 50.0, "wedge": 50.1, "moments": 50.2}, "mirror", "wedge"),
        ({"mirror": 50.1, "wedge": 70.0, "sharpness": 50.2}, "mirror", "sharpness"),
        (
            {"mirror": 70.1, "wedge": 60.0, "moments": 50.0, "sharpness": 50.2},
            "sharpness",
            "moments",
        ),
        # Two coarse methods that agree never outvote two fine ones that do.
        ({"mirror": 50.0, "wedge": 50.04, "moments": 48.9, "sharpness": 49.2}, "mirror", "wedge"),
    ],
)
def test_the_finest_two_that_agree(cors_px, chosen, checked_by):
    method, check = choose(results(**cors_px))
    assert (method, check.method) == (chosen, checked_by)
    assert check.agrees


def test_a_more_certain_method_that_disagrees_is_told():
    found = results(mirror=70.1, wedge=60.0, moments=50.0, sharpness=50.2)
    assert contradicting(found, "sharpness").method == "mirror"
    assert contradicting(found, "mirror") is None


LEVEL = Line(31.5, 50.0, 0.02, 0.01, 1e-4)


def evidence(n_rows=8, **cors_px):
    candidates = {m: Candidate(cor_px, 0.05) for m, cor_px in cors_px.items()}
    rows = tuple(RowEvidence(row, 0.5, 0.01, candidates=candidates) for row in range(n_rows))
    return [
        Evidence(
            n_x=200,
            n_rows=n_rows,
            n_angles=300,
            is_full_turn=False,
            view_noise=0.5,
            calm_noise=0.5,
            offset_noise=0.13,
            rows=rows,
        )
    ]


WINDOW = CalibrateSettings(grey_window=(0.0, 1.0))


def test_disagreement_is_told_with_both_values():
    warning, *_ = calibrate(evidence(sharpness=90.0, moments=120.0), WINDOW).warnings
    for part in ("120.00 px by moments", "sharpness finds 90.00 px", "calibrate.cor_px"):
        assert part in warning


def test_a_lone_method_is_told():
    found = calibrate(evidence(moments=90.0), WINDOW)
    assert found.check is None
    assert "could not be checked" in found.warnings[0]


def doubted(line, n_rows=64, lines=(), *, stands_alone=False, movement=STANDS_STILL, **errors_px):
    found = {m: MethodResult(50.0, e, e, 20) for m, e in errors_px.items()}
    method, check = choose(found)
    error_px = found[method].error_px
    belief = Belief(50.0, error_px, found, method, check, stands_alone, movement)
    return doubts(belief, line, dict(lines), n_rows)


@pytest.mark.parametrize(
    ("mid_sigma_px", "slope_sigma", "n_rows", "told"),
    [
        (0.02, 1e-4, 64, ""),
        (0.3, 1e-4, 64, "known to 0.60 px only"),
        (0.02, 6e-4, 64, "tilt 0.573 degrees is known to 0.069 degrees only"),
        (0.02, 6e-4, 24, ""),  # 0.007 px in the outermost rows
        (0.02, 2e-2, 24, "0.46 px of the cor in the outermost rows"),
        (0.02, None, 64, "the tilt cannot be told"),
        (0.02, None, 24, "the tilt cannot be told"),
        (0.02, None, 8, ""),
    ],
)
def test_what_is_not_certain_enough_is_told(mid_sigma_px, slope_sigma, n_rows, told):
    line = Line((n_rows - 1) / 2, 50.0, mid_sigma_px, 0.01, slope_sigma)
    warnings = doubted(line, n_rows, mirror=mid_sigma_px, wedge=mid_sigma_px)
    assert [told in text for text in warnings] == ([True] if told else [])


def test_tilts_that_differ_are_told():
    line = Line(50, 50.0, 0.02, 0.01, 1e-5)
    lines = {"mirror": line, "wedge": Line(50, 50.0, 0.02, 0.03, 1e-4)}
    (warning,) = doubted(line, 100, lines.items(), mirror=0.02, wedge=0.02)
    assert "wedge finds 1.718" in warning


def test_a_check_that_tolerates_anything_bears_nothing_out():
    vague = {"mirror": MethodResult(50.0, 0.01, 0.01, 20)}
    vague["moments"] = MethodResult(52.5, 1.0, 1.0, 20)
    _, check = choose(vague)
    assert not check.contradicts
    assert not check.agrees


@pytest.mark.parametrize(
    ("away_px", "error_px", "stands_alone", "told"),
    [
        (0.6, 1.3, True, ""),
        (2.5, 1.3, True, ""),
        (2.5, 0.1, True, "is not borne out: wedge finds 52.50 px"),
        (0.4, 1.3, False, ""),
        (0.6, 1.3, False, "is borne out loosely: wedge finds 50.60 px, 0.60 px away"),
        (2.5, 1.3, False, "is not borne out: wedge finds 52.50 px"),
    ],
)
def test_how_close_a_check_must_come(away_px, error_px, stands_alone, told):
    found = {
        "mirror": MethodResult(50.0, 0.01, 0.01, 20),
        "wedge": MethodResult(50.0 + away_px, error_px, error_px, 20),
    }
    method, check = choose(found)
    belief = Belief(50.0, 0.01, found, method, check, stands_alone)
    warnings = doubts(belief, LEVEL, {}, 64)
    assert [told in text for text in warnings] == ([True] if told else [])


def test_the_mean_of_two_is_more_certain_but_for_what_they_share():
    one, two = MethodResult(50.0, 0.1, 0.1, 20), MethodResult(50.3, 0.2, 0.2, 20)
    assert mean_of(one, two, 0.0) == pytest.approx((50.06, np.sqrt(0.8) * 0.1))
    assert mean_of(one, two, 0.1) == pytest.approx((50.06, 0.1))


def test_one_that_stands_alone_needs_no_other():
    (warning,) = doubted(LEVEL, mirror=0.02)
    assert "could not be checked" in warning
    assert doubted(LEVEL, mirror=0.02, stands_alone=True) == []


@pytest.mark.parametrize(
    ("error_px", "moved_px", "told"),
    [(0.13, 0.0, False), (0.13, 0.8, True), (0.05, 0.8, False), (0.2, 0.8, True)],
)
def test_a_sample_that_moves_is_told(error_px, moved_px, told):
    movement = Movement(0.0, moved_px, TO_AND_FRO) if moved_px else STANDS_STILL
    warnings = doubted(LEVEL, movement=movement, mirror=error_px, wedge=error_px)
    assert any("the sample moves by about 0.8 px" in text for text in warnings) is told


def test_the_tilt_is_as_certain_as_the_angle_that_its_slope_is():
    found = calibrate(evidence(sharpness=90.0, moments=90.1), WINDOW)
    steep = replace(found, line=replace(found.line, slope=1.0, slope_sigma=0.01))
    assert steep.tilt_deg == pytest.approx(45)
    assert steep.tilt_sigma_deg == pytest.approx(np.rad2deg(0.005))


def test_what_is_given_is_certain():
    given = CalibrateSettings(cor_px=100, tilt_deg=1, grey_window=(0, 1))
    line = calibrate(evidence(sharpness=90.0, moments=90.1), given).line
    assert (line.mid_px, line.mid_sigma_px, line.slope_sigma) == (100, 0, None)
    assert line.slope == pytest.approx(np.tan(np.deg2rad(1)))


@pytest.mark.parametrize("is_full_turn", [True, False])
def test_halves_are_merged_of_full_turns_only(is_full_turn):
    rows = [replace(each, is_full_turn=is_full_turn) for each in evidence(moments=30.0)]
    told = " ".join(calibrate(rows, WINDOW).warnings)
    assert ("half acquisition" in told) is is_full_turn


def test_tilts_that_differ_by_less_than_shows_are_not_told():
    """0.4 px over the height of the scan, twenty standard deviations."""
    line = Line(50, 50.0, 0.02, 0.01, 1e-5)
    lines = {"mirror": line, "wedge": Line(50, 50.0, 0.02, 0.014, 1e-4)}
    assert doubted(line, 100, lines.items(), mirror=0.02, wedge=0.02) == []
