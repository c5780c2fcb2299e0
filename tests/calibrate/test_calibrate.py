"""Evidence and calibration of whole scans with known truth, and of a real one."""

import functools
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.calibrate.ellipses import Ellipse, scan, sinogram

from tomobatch.calibrate.calibration import Calibration, calibrate
from tomobatch.calibrate.evidence import Evidence, EvidenceSettings, gather_evidence
from tomobatch.calibrate.settings import CalibrateSettings
from tomobatch.errors import UserError
from tomobatch.normalise.normalise import normalise
from tomobatch.normalise.references import average_references
from tomobatch.normalise.series import ReferenceSeries
from tomobatch.reconstruct.geometry import make_geometry
from tomobatch.scan.angle_check import effective_angles
from tomobatch.scan.open import open_scan

N_X, N_ROWS, SLOPE = 192, 40, 0.006
ANGLES = np.linspace(0, np.pi, 240, endpoint=False)
FOUND = CalibrateSettings()


def evidence_of(sinograms, angles_rad, n_rows=None, first_row=0):
    n_rows = len(sinograms) if n_rows is None else n_rows
    settings = EvidenceSettings(n_rows, n_check_rows=5)
    return gather_evidence(sinograms, angles_rad, first_row, settings)


@pytest.fixture(scope="module")
def sinograms():
    """40 rows of which the first six see only air."""
    rng = np.random.default_rng(0)
    return scan(ANGLES, N_X, N_ROWS, 101.3, SLOPE, rng, n_air_rows=6)


@pytest.fixture(scope="module")
def evidence(sinograms):
    return evidence_of(sinograms, ANGLES)


@pytest.fixture(scope="module")
def calibration(evidence):
    return calibrate([evidence], FOUND)


def test_cor_tilt_and_uncertainty(calibration):
    error_px = calibration.cor_px((N_ROWS - 1) / 2) - 101.3
    assert abs(error_px) < 0.1
    assert calibration.line.slope == pytest.approx(SLOPE, abs=0.003)
    assert abs(error_px) < 4 * calibration.line.mid_sigma_px
    assert abs(calibration.line.slope - SLOPE) < 4 * calibration.line.slope_sigma
    assert calibration.tilt_deg == pytest.approx(np.rad2deg(np.arctan(calibration.line.slope)))
    assert not calibration.warnings


def test_an_independent_method_bears_it_out(calibration):
    assert calibration.method == "mirror"
    assert calibration.check.agrees
    assert set(calibration.methods) == {"mirror", "wedge", "moments", "sharpness"}
    for method, result in calibration.methods.items():
        assert abs(result.cor_px - 101.3) < 4 * result.error_px, method


def test_rows_of_air_are_rejected(calibration):
    reasons = [row.rejected for row in calibration.rows]
    assert reasons[:6] == ["sees only air"] * 6
    # Smoothing spoils two rows beside the air, and two at the other end.
    assert sum(not row.is_used for row in calibration.rows) == 10


@pytest.mark.parametrize(
    ("angles_rad", "cor_px", "radius", "photons", "within_px"),
    [
        pytest.param(np.linspace(0, np.pi, 90, endpoint=False), 88.0, 0.4, 2e4, 0.1, id="few"),
        pytest.param(np.linspace(0, np.pi, 181), 99.0, 0.4, 2e4, 0.1, id="inclusive"),
        pytest.param(-ANGLES, 99.0, 0.4, 2e4, 0.1, id="falling"),
        pytest.param(np.mod(np.arange(240) * 1.9416, np.pi), 99.0, 0.4, 2e4, 0.1, id="golden"),
        pytest.param(ANGLES, 103.0, 0.4, 500, 0.4, id="low dose"),
        pytest.param(ANGLES, 99.0, 0.8, 2e4, 0.1, id="truncated"),
        pytest.param(np.linspace(0, 3.7, 290), 99.0, 0.4, 2e4, 0.1, id="212 degrees"),
        pytest.param(2 * ANGLES, 99.0, 0.4, 2e4, 0.05, id="full turn"),
        pytest.param(np.linspace(0, 6 * np.pi, 720, False), 99.0, 0.4, 2e4, 0.05, id="3 turns"),
        pytest.param(np.mod(ANGLES + 3.5, 2 * np.pi), 99.0, 0.4, 2e4, 0.1, id="around the circle"),
        pytest.param(2 * ANGLES, 21.0, 0.7, 2e4, 0.1, id="half acquisition, left"),
        pytest.param(2 * ANGLES, 172.0, 0.7, 2e4, 0.1, id="half acquisition, right"),
    ],
)
def test_kinds_of_scans(angles_rad, cor_px, radius, photons, within_px):
    rng = np.random.default_rng(5)
    sinograms = scan(angles_rad, N_X, 16, cor_px, SLOPE, rng, radius=radius, photons=photons)
    found = calibrate([evidence_of(sinograms, angles_rad)], FOUND)
    assert found.cor_px(7.5) == pytest.approx(cor_px, abs=within_px)
    # About an axis near the edge there are only views to compare; they stand alone.
    assert found.check.agrees if found.check is not None else found.stands_alone


@pytest.mark.parametrize("end_deg", [360, 355, 350, 320])
def test_a_turn_that_is_merged_is_looked_at_up_to_its_edges(end_deg):
    """What reconstruct takes for half acquisition, calibrate takes for a full turn as well."""
    angles = np.deg2rad(np.arange(0, end_deg, 0.75))
    rng = np.random.default_rng(5)
    sinograms = scan(angles, N_X, 16, 21.0, 0.0, rng, radius=0.7)
    evidence = evidence_of(sinograms, angles)
    found = calibrate([evidence], FOUND, merging="done")
    assert found.is_full_turn
    assert found.cor_px(7.5) == pytest.approx(21.0, abs=0.1)
    assert not found.warnings
    assert make_geometry(angles, N_X, half_acquisition=True).half_acquisition
    merged = calibrate([evidence], FOUND, merging="where needed")
    assert merged.half_acquisition
    (told,) = merged.warnings
    assert f"its halves are merged, and the slices are {2 * N_X} px wide" in told
    for merging, words in (("off", "half_acquisition is false"), ("not possible", "true, with a")):
        apart = calibrate([evidence], FOUND, merging=merging)
        assert not apart.half_acquisition
        assert words in apart.warnings[0]


def test_a_turn_that_is_not_merged_is_no_full_turn():
    angles = np.deg2rad(np.arange(0, 310, 0.75))
    sinograms = scan(angles, N_X, 3, 99.0, 0.0, np.random.default_rng(5))
    assert not evidence_of(sinograms, angles).is_full_turn
    with pytest.raises(UserError, match="360 degrees"):
        make_geometry(angles, N_X, half_acquisition=True)


def test_real_scan_needs_no_setting(real_scan):
    """295.5 px is what four independent methods of a peer agree on; 0.25 px costs no sharpness."""
    with open_scan(real_scan) as opened:
        references = average_references(
            [ReferenceSeries(*series) for series in opened.flat_series()], opened.darks()
        )
        counts = opened.read_projections(0, opened.header.n_projections)
        angles_rad = effective_angles(opened).angles_rad
    line_integrals = normalise(counts, 0, references).line_integrals
    sinograms = np.ascontiguousarray(line_integrals.transpose(1, 0, 2))
    found = calibrate([evidence_of(sinograms, angles_rad)], FOUND)
    assert found.cor_px(0.5) == pytest.approx(295.5, abs=0.25)
    assert found.check.agrees
    assert found.line.slope == 0
    assert found.tilt_sigma_deg is None


@functools.cache
def small_scan():
    """A scan small enough to be calibrated again and again, and its calibration in one chunk."""
    angles = np.linspace(0, np.pi, 60, endpoint=False)
    rng = np.random.default_rng(2)
    sinograms = scan(angles, 96, 16, 49.0, SLOPE, rng, n_air_rows=2)
    return sinograms, angles, calibrate([evidence_of(sinograms, angles)], FOUND)


@settings(max_examples=5, deadline=None)
@given(cuts=st.sets(st.integers(1, 15)), order_seed=st.integers(0, 99))
def test_chunks_do_not_matter(cuts, order_seed):
    """Any cut into chunks, in any order and through JSON, gives the same calibration."""
    sinograms, angles, in_one = small_scan()
    bounds = itertools.pairwise([0, *sorted(cuts), 16])
    chunks = [evidence_of(sinograms[start:stop], angles, 16, start) for start, stop in bounds]
    shuffled = np.random.default_rng(order_seed).permutation(len(chunks))
    texts = [chunks[i].to_json() for i in shuffled]
    assert calibrate([Evidence.from_json(text) for text in texts], FOUND) == in_one


def test_json_keeps_everything(evidence, calibration):
    assert Evidence.from_json(evidence.to_json()) == evidence
    assert Calibration.from_json(calibration.to_json()) == calibration
    assert "NaN" not in calibration.to_json()


def test_evidence_is_small(sinograms):
    """Seven projections at most; of a high scan, of which few rows are asked, far less."""
    chunk = sinograms[8:24]
    assert len(evidence_of(chunk, ANGLES, 40, 8).to_json()) < 7 / len(ANGLES) * chunk.nbytes
    assert len(evidence_of(chunk, ANGLES, 2048, 8).to_json()) < 0.005 * chunk.nbytes


def test_given_values_win_and_the_found_ones_are_kept(evidence, calibration):
    given = CalibrateSettings(cor_px=60.0, tilt_deg=-1.0, grey_window=(0.0, 0.5))
    used = calibrate([evidence], given)
    assert used.cor_px([19.5]).tolist() == [60.0]
    assert used.tilt_deg == pytest.approx(-1.0)
    assert used.grey_window == (0.0, 0.5)
    assert (used.cor_source, used.tilt_source, used.grey_source) == ("given",) * 3
    assert used.found == calibration.found
    assert used.found_grey_window == calibration.grey_window


def test_a_given_cor_leaves_the_found_tilt(evidence, calibration):
    used = calibrate([evidence], CalibrateSettings(cor_px=60.0))
    assert used.line.slope == calibration.line.slope
    assert (used.cor_source, used.tilt_source) == ("given", "found")


@pytest.mark.parametrize("cor_px", [-0.1, 191.1, float("nan")])
def test_cor_outside_the_detector(evidence, cor_px):
    with pytest.raises(UserError, match=r"cor_px is .*outside the detector.* 0 and 191"):
        calibrate([evidence], CalibrateSettings(cor_px=cor_px))


def test_nothing_to_see():
    angles = np.linspace(0, np.pi, 40, endpoint=False)
    empty = np.zeros((3, 40, 64), dtype=np.float32)
    with pytest.raises(UserError, match=r"no detector row .* calibrate\.cor_px"):
        calibrate([evidence_of(empty, angles)], FOUND)
    used = calibrate(
        [evidence_of(empty, angles)], CalibrateSettings(cor_px=30.0, grey_window=(0.0, 1.0))
    )
    assert used.cor_px(1) == 30.0


def test_angles_that_are_all_the_same(sinograms):
    with pytest.raises(UserError, match=r"angles: .*angle_range_deg"):
        evidence_of(sinograms, np.zeros(len(ANGLES)))


def test_a_row_with_nan_is_told(sinograms):
    spoilt = sinograms[10:20].copy()
    spoilt[4, 7, 3] = np.nan
    found = calibrate([evidence_of(spoilt, ANGLES)], FOUND)
    assert found.rows[4].rejected == "holds NaN or infinite values"
    assert found.cor_px(4.5) == pytest.approx(101.3 + SLOPE * (14.5 - 19.5), abs=0.1)


def test_grey_window_holds_air_and_object():
    """A disc of 0.02/px: the window's ends are air and disc, with room for noise only."""
    disc = [Ellipse(3.0, 5.0, 60.0, 60.0, 0.0, 0.02)]
    rows = [sinogram(disc, ANGLES, N_X, 98.0).astype(np.float32)] * 3
    found = calibrate([evidence_of(np.stack(rows), ANGLES)], FOUND)
    low, high = found.grey_window
    assert low == pytest.approx(0.0, abs=0.002)
    assert high == pytest.approx(0.02, abs=0.002)
    middle = found.histogram.percentiles((90,))[0]
    assert middle == pytest.approx(0.02, abs=2e-4)
