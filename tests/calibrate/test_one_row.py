"""Each method by itself, on sinograms with exact line integrals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.calibrate.ellipses import measured, random_object, sinogram

from tomobatch.calibrate.half_turn import half_turn_positions
from tomobatch.calibrate.jitter import jitter_px
from tomobatch.calibrate.moments import moments_cor
from tomobatch.calibrate.one_row import look_at
from tomobatch.calibrate.packed import pack, unpack
from tomobatch.calibrate.pairs import opposite_projections, opposite_views, view_noise
from tomobatch.calibrate.rim import Rim, change_by_noise
from tomobatch.calibrate.rows import remove_slow_part
from tomobatch.calibrate.sharpness import sharpness_cor
from tomobatch.calibrate.wedge import MARGIN_K, TRIM, fit_wedge, wedge_curve
from tomobatch.spread import white_noise
from tomobatch.turn import around

N_X = 192
SEARCH = (0.15 * N_X, 0.85 * N_X)


def half_turn(n_angles: int, *, closed: bool = False) -> np.ndarray:
    return np.linspace(0, np.pi, n_angles, endpoint=closed)


def row(angles_rad: np.ndarray, cor_px: float, seed: int = 0, radius: float = 0.36) -> np.ndarray:
    parts = random_object(np.random.default_rng(seed), radius * N_X)
    return sinogram(parts, angles_rad, N_X, cor_px).astype(np.float32)


@settings(max_examples=15, deadline=None)
@given(cor_px=st.floats(82, 110), seed=st.integers(0, 1000))
def test_wedge_is_exact_without_noise(cor_px, seed):
    """0.03 px: the rest is what leaks out of the wedge of a sampled sinogram."""
    curve = wedge_curve([row(half_turn(180), cor_px, seed)])
    found = fit_wedge([curve], np.zeros(1), SEARCH)
    assert found.cor_px == pytest.approx(cor_px, abs=0.03)
    assert found.slope_sigma is None


def test_wedge_energy_is_that_of_the_explicit_full_turn():
    """The phase trick against a full turn written out and transformed, in float64."""
    n_angles, cors = 24, [87, 91, 95, 98]
    half = row(half_turn(n_angles), 93.0)
    curve = wedge_curve([half])
    n_cors = len(curve.emptiness)
    length = 2 * n_cors
    filtered = remove_slow_part(half).astype(np.float64)
    padded = np.pad(filtered, ((0, 0), (0, length - N_X)))
    omega = 2 * np.pi / length * np.arange(length // 2 + 1)
    used = (omega >= 6 * np.pi / N_X) & (omega <= np.pi / 2)
    used &= N_X / 2 * omega + MARGIN_K < n_angles - 1
    k = np.arange(n_angles)[:, None]
    plane = np.fft.fft(np.fft.rfft(padded, axis=1)[:, used], 2 * n_angles, axis=0)
    power = np.abs(plane[:n_angles]) ** 2 + np.abs(plane[-np.arange(n_angles)]) ** 2
    outside = k > N_X / 2 * omega[used] + MARGIN_K
    for column in range(power.shape[1]):
        inside = outside[:, column]
        inside &= power[:, column] <= TRIM * np.median(power[inside, column])
    weights = outside / np.sum(power * outside, axis=0) * np.sum(outside, axis=0)
    energies = []
    for cor in cors:
        mirrored = np.roll(padded[:, ::-1], 2 * cor + 1, axis=1)
        full = np.fft.fft(np.fft.rfft(np.concatenate([padded, mirrored]), axis=1), axis=0)
        full = full[:n_angles, used]
        energies.append(np.sum(weights * np.abs(full) ** 2))
    np.testing.assert_allclose([curve.constant - curve.emptiness[c] for c in cors], energies, 1e-5)


def test_many_rows_find_what_no_row_can():
    """A hundred and fifty photons a pixel: a row alone may be off by pixels, 24 of them are not."""
    angles = half_turn(240)
    rng = np.random.default_rng(4)
    exact = row(angles, 99.0).astype(np.float64)
    curves = [wedge_curve([measured(exact, rng, photons=150)]) for _ in range(24)]
    together = fit_wedge(curves, np.arange(24) - 11.5, SEARCH)
    assert together.cor_px == pytest.approx(99.0, abs=0.6)
    assert together.place.depth > 4.5
    alone = [fit_wedge([curve], np.zeros(1), SEARCH) for curve in curves]
    assert max(abs(one.cor_px - 99.0) for one in alone if one is not None) > 0.6


@pytest.mark.parametrize("last_rad", [np.pi, 2.0, 2 * np.pi])
def test_moments_are_exact_on_a_whole_object(last_rad):
    angles = np.linspace(0, last_rad, 90, endpoint=False)
    found = moments_cor(row(angles, 90.2), angles)
    assert found.cor_px == pytest.approx(90.2, abs=1e-3)


def test_moments_refuse_a_cut_off_object():
    angles = half_turn(90)
    assert moments_cor(row(angles, 95.0, radius=0.8), angles) is None


@pytest.mark.parametrize("start_px", [99.4, 101.0, 102.6])
@pytest.mark.parametrize("radius", [0.36, 0.8])
def test_the_slice_is_sharpest_about_the_axis(start_px, radius):
    """A quarter pixel, whether the object is whole or cut off."""
    angles = half_turn(240)
    exact = row(angles, 101.0, radius=radius).astype(np.float64)
    found = sharpness_cor(measured(exact, np.random.default_rng(2)), angles, start_px)
    assert found.cor_px == pytest.approx(101.0, abs=0.25)


def test_sharpness_says_nothing_where_it_saw_no_peak():
    angles = half_turn(240)
    assert sharpness_cor(row(angles, 101.0), angles, 80.0) is None


@pytest.mark.parametrize("moved_px", [0.0, 0.5, 2.0])
def test_movement_from_projection_to_projection(moved_px):
    angles = half_turn(300)
    rng = np.random.default_rng(6)
    parts = random_object(rng, 0.36 * N_X)
    rows = [
        sinogram(parts, angle[None], N_X, 95.0 + moved_px * rng.standard_normal())
        for angle in angles
    ]
    noisy = measured(np.concatenate(rows), rng, photons=2e4)
    assert jitter_px(noisy, angles, white_noise(noisy)) == pytest.approx(moved_px, rel=0.3, abs=0.1)


@pytest.mark.parametrize(("closed", "noise"), [(False, 0.9), (True, 0.75)])
def test_opposite_views_of_half_a_turn_are_mirror_images(closed, noise):
    """A half turn without its end lacks the view opposite the first: both ends reach half way."""
    angles = half_turn(240, closed=closed)
    exact = row(angles, 95.5)  # (N_X - 1) / 2: the mirror image needs no interpolation
    ((one, other),) = opposite_views(angles, N_X)
    unlike = np.abs(one.of(exact) - other.of(exact)[::-1]).max()
    assert unlike < 0.02 * exact.max()
    assert view_noise([(one, other)]) < noise


def test_a_full_turn_gives_four_pairs_of_views():
    assert len(opposite_views(np.linspace(0, 2 * np.pi, 100, endpoint=False), N_X)) == 4
    assert opposite_views(np.linspace(0, 2.5, 100), N_X) == []


def test_opposites_in_a_gap_are_left_out():
    angles = np.deg2rad(np.concatenate([np.arange(0, 200, 2.0), np.arange(230, 360, 2.0)]))
    one, other = opposite_projections(row(angles, 95.5), angles)
    assert len(one) == 90 - 15
    unlike = np.abs(one - other[:, ::-1]).mean(axis=1)  # a few edges are met by chance at an angle
    assert unlike.max() < 0.01 * one.max()


def test_packing_keeps_four_digits():
    values = np.random.default_rng(0).standard_normal((3, 50)).astype(np.float32)
    packed = unpack(pack(values)).reshape(3, 50)
    np.testing.assert_allclose(packed, values, atol=2e-5 * np.abs(values).max())
    assert unpack(pack(np.zeros(4))).tolist() == [0.0] * 4


@pytest.mark.parametrize("order", ["falling", "golden"])
def test_angles_in_any_order(order):
    rng = np.random.default_rng(3)
    steps = np.arange(240)
    angles = -half_turn(240) if order == "falling" else np.mod(steps * 1.9416, np.pi)
    noisy = measured(row(angles, 99.0).astype(np.float64), rng)
    indices, rising = around(angles)
    found = look_at(noisy[indices], rising, white_noise(noisy), slow_too=True)
    assert found.start_px == pytest.approx(99.0, abs=0.6)
    assert found.candidates["sharpness"].cor_px == pytest.approx(99.0, abs=0.2)


def test_one_bright_column_at_the_edge_is_not_the_air():
    angles = half_turn(180)
    clean = row(angles, 97.3)
    bright = clean.copy()
    bright[:, 0] += 0.02 * clean.max()
    found, expected = (moments_cor(each, angles).cor_px for each in (bright, clean))
    assert abs(found - expected) < 0.1


def test_angles_that_are_even_but_for_the_encoder_are_not_interpolated():
    angles = half_turn(180) + np.random.default_rng(0).uniform(-1, 1, 180) * 1e-3 * np.pi / 180
    positions = half_turn_positions(np.sort(angles))
    assert positions.tolist() == list(range(180))


def test_noise_at_the_rim_is_no_drift():
    """A drift of the air is told at any noise; without one, noise alone is not taken for one."""
    clean = row(half_turn(200), 95.0)
    noisy = clean + np.random.default_rng(4).normal(0, 0.3 * clean.max(), clean.shape)
    drift = np.linspace(0, 0.3, len(clean), dtype=np.float32)[:, None] * clean.max()
    noise = change_by_noise(0.3 * clean.max() / np.percentile(clean.mean(axis=0), 95), *clean.shape)

    def change(sinogram):
        seen = sinogram.astype(np.float32)
        return Rim.of(seen, white_noise(seen)).change

    assert change(clean) < 0.01
    assert change(noisy) < 0.7 * noise
    assert change(noisy + drift) == pytest.approx(change(clean + drift), rel=0.15)
