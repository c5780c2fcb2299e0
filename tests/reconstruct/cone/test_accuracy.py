"""FDK against exact ellipsoids: every beam, short scans, offset and turned detectors.

The errors of a full circle on a good detector are those of RTK 2.7, which
benchmarks/cone.py runs on the same projections; here they set what every other scan must reach.
"""

import math
from dataclasses import replace

import numpy as np
import pytest
from tests.reconstruct.cone.cone_scans import ellipsoids, ideal, rmse, scan

from tomobatch.errors import UserError
from tomobatch.reconstruct.cone import fdk

SIZE, N_ANGLES = 64, 240
BEAM, N_ROWS, N_COLS = ideal(SIZE)
SOLIDS = ellipsoids(SIZE, BEAM.source_voxels)
FULL = np.arange(N_ANGLES) * 2 * np.pi / N_ANGLES
HALF_FAN = math.asin(0.5 * SIZE / BEAM.source_voxels)
SHORT = np.arange(160) * (np.pi + 2 * HALF_FAN + 0.07) / 160
# Of SIZE voxels at 0, 5 and 10 degrees, with RTK's figures to the digits shown.
PLAIN = {0: 0.04178, 5: 0.03186, 10: 0.03127}


def reconstruct(sinograms, angles, beam, **options):
    return fdk(sinograms, angles, beam, size_px=SIZE, mask=SIZE / 2, **options)


def errors(beam, angles, *, n_rows=N_ROWS, n_cols=N_COLS, known=None):
    sinograms = scan(SOLIDS, beam, angles, n_rows, n_cols)
    volume = reconstruct(sinograms, angles, beam if known is None else known)
    return [rmse(volume, SOLIDS, beam, SIZE, degrees) for degrees in PLAIN]


def test_a_full_circle_has_the_error_of_rtk():
    assert errors(BEAM, FULL) == pytest.approx(list(PLAIN.values()), rel=0.01)


@pytest.mark.parametrize(
    "change",
    [
        {"shift_u_px": 3.37, "shift_v_px": 2.21},
        {"axis_shift_px": 4.3},
        {"roll_deg": 4.0},
        {"roll_deg": 0.7, "tilt_deg": 3.0, "slant_deg": -4.0},
        {"sense": -1},
    ],
    ids=lambda change: "-".join(change),
)
def test_misalignment_that_is_known_costs_no_accuracy(change):
    beam = replace(BEAM, **change)
    found = errors(beam, FULL, n_rows=N_ROWS + 20, n_cols=N_COLS + 20)
    # Interpolating a turned detector softens bodies of a few voxels; a third is the most it costs.
    assert all(one < 1.35 * plain for one, plain in zip(found, PLAIN.values(), strict=True))


@pytest.mark.parametrize("name", ["roll_deg", "tilt_deg", "slant_deg"])
def test_misalignment_that_is_ignored_shows(name):
    beam = replace(BEAM, **{name: 4.0 if name == "roll_deg" else 9.0})
    size = {"n_rows": N_ROWS + 20, "n_cols": N_COLS + 20}
    known, ignored = errors(beam, FULL, **size), errors(beam, FULL, **size, known=BEAM)
    assert max(two / one for one, two in zip(known, ignored, strict=True)) > 1.5


def test_a_drifting_detector_is_followed():
    rng = np.random.default_rng(0)
    drift = tuple((float(u), float(v)) for u, v in rng.uniform(-4, 4, (N_ANGLES, 2)))
    for roll in (0.0, 0.7):
        beam = replace(BEAM, drift_px=drift, roll_deg=roll)
        found = errors(beam, FULL, n_rows=N_ROWS + 10, n_cols=N_COLS + 10)
        assert all(one < 1.35 * plain for one, plain in zip(found, PLAIN.values(), strict=True))


@pytest.mark.parametrize("angles", [SHORT, SHORT + 2.1, -SHORT], ids=["", "turned", "reversed"])
def test_a_short_scan_is_as_right_in_the_midplane(angles):
    assert errors(BEAM, angles)[0] == pytest.approx(PLAIN[0], rel=0.01)


def test_more_than_a_short_scan_is_as_right():
    angles = np.arange(220) * math.radians(290) / 220
    assert errors(BEAM, angles)[0] == pytest.approx(PLAIN[0], rel=0.01)


def test_the_wrong_sense_of_a_short_scan_shows():
    assert errors(BEAM, SHORT, known=replace(BEAM, sense=-1))[0] > 3 * PLAIN[0]


def test_less_than_half_a_turn_is_refused():
    with pytest.raises(UserError, match=r"the angles span 170\.0 degrees"):
        errors(BEAM, np.arange(170) * np.pi / 180)


@pytest.mark.parametrize("side", ["left", "right"])
def test_an_offset_detector_is_as_right(side):
    overlap = round(0.12 * SIZE)
    whole = scan(SOLIDS, BEAM, FULL, N_ROWS, N_COLS)
    cut = round((N_COLS - 1) / 2 - overlap)
    half = whole[:, :, cut:] if side == "left" else whole[:, :, :-cut]
    shift = -cut / 2 if side == "left" else cut / 2
    beam = replace(BEAM, shift_u_px=shift)
    volume = reconstruct(half, FULL, beam)
    assert rmse(volume, SOLIDS, beam, SIZE, 0) == pytest.approx(PLAIN[0], rel=0.01)


def test_a_full_turn_counted_twice_at_its_end_is_as_right():
    angles = np.append(FULL, 2 * np.pi)
    assert errors(BEAM, angles)[0] == pytest.approx(PLAIN[0], rel=0.01)
