"""The axis of a cone beam, from its own rows and no phantom of its own."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from tomobatch.beam import ConeBeam
from tomobatch.calibrate.calibration import calibrate, with_source_row
from tomobatch.calibrate.consensus import Check
from tomobatch.calibrate.doubts import far_from_stated
from tomobatch.calibrate.evidence import EvidenceSettings, gather_evidence
from tomobatch.calibrate.fan import calibrated_beam, rows_to_parallel, to_parallel
from tomobatch.calibrate.line import Line
from tomobatch.calibrate.settings import CalibrateSettings
from tomobatch.phantom.cone import cone_line_integrals
from tomobatch.phantom.project import line_integrals
from tomobatch.phantom.solids import Shape, Solid
from tomobatch.phantom.specimen import bead_pack
from tomobatch.reconstruct.cone import fdk
from tomobatch.reconstruct.slices import fbp

N_ROWS, N_COLS = 48, 96
BEAM = ConeBeam(300, 600, 2.0, 2.0)


def take(solids, beam, angles, n_rows=N_ROWS):
    def one(angle):
        return cone_line_integrals(
            solids, beam, float(angle), n_rows=n_rows, n_cols=N_COLS, samples=1
        )

    with ThreadPoolExecutor(2) as threads:
        pictures = list(threads.map(one, angles))
    return np.stack(pictures, axis=1).astype(np.float32)


@pytest.mark.parametrize(("source_mm", "shift_px", "sharp"), [(300, 3.0, 0.01), (120, 6.0, 0.03)])
def test_a_row_in_the_source_s_plane_is_rebinned_to_the_parallel_one(source_mm, shift_px, sharp):
    solids = [
        Solid(Shape.ELLIPSOID, 9, -4, 0, 20, 12, 15, 0.4, 0.1),
        Solid(Shape.ELLIPSOID, -8, 10, 0, 5, 8, 9, 1.0, 0.2),
    ]
    beam = ConeBeam(source_mm, 2 * source_mm, 2.0, 2.0, axis_shift_px=shift_px)
    angles = np.arange(360) * 2 * np.pi / 360
    row = take(solids, beam, angles, n_rows=1)[0]
    cor_px = beam.cor_px(N_COLS)
    normal_px = beam.principal_px(1, N_COLS)[0]
    found, at = to_parallel(row, angles, beam.source_voxels, cor_px, normal_px)
    # A source beside the normal sees the axis under an angle, by which all of it is turned.
    turn = math.atan(beam.axis_shift_px / beam.source_voxels)
    wrong, moved = [], []
    for i in range(0, 360, 20):
        expected = line_integrals(
            solids, float(at[i]) - turn, n_rows=1, n_cols=N_COLS, cor_px=cor_px, samples=1
        )[0]
        wrong.append(found[i] - expected)
        shares = found[i] / found[i].sum() - expected / expected.sum()
        moved.append(np.arange(N_COLS) @ shares)
    assert np.sqrt(np.mean(np.square(wrong))) < sharp
    # An axis beside the detector's normal is not moved, however wide the fan.
    assert np.mean(moved) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("seed", range(4))
def test_axis_roll_and_source_row_are_found_in_bead_packs(seed):
    rng = np.random.default_rng(seed)
    true = replace(
        BEAM,
        axis_shift_px=float(rng.uniform(-6, 6)),
        roll_deg=float(rng.uniform(-1, 1)),
        shift_v_px=float(rng.uniform(-4, 4)),
        sense=1 if seed % 2 else -1,
    )
    stated = replace(true, axis_shift_px=0.0, roll_deg=0.0, shift_v_px=0.0)
    n_angles = 150 if seed < 2 else 100
    turn = 2 * np.pi if seed < 2 else np.pi + 2.2 * true.half_fan_rad(N_COLS)
    angles = np.arange(n_angles) * turn / n_angles
    solids = bead_pack(round(0.75 * N_COLS), N_ROWS, rng).solids[:60]
    sinograms = take(solids, true, angles)
    sinograms += rng.normal(0, 0.01, sinograms.shape).astype(np.float32)
    evidence = gather_evidence(sinograms, angles, 0, EvidenceSettings(n_rows=N_ROWS, beam=stated))
    found = calibrate([evidence], CalibrateSettings())
    found = with_source_row(found, [evidence], stated, is_given=False)
    beam = found.beam(stated)
    row = found.source_row
    off_px = row.found_px - true.principal_px(N_ROWS, N_COLS)[1]
    assert abs(off_px) < 3.5 * row.sigma_px
    moved = abs(beam.shift_v_px - true.shift_v_px) * math.tan(true.half_fan_rad(N_COLS))
    assert moved < 0.25 or any("the source's row" in warning for warning in found.warnings)
    assert abs(beam.cor_px(N_COLS) - true.cor_px(N_COLS)) < 0.25 or found.warnings
    assert beam.roll_deg == pytest.approx(true.roll_deg, abs=0.25)


def test_rows_as_parallel_ones_keep_their_stripes_and_give_slices_without_blur():
    """As a parallel beam's, a fan's own rows would give a slice that is blurred everywhere."""
    solids = [
        Solid(Shape.ELLIPSOID, 9, -4, 0, 20, 12, 15, 0.4, 0.1),
        Solid(Shape.ELLIPSOID, -8, 10, 0, 5, 8, 9, 1.0, 0.2),
    ]
    beam = ConeBeam(120, 240, 2.0, 2.0, axis_shift_px=2.0, sense=-1)
    angles = -np.arange(180) * 2 * np.pi / 180
    rows = take(solids, replace(beam, sense=1), -angles, n_rows=1)
    cor_px = beam.cor_px(N_COLS)
    exact = fdk(rows, angles, beam, size_px=N_COLS)[0]
    parallel, at = rows_to_parallel(rows, angles, cor_px, beam)
    alike = np.corrcoef(fbp(parallel, at, cor_px)[0].ravel(), exact.ravel())[0, 1]
    assert alike > 0.98
    blurred = fbp(rows, -angles, cor_px)[0]
    assert np.corrcoef(blurred.ravel(), exact.ravel())[0, 1] < alike - 0.02
    striped = rows.copy()
    striped[:, :, 20] += 1
    added = rows_to_parallel(striped, angles, cor_px, beam)[0] - parallel
    assert np.ptp(added, axis=1).max() < 1e-4
    assert set(np.flatnonzero(added[0, 0] > 1e-3)) <= {19, 20, 21}


def test_a_drift_that_is_known_does_not_move_the_axis():
    rng = np.random.default_rng(3)
    angles = np.arange(120) * 2 * np.pi / 120
    shifts = np.stack([np.linspace(0, 4, 120), np.linspace(0, -1, 120)], axis=1)
    beam = replace(BEAM, axis_shift_px=3.0, drift_px=tuple(map(tuple, shifts.tolist())))
    solids = bead_pack(round(0.75 * N_COLS), N_ROWS, rng).solids[:60]
    pictures = [
        cone_line_integrals(
            solids, beam, float(a), n_rows=N_ROWS, n_cols=N_COLS, drift_px=tuple(drift), samples=1
        )
        for a, drift in zip(angles, shifts, strict=True)
    ]
    sinograms = np.stack(pictures, axis=1).astype(np.float32)
    stated = replace(beam, axis_shift_px=0.0)
    evidence = gather_evidence(sinograms, angles, 0, EvidenceSettings(n_rows=N_ROWS, beam=stated))
    found = calibrated_beam(stated, calibrate([evidence], CalibrateSettings()).line, N_ROWS, N_COLS)
    assert found.axis_shift_px == pytest.approx(3.0, abs=0.25)


def test_where_no_row_tells_the_stated_axis_is_used_and_warned_of():
    sinograms = np.zeros((N_ROWS, 40, N_COLS), dtype=np.float32)
    angles = np.arange(40) * 2 * np.pi / 40
    evidence = gather_evidence(sinograms, angles, 0, EvidenceSettings(n_rows=N_ROWS, beam=BEAM))
    given = CalibrateSettings(grey_window=(0, 1))
    found = calibrate([evidence], given, stated_cor_px=BEAM.cor_px(N_COLS))
    assert found.line.mid_px == pytest.approx(47.5)
    assert any("is what the scan says" in warning for warning in found.warnings)


def test_an_axis_that_one_method_sees_far_from_where_the_scan_has_it_is_doubted():
    line = Line(23.5, 36.4, 0.08, 0.0, None)
    (told,) = far_from_stated(line, None, 107.4, 128)
    assert told.startswith("cor 36.40 px")
    assert "column 107.40" in told
    bearing_out = Check("sharpness", 36.3, -0.1, 0.2)
    assert far_from_stated(line, bearing_out, 107.4, 128) == []
    assert far_from_stated(line, None, 40.0, 128) == []
    assert far_from_stated(line, None, None, 128) == []


def test_a_roll_too_small_to_show_is_not_corrected():
    small = Line(23.5, 50.0, 0.01, 1e-3, 1e-4)
    assert calibrated_beam(BEAM, small, N_ROWS, N_COLS).roll_deg == 0
    large = calibrated_beam(BEAM, replace(small, slope=0.01), N_ROWS, N_COLS)
    assert large.roll_deg == pytest.approx(0.573, abs=1e-3)
    assert large.cor_px(N_COLS) == pytest.approx(50.0)


def test_a_roll_that_the_rows_do_not_tell_stays_as_stated():
    line = Line(23.5, 50.0, 0.01, 0.0, None)
    rolled = replace(BEAM, roll_deg=0.4)
    assert calibrated_beam(rolled, line, N_ROWS, N_COLS).roll_deg == 0.4
