"""Gridding on exact line integrals; orientation and scale are those of the phantom, not fitted."""

import numpy as np
import pytest
from tests.reconstruct import shepp_logan

from tomobatch.reconstruct.geometry import make_geometry
from tomobatch.reconstruct.slices import fbp
from tomobatch.reconstruct.twin import fbp_twin

N_PX, N_ANGLES = 512, 804


def half_turn(n: int) -> np.ndarray:
    return np.arange(n) * np.pi / n


def rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return shepp_logan.picture(N_PX)


@pytest.fixture(scope="module")
def found() -> np.ndarray:
    """Three rows of the same phantom: the axis in the middle, 20 px to either side."""
    angles = half_turn(N_ANGLES)
    cors = (N_PX - 1) / 2 + np.array([0, 20, -20])
    rows = [shepp_logan.sinogram(N_PX, angles, cor_px=cor) for cor in cors]
    return fbp(np.array(rows), angles, cors, method="fourier")


def test_error_in_the_disk(found, truth) -> None:
    """What non-uniform transforms of peers reach: 0.0140."""
    assert rms((found[0] - truth)[shepp_logan.disk(N_PX)]) <= 0.0145


def test_no_bias_in_flat_regions(found, truth) -> None:
    assert abs(np.mean((found[0] - truth)[shepp_logan.flat_regions(truth)])) <= 0.0005


def test_cor_of_each_row(found) -> None:
    """Rows of one block, two of which share a complex grid, each have an axis of their own."""
    disk = shepp_logan.disk(N_PX)
    assert rms((found[1] - found[0])[disk]) <= 0.002
    assert rms((found[2] - found[0])[disk]) <= 0.002


def test_equals_back_projection_of_rows_sampled_finely() -> None:
    """Rows with 8 samples a column leave linear interpolation little to blur."""
    n_px = 256
    angles = half_turn(402)
    sinogram = shepp_logan.sinogram(n_px, angles)
    geometry = make_geometry(angles, n_px)
    expected = fbp_twin(sinogram, geometry, (n_px - 1) / 2, samples_per_px=8)
    found = fbp(sinogram[None], angles, method="fourier")[0]
    assert rms((found - expected)[shepp_logan.disk(n_px)]) <= 0.001


def test_slices_of_a_block_do_not_mix() -> None:
    """An empty slice between full ones stays empty, whichever lane it has."""
    angles = half_turn(40)
    full = shepp_logan.sinogram(64, angles)
    for empty in range(16):
        sinograms = np.repeat(full[None], 16, axis=0)
        sinograms[empty] = 0
        slices = fbp(sinograms, angles, method="fourier")
        assert np.abs(slices[empty]).max() < 1e-4 * np.abs(slices).max()


@pytest.mark.parametrize("n_rows", [1, 2, 15, 16, 17, 33])
def test_blocks_equal_single_slices(n_rows) -> None:
    angles = half_turn(30)
    rng = np.random.default_rng(n_rows)
    sinograms = rng.normal(size=(n_rows, 30, 40)).astype(np.float32)
    cors = rng.uniform(15, 25, n_rows)
    together = fbp(sinograms, angles, cors, method="fourier")
    alone = [
        fbp(s[None], angles, [c], method="fourier")[0] for s, c in zip(sinograms, cors, strict=True)
    ]
    # Which slice shares a grid with which changes the rounding, nothing else.
    assert together == pytest.approx(np.array(alone), abs=2e-4 * float(np.abs(together).max()))
