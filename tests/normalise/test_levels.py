"""A beam that changes as a whole, frames that are strangers, saturated flats, and low counts."""

import numpy as np
import pytest

from tomobatch.normalise.normalise import normalise
from tomobatch.normalise.references import average_references
from tomobatch.normalise.robust_mean import robust_mean
from tomobatch.normalise.series import ReferenceSeries
from tomobatch.normalise.settings import NormaliseSettings

SHAPE = (40, 60)
DARK = 100


def beam(photons: float = 20_000) -> np.ndarray:
    rng = np.random.default_rng(1)
    x = np.linspace(-1, 1, SHAPE[1])
    return photons * (1 - 0.4 * x**2) * rng.normal(1, 0.05, SHAPE)


def expose(level: float, count: int, photons: float = 20_000, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng([seed, int(1000 * level)])
    counts = DARK + rng.poisson(level * beam(photons), (count, *SHAPE))
    return np.minimum(counts, 65535).astype(np.uint16)


DARKS = np.full((10, *SHAPE), DARK, np.uint16)


@pytest.mark.parametrize("second", [0.95, 0.9, 0.7, 1.05, 1.4])
def test_a_change_of_the_whole_frame_is_no_zinger(second):
    frames = np.concatenate([expose(1.0, 10), expose(second, 10)])
    frames[4, 7, 9] = 65535
    found = robust_mean(frames, np.full(SHAPE, DARK, np.float32))
    assert 1 <= found.n_zingers <= 3
    assert found.changed_frames == 0
    expected = DARK + beam() * (1 + second) / 2
    # The noise of a mean of twenty.
    assert np.abs(found.mean - expected).max() < 6 * np.sqrt(expected / 20).max()
    assert np.mean(found.mean - expected) == pytest.approx(0, abs=5)


@pytest.mark.parametrize("wave", [0.01, 0.1])
def test_a_beam_that_flickers_is_no_zinger(wave):
    levels = 1 + wave * np.sin(np.arange(12))
    frames = np.concatenate([expose(level, 1, seed=i) for i, level in enumerate(levels)])
    found = robust_mean(frames, np.full(SHAPE, DARK, np.float32))
    assert found.n_zingers <= 2
    assert np.mean(found.mean - DARK - beam() * levels.mean()) == pytest.approx(0, abs=5)


def test_a_beam_that_moves_loses_nothing_and_is_told():
    frames = expose(1.0, 10).astype(float)
    frames[6:, :, 40:] *= 1.15
    found = average_references([ReferenceSeries(frames.astype(np.uint16), 0.0)], DARKS)
    expected = DARK + 1.06 * (beam()[:, 45:])
    assert np.mean(found.flats[0, :, 45:] - expected) == pytest.approx(0, abs=20)
    assert (
        "in 4 of the 10 flats before the scan parts of the beam are brighter" in (found.warnings[0])
    )


def test_a_flat_taken_with_the_shutter_closed_is_left_out():
    frames = np.concatenate([expose(1.0, 4), expose(0.0, 1), expose(1.0, 5, seed=1)])
    found = average_references([ReferenceSeries(frames, 0.0)], DARKS)
    assert np.mean(found.flats[0] - DARK - beam()) == pytest.approx(0, abs=5)
    (warning,) = found.warnings
    assert warning.startswith("1 of the 10 flats before the scan have 0.0% to 0.0% of the signal")
    assert warning.endswith("are left out: 4 (the first is 0)")


@pytest.mark.parametrize("lit", [[0, 1], [9]])
def test_a_dark_taken_with_the_shutter_open_is_left_out(lit):
    darks = DARKS.copy()
    darks[lit] = expose(1.0, len(lit))
    found = average_references([ReferenceSeries(expose(1.0, 10), 0.0)], darks)
    np.testing.assert_array_equal(found.dark, DARK)
    assert f"{len(lit)} of 10 darks saw up to" in found.warnings[0]


def test_half_of_the_darks_lit_is_told():
    darks = DARKS.copy()
    darks[:5] = expose(0.3, 5)
    (warning, *_) = average_references([ReferenceSeries(expose(1.0, 10), 0.0)], darks).warnings
    assert "too many to say which are right" in warning


@pytest.mark.parametrize(("full", "dtype"), [(4095, np.uint16), (65535, np.uint16), (255, "u1")])
def test_saturated_flats_are_told_at_the_count_where_they_pile_up(full, dtype):
    counts = expose(1.0, 10, photons=full)
    flats = np.minimum(counts, full).astype(dtype)
    darks = np.full((5, *SHAPE), min(DARK, full // 10), dtype)
    found = average_references([ReferenceSeries(flats, 0.0)], darks)
    assert found.saturation == full
    assert f"of the readings of the flats are saturated at {full} counts" in found.warnings[-1]
    projections = np.minimum(expose(1.0, 2, photons=full), full).astype(dtype)
    saturated = normalise(projections, 0, found).saturated
    assert saturated.tolist() == (projections == full).sum(axis=(1, 2)).tolist()


@pytest.mark.parametrize("photons", [200, 2_000, 40_000])
def test_sound_flats_do_not_look_saturated(photons):
    found = average_references([ReferenceSeries(expose(1.0, 10, photons=photons), 0.0)], DARKS)
    assert found.saturation is None
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("photons", "path"),
    # At least five photons arrive: with fewer, nothing can be told.
    [(100, 0), (100, 3), (300, 1), (300, 3), (300, 4), (1000, 2), (1000, 5), (20_000, 0)],
)
def test_few_counts_keep_their_mean_line_integral(photons, path):
    rng = np.random.default_rng(5)
    lit = np.full((60, 80), float(photons))
    flats = DARK + rng.poisson(lit, (40, 60, 80)).astype(np.uint16)
    darks = np.rint(rng.normal(DARK, 1, (40, 60, 80))).astype(np.uint16)
    references = average_references([ReferenceSeries(flats, 0.0)], darks)
    counts = rng.poisson(lit * np.exp(-path), (8, 60, 80)) + rng.normal(DARK, 1, (8, 60, 80))
    settings = NormaliseSettings(zinger_threshold=None)
    raw = np.rint(counts).clip(0).astype(np.uint16)
    found = normalise(raw, 0, references, settings).line_integrals
    # Within 2%, and noise of the mean; clipped at 1e-4, 300 counts behind exp(-4) give 4.12 without
    # noise of reading, and 4.33 with two counts of it.
    assert found.mean() == pytest.approx(path, abs=0.02 * path + 0.003)


def test_a_scale_for_flats_of_another_exposure():
    rng = np.random.default_rng(3)
    raw = (DARK + rng.poisson(beam(), (3, *SHAPE))).astype(np.uint16)
    halved = ReferenceSeries(expose(0.5, 10), 0.0)
    doubled = average_references([halved], DARKS, NormaliseSettings(flat_scale=2.0))
    assert normalise(raw, 0, doubled).line_integrals.mean() == pytest.approx(0, abs=2e-3)
    stated = average_references([ReferenceSeries(halved.frames, 0.0, 2.0)], DARKS)
    assert normalise(raw, 0, stated).line_integrals.mean() == pytest.approx(0, abs=2e-3)
    assert "their signal is multiplied by 2" in stated.warnings[0]


def test_of_two_series_the_lower_saturation_counts():
    series = [
        ReferenceSeries(np.minimum(expose(1.0, 10, photons=full), full), position)
        for position, full in ((0.0, 4095), (10.0, 3000))
    ]
    assert average_references(series, DARKS).saturation == 3000
