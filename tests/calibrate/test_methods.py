"""Each method by itself, on sinograms with exact line integrals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.calibrate.ellipses import measured, random_object, sinogram

from tomobatch.calibrate.methods import find_candidates
from tomobatch.calibrate.mirror import mirror_cor
from tomobatch.calibrate.moments import moments_cor
from tomobatch.calibrate.negativity import negativity_cor
from tomobatch.calibrate.rows import remove_slow_part
from tomobatch.calibrate.wedge import MARGIN_K, _cross_spectrum, wedge_cor
from tomobatch.turn import around

N_X = 192
SEARCH = (0.15 * N_X, 0.85 * N_X)


def half_turn(n_angles: int, *, closed: bool = False) -> np.ndarray:
    return np.linspace(0, np.pi, n_angles, endpoint=closed)


def row(angles_rad: np.ndarray, cor_px: float, seed: int = 0, radius: float = 0.36) -> np.ndarray:
    parts = random_object(np.random.default_rng(seed), radius * N_X)
    return sinogram(parts, angles_rad, N_X, cor_px).astype(np.float32)


@settings(max_examples=25, deadline=None)
@given(cor_px=st.floats(82, 110), seed=st.integers(0, 1000))
def test_wedge_is_exact_without_noise(cor_px, seed):
    """0.03 px: the rest is what leaks out of the wedge of a sampled sinogram."""
    found = wedge_cor([row(half_turn(180), cor_px, seed)], SEARCH)
    assert found.cor_px == pytest.approx(cor_px, abs=0.03)


def test_wedge_energy_is_that_of_the_explicit_full_turn():
    """The phase trick against a full turn written out and transformed, in float64."""
    n_angles, doubled_cors = 24, [175, 182, 190, 197]
    half = row(half_turn(n_angles), 93.0)
    length = 2 * N_X
    cross, constant, n_cells = _cross_spectrum(half, length)
    omega_index = np.arange(len(cross))
    fast = [
        constant + np.sum(cross * np.exp(2j * np.pi / length * omega_index * doubled)).real
        for doubled in doubled_cors
    ]

    filtered = remove_slow_part(half).astype(np.float64)
    padded = np.pad(filtered, ((0, 0), (0, length - N_X)))
    k = np.abs(np.fft.fftfreq(2 * n_angles, 1 / (2 * n_angles)))[:, None]
    omega = 2 * np.pi / length * omega_index
    outside = (k > N_X / 2 * omega + MARGIN_K) & (omega >= 6 * np.pi / N_X) & (omega <= np.pi / 2)
    outside &= (N_X / 2 * omega + MARGIN_K < n_angles) & (k < n_angles)
    assert n_cells == np.count_nonzero(outside) // 2
    explicit = []
    for doubled in doubled_cors:
        mirrored = np.roll(padded[:, ::-1], doubled + 1, axis=1)
        full = np.fft.fft(np.fft.rfft(np.concatenate([padded, mirrored]), axis=1), axis=0)
        explicit.append(np.sum(np.abs(full[outside]) ** 2) / 2)  # k and -k alike
    np.testing.assert_allclose(fast, explicit, rtol=1e-5)


@pytest.mark.parametrize("closed", [False, True])
def test_mirror_on_half_a_turn(closed):
    """One pair, and without noise: 0.1 px is the error of reaching over the missing step."""
    angles = half_turn(240, closed=closed)
    found = mirror_cor(row(angles, 99.3), angles, SEARCH)
    assert found.cor_px == pytest.approx(99.3, abs=0.1)


@pytest.mark.parametrize("cor_px", [12.4, 60.0, 95.5, 171.8])
def test_mirror_on_a_full_turn_up_to_the_edge(cor_px):
    """With hundreds of pairs noise averages out; the object reaches beyond the detector."""
    angles = np.linspace(0, 2 * np.pi, 480, endpoint=False)
    exact = row(angles, cor_px, radius=0.6)
    noisy = measured(exact.astype(np.float64), np.random.default_rng(1), photons=1e4)
    found = mirror_cor(noisy, angles, (0.03 * N_X, 0.97 * N_X))
    assert found.cor_px == pytest.approx(cor_px, abs=0.05)


def test_mirror_needs_opposite_projections():
    angles = np.linspace(0, 2.0, 100)
    assert mirror_cor(row(angles, 95.0), angles, SEARCH) is None


@pytest.mark.parametrize("last_rad", [np.pi, 2.0, 2 * np.pi])
def test_moments_are_exact_on_a_whole_object(last_rad):
    angles = np.linspace(0, last_rad, 90, endpoint=False)
    found = moments_cor(row(angles, 90.2), angles)
    assert found.cor_px == pytest.approx(90.2, abs=1e-3)


def test_moments_refuse_a_cut_off_object():
    angles = half_turn(90)
    assert moments_cor(row(angles, 95.0, radius=0.8), angles) is None


@pytest.mark.parametrize("start_px", [[98.0], [60.0, 103.0]])
def test_negativity_finds_the_way_from_a_wrong_start(start_px):
    """Half a pixel: it is the referee, no more."""
    angles = half_turn(240)
    noisy = measured(row(angles, 101.0).astype(np.float64), np.random.default_rng(2))
    found = negativity_cor(noisy, angles, start_px)
    assert found.cor_px == pytest.approx(101.0, abs=0.5)


@pytest.mark.parametrize("order", ["falling", "golden"])
def test_angles_in_any_order(order):
    rng = np.random.default_rng(3)
    steps = np.arange(240)
    angles = -half_turn(240) if order == "falling" else np.mod(steps * 1.9416, np.pi)
    noisy = measured(row(angles, 99.0).astype(np.float64), rng)
    indices, rising = around(angles)
    found = find_candidates(noisy[indices], rising, None, True)
    assert found["wedge"].cor_px == pytest.approx(99.0, abs=0.15)
    assert abs(found["negativity"].cor_px - 99.0) < 0.6
