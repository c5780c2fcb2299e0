import numpy as np
import pytest

from tomobatch.normalise.robust_mean import robust_mean

COUNTS = 10_000


def poisson_frames(n_frames, dtype=np.uint16):
    return np.random.default_rng(n_frames).poisson(COUNTS, (n_frames, 60, 80)).astype(dtype)


@pytest.mark.parametrize("n_frames", [2, 3, 4, 5, 10, 20])
def test_zingers_are_left_out_and_nothing_else(n_frames):
    clean = poisson_frames(n_frames)
    hit = clean.copy()
    # A zinger of 8 standard deviations above the mean, and saturated ones.
    hit[0, 10, 10] = COUNTS + 1500
    hit[n_frames // 2, 30, ::7] = 65535
    found = robust_mean(hit)
    n_hits = 1 + len(range(0, 80, 7))
    assert n_hits <= found.n_zingers <= n_hits + 3
    # What remains is noise: of the mean, and of having one reading less.
    noise = np.sqrt(COUNTS / max(n_frames - 1, 1))
    assert np.abs(found.mean - COUNTS).max() < 6 * noise
    untouched = np.ones((60, 80), bool)
    untouched[10, 10] = untouched[30, ::7] = False
    off = np.abs(found.mean - clean.mean(axis=0))[untouched]
    assert np.count_nonzero(off > 1e-3) <= found.n_zingers - n_hits


@pytest.mark.parametrize("n_frames", [2, 3, 5, 10, 21])
def test_photon_noise_is_measured(n_frames):
    frames = poisson_frames(n_frames)
    frames[0, ::20, ::20] = 65535
    # A median of 5000 squared differences or more is within 5%.
    assert robust_mean(frames).variance_per_count == pytest.approx(1.0, abs=0.08)


def test_zingers_can_be_kept():
    frames = poisson_frames(5)
    frames[2, 4, 4] = 65535
    found = robust_mean(frames, keep_zingers=True)
    assert found.n_zingers == 0
    assert np.allclose(found.mean, frames.mean(axis=0), rtol=1e-6)


def test_a_single_frame_is_its_own_mean():
    frames = poisson_frames(1)
    assert np.array_equal(robust_mean(frames).mean, frames[0])


def test_constant_counts_with_a_rare_count_more_keep_it():
    frames = np.zeros((10, 20, 20), np.uint16)
    frames[3, 5, 5] = 2
    found = robust_mean(frames)
    assert found.n_zingers == 0
    assert found.mean[5, 5] == pytest.approx(0.2)


def test_a_reading_that_is_not_finite_shows_in_the_mean():
    frames = poisson_frames(4, np.float32)
    frames[1, 2, 3] = np.nan
    found = robust_mean(frames)
    assert np.flatnonzero(~np.isfinite(found.mean)).tolist() == [2 * 80 + 3]


def test_bands_of_rows_make_no_difference(monkeypatch):
    frames = poisson_frames(5)
    frames[0, ::11, ::13] = 65535
    whole = robust_mean(frames)
    monkeypatch.setattr("tomobatch.normalise.robust_mean._BAND_BYTES", 1)
    by_row = robust_mean(frames)
    assert np.array_equal(whole.mean, by_row.mean)
    assert np.array_equal(whole.scatter, by_row.scatter)
    assert whole.n_zingers == by_row.n_zingers


def test_of_a_large_frame_up_to_a_hundredth_may_be_zingers():
    frames = np.random.default_rng(0).poisson(COUNTS, (5, 100, 120)).astype(np.uint16)
    frames[2].flat[::150] = 65535
    found = robust_mean(frames)
    assert (found.changed_frames, found.n_zingers) == (0, 80)
    assert found.mean.max() < COUNTS + 6 * np.sqrt(COUNTS / 4)


def test_photon_noise_is_measured_in_a_beam_that_flickers():
    levels = 1 + 0.2 * np.random.default_rng(1).uniform(-1, 1, (10, 1, 1))
    frames = np.random.default_rng(2).poisson(COUNTS * np.broadcast_to(levels, (10, 60, 80)))
    found = robust_mean(frames.astype(np.uint16))
    assert found.variance_per_count == pytest.approx(1.0, abs=0.08)
