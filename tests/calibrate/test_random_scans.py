"""A seeded sample of the random scans of ``benchmarks/calibration.py``."""

from dataclasses import replace

import numpy as np
import pytest
from tests.calibrate.random_scans import KINDS, draw, measure, process

from tomobatch.calibrate.calibration import calibrate
from tomobatch.calibrate.doubts import LARGEST_ERROR_PX
from tomobatch.calibrate.evidence import EvidenceSettings, gather_evidence
from tomobatch.calibrate.mirrored import lay_views
from tomobatch.calibrate.settings import CalibrateSettings
from tomobatch.normalise.normalise import normalise
from tomobatch.normalise.references import average_references
from tomobatch.normalise.series import ReferenceSeries
from tomobatch.scan.open import open_scan


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
        assert kind != "missing wedge", "over less than half a turn nothing tells the tilt"
        assert abs(found.tilt_deg - recipe.tilt_deg) < 3.5 * found.tilt_sigma_deg


def test_views_of_more_projections_show_what_drowns_in_those_of_two():
    """Of 59 photons a pixel, sharp views tell the axis to 0.3 px."""
    recipe = draw(5015, n_x=160, n_rows=24, n_angles=150)
    scan = measure(recipe)
    settings = EvidenceSettings(recipe.n_rows)
    evidence = gather_evidence(process(scan.sinograms), scan.angles_rad, 0, settings)
    laid = lay_views(evidence.rows, evidence, None)
    assert laid.is_calm
    assert laid.fit.significance > 9
    found = calibrate([evidence], CalibrateSettings())
    assert found.line.mid_sigma_px < LARGEST_ERROR_PX
    assert abs(found.line.mid_px - recipe.cor_px) < 0.25
    assert not any(text.startswith("cor") for text in found.warnings)
    assert not found.movement.how


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


@pytest.mark.parametrize(("seed", "n_rows"), [(1008, 24), (313, 32), (302, 40), (305, 63)])
def test_stripes_in_few_rows_do_not_pass_for_a_tilt(seed, n_rows):
    """Smeared by a gentle removal, they made an axis that leans by 3.5 degrees, sure to 0.3."""
    recipe = draw(seed, kind="strong stripes", n_rows=n_rows)
    scan = measure(recipe)
    settings = EvidenceSettings(n_rows)
    evidence = gather_evidence(process(scan.sinograms), scan.angles_rad, 0, settings)
    found = calibrate([evidence], CalibrateSettings())
    error_deg = abs(found.tilt_deg - recipe.tilt_deg)
    in_the_outermost_rows_px = np.tan(np.deg2rad(error_deg)) * (n_rows - 1) / 2
    if not any("tilt" in text[:8] for text in found.warnings):
        assert in_the_outermost_rows_px < 0.25
    assert found.tilt_sigma_deg is None or error_deg < 3.5 * found.tilt_sigma_deg


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_none_is_sure_of_a_wrong_place(seed):
    """Rings, few angles for the width, noise, an object beyond the detector: some can not tell.

    On a real scan of this kind one method was 6 px off and sure of 0.16 px.
    """
    recipe = draw(
        seed,
        kind="wide, few angles, rings",
        n_x=192,
        n_rows=16,
        n_angles=72,
        photons=400.0,
        stripes=0.05,
        n_parts=8,
    )
    scan = measure(recipe)
    evidence = gather_evidence(process(scan.sinograms), scan.angles_rad, 0, EvidenceSettings(16))
    found = calibrate([evidence], CalibrateSettings())
    for method, result in found.methods.items():
        assert abs(result.cor_px - recipe.cor_px) < 4 * result.error_px, method
    error_px = abs(found.line.mid_px - recipe.cor_px)
    assert error_px < 0.25 or any(text.startswith("cor") for text in found.warnings)


def test_the_axis_is_found_where_a_strong_edge_overlaps_better_elsewhere():
    """The rows' overlap, one by one, is best 86 px away, on the mirror image of a single edge."""
    recipe = draw(45)
    scan = measure(replace(recipe, n_angles=97))
    evidence = gather_evidence(
        process(scan.sinograms), scan.angles_rad, 0, EvidenceSettings(recipe.n_rows)
    )
    found = calibrate([evidence], CalibrateSettings())
    assert found.line.mid_px == pytest.approx(recipe.cor_px, abs=0.25)


def test_rows_taken_for_slices_do_not_outvote_whole_views():
    """About an axis that leans, wedge and sharpness agree on 0.4 px beside it; the views do not."""
    recipe = draw(155)
    scan = measure(recipe)
    evidence = gather_evidence(
        process(scan.sinograms), scan.angles_rad, 0, EvidenceSettings(recipe.n_rows)
    )
    found = calibrate([evidence], CalibrateSettings())
    assert abs(found.methods["wedge"].cor_px - recipe.cor_px) > 0.3
    assert found.line.mid_px == pytest.approx(recipe.cor_px, abs=0.05)
    assert not found.warnings


def test_a_real_scan_with_strong_rings_is_not_right_in_silence(real_scan):
    """One method is 46 px off there and sure of a quarter of a pixel: four equal rows, cut off."""
    with open_scan(real_scan) as scan:
        references = average_references(
            [ReferenceSeries(*one) for one in scan.flats().series], scan.darks()
        )
        counts = scan.read_projections(0, scan.header.n_projections)[::2]
        angles_rad = scan.header.angles_rad[::2]
    row = normalise(counts, 0, references).line_integrals[:, 0, 200:-200]
    rng = np.random.default_rng(0)
    rings = 0.1 * rng.standard_normal(row.shape[1]) + 0.03 * rng.standard_normal(row.shape)
    rows = np.repeat((row + rings)[None].astype(np.float32), 4, axis=0)
    evidence = gather_evidence(process(rows), angles_rad, 0, EvidenceSettings(4))
    found = calibrate([evidence], CalibrateSettings())
    assert abs(found.line.mid_px + 200 - 296.0) < 0.25 or found.warnings[0].startswith("cor")
