"""Planted faults are seen by the figure that is meant for them; good scans are green."""

from dataclasses import replace

import numpy as np
import pytest
from tests.stripes.known_stripes import known_scan

from tomobatch.calibrate.calibration import Calibration, calibrate
from tomobatch.calibrate.evidence import EvidenceSettings, gather_evidence
from tomobatch.calibrate.movement import SLOWLY, Movement
from tomobatch.calibrate.settings import CalibrateSettings
from tomobatch.reconstruct.slices import fbp
from tomobatch.records.findings import Findings, worst
from tomobatch.report.quality import level_at_the_edges, resolved_share, seam
from tomobatch.report.verdicts import Figures, judge
from tomobatch.stripes.choice import StripeChoice

GOOD = Figures(0.8, 1.0, 0.01, 0.0, 0.0)
STRIPES = StripeChoice("filtering", "auto", True, 0, 0.2, 0.02, {}, (1,))


@pytest.fixture(scope="module")
def scan():
    return known_scan(5, "none", "crystals")


@pytest.fixture(scope="module")
def calibration(scan) -> Calibration:
    rows = np.tile(scan.measured, (4, 1, 1))
    rows += np.random.default_rng(0).normal(0, 1e-3, rows.shape).astype(np.float32)
    evidence = gather_evidence(rows, scan.angles_rad, 0, EvidenceSettings(len(rows)))
    return calibrate([evidence], CalibrateSettings())


def levels(calibration, stripes=STRIPES, figures=GOOD) -> dict[str, str]:
    return {one.subject: one.level for one in judge(calibration, stripes, figures)}


def halves(scan, sinogram) -> float:
    one, other = (
        fbp(sinogram[start::2], scan.angles_rad[start::2], device="cpu")[0] for start in (0, 1)
    )
    return resolved_share(one, other)


def test_a_good_scan_is_green(calibration) -> None:
    found = levels(calibration)
    assert {found[name] for name in found if name not in ("tilt", "centre of rotation")} == {
        "green"
    }


@pytest.mark.parametrize(
    ("subject", "change", "level"),
    [
        ("noise and sharpness", {"resolved_share": 0.45}, "amber"),
        ("noise and sharpness", {"resolved_share": 0.3}, "red"),
        ("motion", {"seam": 2.2}, "amber"),
        ("motion", {"seam": 3.0}, "red"),
        ("motion", {"seam": float("nan")}, "red"),
        ("motion", {"seam": None}, "unknown"),
        ("field of view", {"edge_level": 0.2}, "amber"),
        ("clipping", {"clipped_share": 0.001}, "amber"),
        ("saturation", {"saturated_share": 0.01}, "red"),
    ],
)
def test_a_figure_beyond_its_threshold_is_said(calibration, subject, change, level) -> None:
    assert levels(calibration, figures=replace(GOOD, **change))[subject] == level


@pytest.mark.parametrize(
    ("size_px", "seam", "level"),
    [(0.0, 1.0, "green"), (0.5, 1.0, "amber"), (2.0, None, "red"), (0.5, 3.0, "red")],
)
def test_a_sample_that_moves_is_said(calibration, size_px, seam, level) -> None:
    movement = Movement(size_px / 2, size_px, SLOWLY if size_px else "")
    moved = replace(calibration, movement=movement)
    assert levels(moved, figures=replace(GOOD, seam=seam))["motion"] == level


@pytest.mark.parametrize(("after", "level"), [(0.03, "green"), (0.1, "amber"), (0.3, "red")])
def test_rings_that_are_left_are_said(calibration, after, level) -> None:
    assert levels(calibration, replace(STRIPES, figure_after=after))["rings"] == level


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        ({}, "amber"),
        ({"figure_after": 0.03}, "green"),
        ({"figure_after": float("nan")}, "red"),
        # A sample of one ring: no method does harm, and there is nothing to take off.
        ({"errors": {"none": 0.006, "filtering": 0.0065, "sorting": 0.007}}, "amber"),
        ({"errors": {"none": 0.136, "filtering": 0.137, "sorting": 0.14}}, "red"),
        ({"method": "filtering", "errors": {"none": 0.4, "filtering": 0.03}}, "red"),
        ({"asked": "none", "errors": {}}, "red"),
    ],
)
def test_a_concentric_sample_is_not_red_where_no_stripes_are_found(
    calibration, changes, level
) -> None:
    errors = {"none": 0.0008, "filtering": 0.126, "sorting": 0.128}
    concentric = StripeChoice("none", "auto", True, 0, 0.588, 0.588, errors, (1,))
    (rings,) = (
        one
        for one in judge(calibration, replace(concentric, **changes), GOOD)
        if one.subject == "rings"
    )
    assert rings.level == level
    assert ("may be the sample's own" in rings.advice) == (level == "amber")


def test_an_axis_that_was_given_is_held_against_the_one_found(calibration) -> None:
    line = replace(calibration.line, mid_px=calibration.found.mid_px + 2)
    given = replace(calibration, line=line, cor_source="given")
    assert levels(given)["centre of rotation"] == "red"


def test_noise_and_few_angles_lower_the_sharpness(scan) -> None:
    good = scan.measured[0]
    noise = np.random.default_rng(1).normal(0, 8 * np.std(np.diff(good[:, :8])), good.shape)
    assert halves(scan, good + noise.astype(np.float32)) < 0.7 * halves(scan, good)


def test_a_moved_sample_opens_the_seam(scan) -> None:
    middle = (scan.measured.shape[2] - 1) / 2
    good = seam(scan.measured[0], scan.angles_rad, middle)
    moved = scan.measured[0].copy()
    half = len(moved) // 2
    moved[half:] = np.roll(moved[half:], 3, axis=1)
    assert good < 2 < seam(moved, scan.angles_rad, middle)
    assert seam(scan.measured[0], 0.5 * scan.angles_rad, middle) is None


def test_a_beam_that_falls_is_no_motion(scan) -> None:
    fell = np.linspace(0, 1, len(scan.measured[0]), dtype=np.float32)[:, None]
    slanted = fell * np.linspace(0.1, 0.4, scan.measured.shape[2], dtype=np.float32)
    middle = (scan.measured.shape[2] - 1) / 2
    assert seam(scan.measured[0] + slanted, scan.angles_rad, middle) < 2


def test_stripes_are_no_motion(scan) -> None:
    stripes = np.random.default_rng(0).normal(0, 0.02, scan.measured.shape[2])
    striped = scan.measured[0] + stripes.astype(np.float32)
    assert seam(striped, scan.angles_rad, (scan.measured.shape[2] - 1) / 2) < 2


def test_the_ends_of_a_full_turn_meet_as_they_are(scan) -> None:
    middle = (scan.measured.shape[2] - 1) / 2
    half = scan.measured[0]
    turn = np.concatenate([half, half[:, ::-1]])
    angles_rad = np.linspace(0, 2 * np.pi, len(turn), endpoint=False)
    moved = turn.copy()
    moved[-len(half) :] = np.roll(moved[-len(half) :], 3, axis=1)
    assert seam(turn, angles_rad, middle) < 2 < seam(moved, angles_rad, middle)


def test_a_sample_beyond_the_detector_is_seen(scan) -> None:
    assert level_at_the_edges(scan.measured[0]) < 0.05
    assert level_at_the_edges(scan.measured[0][:, 80:-80]) > 0.3


def test_findings_survive_their_file(calibration) -> None:
    found = Findings("tooth", judge(calibration, STRIPES, GOOD), ("a flat is missing",))
    assert Findings.from_json(found.to_json()) == found
    assert found.level in ("amber", "red")
    assert worst([]) == "unknown"
    assert worst(["green", "red", "unknown"]) == "red"
