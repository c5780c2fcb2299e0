"""Projections that lie off are put back, on exact scans of the demo specimen."""

import numpy as np
import pytest
from tests.align.jittered import BEAM, N_PX, N_ROWS, jittered, sharpness

from tomobatch.align.move import moved
from tomobatch.align.settings import AlignSettings
from tomobatch.calibrate.calibration import calibrate
from tomobatch.calibrate.evidence import EvidenceSettings, gather_evidence
from tomobatch.calibrate.moments import circle
from tomobatch.calibrate.settings import CalibrateSettings
from tomobatch.on_chunks.alignment import Band, bands_to_look_at, find_shifts
from tomobatch.reconstruct.cone import fdk
from tomobatch.reconstruct.slices import fbp
from tomobatch.shifts import Shifts

AUTO = AlignSettings(method="auto")
FULL_TURN = {"turn_rad": 2 * np.pi, "n_angles": 180}
# Around the middle: what projections lie off on average moves the specimen by parts of a row.
SLICES = slice(N_ROWS // 2 - 3, N_ROWS // 2 + 4)


def shifts_of(scan, beam=None, settings=AUTO, first=0):
    return find_shifts([Band(first, scan.taken)], scan.angles_rad, N_ROWS, settings, beam)


def sharpness_of(rows, angles_rad, beam):
    """Return that of some slices, about the axis that calibration finds by itself."""
    if beam is not None:
        return np.mean([sharpness(one) for one in fdk(rows, angles_rad, beam)[SLICES]])
    evidence = gather_evidence(rows, angles_rad, 0, EvidenceSettings(N_ROWS))
    cors_px = calibrate([evidence], CalibrateSettings()).cor_px(np.arange(N_ROWS)[SLICES])
    slices = fbp(np.ascontiguousarray(rows[SLICES]), angles_rad, cors_px, device="cpu")
    return np.mean([sharpness(one) for one in slices])


@pytest.mark.parametrize(
    ("case", "blurred"),
    [
        ({"jitter_px": 1}, 0.85),
        ({"jitter_px": 3}, 0.75),
        ({"jitter_px": 1, "beam": BEAM, **FULL_TURN}, 0.8),
        ({"jitter_px": 3, "beam": BEAM, **FULL_TURN}, 0.7),
    ],
    ids=["1 px", "3 px", "cone, 1 px", "cone, 3 px"],
)
def test_an_aligned_volume_is_as_sharp_as_without_jitter(case, blurred):
    """To a tenth; random movement by 1 and 3 px along and across rows."""
    scan, beam = jittered(**case), case.get("beam")
    shifts = shifts_of(scan, beam)
    aligned = moved(scan.taken, shifts, slice(None))
    without, with_it, mended = (
        sharpness_of(rows, scan.angles_rad, beam) for rows in (scan.still, scan.taken, aligned)
    )
    assert with_it < blurred * without, "there is nothing to mend"
    assert mended == pytest.approx(without, rel=0.1)


def errors_px(found, scan):
    """Return those along and across rows, rms.

    But for an offset and a circle, which a move of the specimen and the axis make as well.
    """
    x_px, y_px = found.arrays
    basis = circle(scan.angles_rad)
    off = x_px - scan.x_px
    off -= basis @ np.linalg.lstsq(basis, off, rcond=None)[0]
    return off.std(), (y_px - scan.y_px).std()


@pytest.mark.parametrize(("method", "most_px"), [("mass", 0.2), ("auto", 0.1)])
def test_a_drift_is_found(method, most_px):
    scan = jittered(0.3, drift_px=8)
    found = shifts_of(scan, settings=AlignSettings(method=method))
    assert max(errors_px(found, scan)) < most_px
    assert found.how.startswith("mass")


def test_a_specimen_beyond_the_detector_is_aligned_by_consistency():
    scan = jittered(1.0, width=1.4)
    found = shifts_of(scan)
    assert found.how == "consistency"
    assert max(errors_px(found, scan)) < 0.3


@pytest.mark.parametrize(
    "case",
    [{"n_angles": 60}, {"width": 1.4}, {"beam": BEAM, **FULL_TURN}],
    ids=["few angles", "beyond the detector", "cone"],
)
def test_what_stands_still_is_left_as_it_is(case):
    scan = jittered(0.0, **case)
    shifts = shifts_of(scan, case.get("beam"))
    assert shifts.is_still
    assert shifts.words.startswith("nothing moved: projections lie within 0.")
    assert moved(scan.taken, shifts, slice(3, 5)).base is scan.taken


def few_balls(n_rows=32, n_angles=288, n_x=192):
    """Return noisy sinograms of twelve balls well within the detector, exact, and the angles."""
    rng = np.random.default_rng(0)
    angles_rad = np.linspace(0, np.pi, n_angles, endpoint=False)
    y, x = np.arange(n_rows)[:, None, None], np.arange(n_x) - (n_x - 1) / 2
    rows = np.zeros((n_rows, n_angles, n_x))
    for _ in range(12):
        radius, away = rng.uniform(0.03, 0.12) * n_x, rng.uniform(0, 0.3) * n_x
        turned, height = rng.uniform(0, 2 * np.pi), rng.uniform(0, n_rows)
        at = away * np.cos(angles_rad - turned)[:, None]
        square = radius**2 - (y - height) ** 2 - (x - at) ** 2
        rows += 0.02 * np.sqrt(np.maximum(square, 0))
    return (rows + rng.normal(scale=0.01, size=rows.shape)).astype(np.float32), angles_rad


@pytest.mark.parametrize("method", ["consistency", "auto"])
def test_noise_and_the_ends_of_the_turn_make_no_slow_movement(method):
    """Of a sample whose parts lie far within its radius the wedge says little of slow movement."""
    rows, angles_rad = few_balls()
    settings = AlignSettings(method=method)
    assert find_shifts([Band(0, rows)], angles_rad, len(rows), settings).is_still


def test_the_order_of_the_projections_does_not_matter():
    scan = jittered(1.0, n_angles=90)
    order = np.random.default_rng(0).permutation(90)
    one = find_shifts([Band(0, scan.taken)], scan.angles_rad, N_ROWS, AUTO)
    other = find_shifts([Band(0, scan.taken[:, order])], scan.angles_rad[order], N_ROWS, AUTO)
    np.testing.assert_allclose(other.arrays[0], one.arrays[0][order], atol=1e-3)
    np.testing.assert_allclose(other.arrays[1], one.arrays[1][order], atol=1e-3)


def test_along_rows_alone():
    scan = jittered(1.0)
    shifts = shifts_of(scan, settings=AlignSettings(method="auto", vertical=False))
    assert not np.any(shifts.arrays[1])
    assert shifts.halo_rows == 0
    assert np.corrcoef(shifts.arrays[0], scan.x_px)[0, 1] > 0.9


def test_why_nothing_can_be_told_is_said():
    scan = jittered(1.0, n_angles=40, width=1.4)
    by_mass = shifts_of(scan, settings=AlignSettings(method="mass"))
    assert (
        by_mass.words
        == "nothing moved: the sample reaches beyond the detector, or a cone's turn is short"
    )
    few = find_shifts([Band(0, scan.taken[:, :8])], scan.angles_rad[:8], N_ROWS, AUTO)
    assert few.words == "nothing moved: 8 projections are too few to tell"
    gap = np.r_[0:10, 20:40]
    uneven = find_shifts([Band(0, scan.taken[:, gap])], scan.angles_rad[gap], N_ROWS, AUTO)
    assert "the steps between angles are uneven" in uneven.words


@pytest.mark.parametrize(
    ("n_rows", "bands"),
    [(5, [(0, 5)]), (96, [(0, 96)]), (600, [(84, 116), (284, 316), (484, 516)])],
)
def test_bands_of_a_high_scan(n_rows, bands):
    assert bands_to_look_at(n_rows) == bands


def test_wide_rows_are_binned_and_shifts_are_not():
    scan = jittered(1.0, n_angles=90)
    wide = np.repeat(scan.taken, 10, axis=2)[:16]
    found = find_shifts([Band(0, wide)], scan.angles_rad, 16, AUTO)
    usual = find_shifts([Band(0, scan.taken[:16])], scan.angles_rad, 16, AUTO)
    assert wide.shape[2] == 10 * N_PX
    np.testing.assert_allclose(found.arrays[0], 10 * usual.arrays[0], atol=2.5)


def test_shifts_are_kept_as_text():
    shifts = Shifts((0.5, -1.25), (0.0, 2.0), "mass")
    assert Shifts.from_json(shifts.to_json()) == shifts
    assert shifts.halo_rows == 5
    assert shifts.words == (
        "0.95 px rms along rows, 1.2 at most; 1.41 px rms along columns, 2.0 at most; by mass"
    )
