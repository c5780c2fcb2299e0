"""The row of the source's plane: what the data tell, what is made of it, and what is said."""

import math
from dataclasses import replace

import numpy as np
import pytest
from tests.calibrate.test_fan import BEAM, N_COLS, N_ROWS, take

from tomobatch.calibrate import source_row
from tomobatch.calibrate.evidence import Evidence, EvidenceSettings, gather_evidence
from tomobatch.calibrate.source_row import find_source_row, settle_source_row
from tomobatch.phantom.solids import Shape, Solid
from tomobatch.phantom.specimen import bead_pack

ANGLES = np.arange(120) * 2 * np.pi / 120
MIDDLE = (N_ROWS - 1) / 2


def evidence_of(sinograms, stated=BEAM):
    return gather_evidence(sinograms, ANGLES, 0, EvidenceSettings(n_rows=N_ROWS, beam=stated))


@pytest.fixture(scope="module")
def sinograms():
    """Beads whose source is 5 rows above the detector's middle, seen with noise."""
    rng = np.random.default_rng(7)
    solids = bead_pack(round(0.75 * N_COLS), N_ROWS, rng).solids[:60]
    seen = take(solids, replace(BEAM, shift_v_px=-5.0), ANGLES)
    return seen + rng.normal(0, 0.01, seen.shape).astype(np.float32)


def test_stripes_brightness_and_hardening_do_not_move_it(sinograms):
    # What is the same in all views, or in all rows of one, is no difference of planes; hardening
    # is the same in opposite views, where the row's share changes its sign.
    rng = np.random.default_rng(1)
    stripes = rng.normal(0, 0.02, (N_ROWS, 1, N_COLS))
    brightness = rng.normal(0, 0.01, (1, len(ANGLES), 1))
    hardened = sinograms - 0.1 * sinograms**2 / sinograms.max()
    seen = evidence_of((hardened + stripes + brightness).astype(np.float32))
    row_px, sigma_px = find_source_row(seen.rows, seen, BEAM)
    assert row_px == pytest.approx(MIDDLE - 5, abs=1.0)
    assert sigma_px < 1.0


def test_it_does_not_depend_on_the_chunks_nor_on_one_bad_row(sinograms):
    whole = evidence_of(sinograms)
    settings = EvidenceSettings(n_rows=N_ROWS, beam=BEAM)
    parts = [gather_evidence(sinograms[i : i + 13], ANGLES, i, settings) for i in range(0, 48, 13)]
    rows = [row for part in parts for row in part.rows]
    expected = find_source_row(whole.rows, whole, BEAM)
    assert find_source_row(rows, parts[-1], BEAM) == pytest.approx(expected, abs=1e-9)
    passed_on = Evidence.from_json(whole.to_json())
    assert find_source_row(passed_on.rows, passed_on, BEAM) == pytest.approx(expected, abs=1e-9)
    spoilt = sinograms.copy()
    spoilt[30, 7, 9] = np.nan
    seen = evidence_of(spoilt)
    assert find_source_row(seen.rows, seen, BEAM)[0] == pytest.approx(MIDDLE - 5, abs=1.0)


def test_a_sample_wider_than_the_detector_does_not_tell(sinograms):
    cut = np.ascontiguousarray(sinograms[..., 30:-30])
    seen = gather_evidence(cut, ANGLES, 0, EvidenceSettings(n_rows=N_ROWS, beam=BEAM))
    assert find_source_row(seen.rows, seen, BEAM) is None


def test_a_sample_that_is_the_same_in_all_rows_does_not_tell():
    rod = [Solid(Shape.CYLINDER, 9, -4, 0, 20, 12, 500, 0.4, 0.1)]
    rng = np.random.default_rng(2)
    seen = take(rod, replace(BEAM, shift_v_px=-5.0), ANGLES)
    found = evidence_of(seen + rng.normal(0, 0.01, seen.shape).astype(np.float32))
    settled, _ = settle_source_row(found.rows, found, BEAM, is_given=False)
    assert settled.source == "stated"


@pytest.mark.parametrize(
    ("found", "is_given", "taken", "said"),
    [
        ((MIDDLE - 5, 0.3), False, "found", ""),
        ((MIDDLE - 5, 0.3), True, "given", "but the data have it at 18.5"),
        ((MIDDLE - 0.5, 0.1), False, "stated", ""),  # moves nothing that can be seen
        ((MIDDLE - 1, 0.9), False, "stated", "to 1.8 rows only"),  # may be chance
        ((MIDDLE - 1.2, 0.6), False, "found", ""),  # so may this, but it is not worse than stated
        ((MIDDLE - 3, 2.0), False, "stated", "to 4.0 rows only"),
        ((MIDDLE - 7, 2.0), False, "found", "to 4.0 rows only"),
        ((MIDDLE - 3, 2.0), True, "given", ""),
        ((MIDDLE - 20, 0.3), False, "stated", "but the data have it at 3.5"),  # not believed
        (None, False, "stated", "cannot be told"),
        (None, True, "given", ""),
    ],
)
def test_what_is_taken_and_what_is_said(monkeypatch, found, is_given, taken, said):
    monkeypatch.setattr(source_row, "find_source_row", lambda *_: found)
    scan = Evidence(N_COLS, N_ROWS, 120, True, 0.0, 0.0, 0.0, ())
    settled, doubts = settle_source_row((), scan, BEAM, is_given=is_given)
    assert settled.source == taken
    assert settled.row_px == (found[0] if taken == "found" else MIDDLE)
    assert bool(doubts) == bool(said)
    assert said in "".join(doubts)
    assert settled.words.startswith(f"{settled.row_px:.2f}")


def test_that_it_cannot_be_told_is_said_where_it_may_matter():
    far = replace(BEAM, source_to_axis_mm=1000, source_to_detector_mm=2000)
    assert 2 * math.tan(far.half_fan_rad(N_COLS)) < 0.25
    for n_rows, said in ((N_ROWS, 0), (2000, 1)):
        scan = Evidence(N_COLS, n_rows, 120, True, 0.0, 0.0, 0.0, ())
        assert len(settle_source_row((), scan, far, is_given=False)[1]) == said
