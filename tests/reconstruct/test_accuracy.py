"""Accuracy on exact line integrals; orientation and scale are those of the phantom, not fitted."""

import numpy as np
import pytest
from tests.reconstruct import shepp_logan

from tomobatch.reconstruct.slices import fbp

N_PX, N_ANGLES = 512, 804


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return shepp_logan.picture(N_PX)


@pytest.fixture(scope="module")
def found() -> np.ndarray:
    angles = np.arange(N_ANGLES) * np.pi / N_ANGLES
    return fbp(shepp_logan.sinogram(N_PX, angles), angles, method="direct")[0]


def test_error_in_the_disk(found, truth) -> None:
    """What non-uniform transforms of peers reach: 0.0140; linear interpolation alone: 0.0157."""
    disk = shepp_logan.disk(N_PX)
    assert np.sqrt(np.mean((found - truth)[disk] ** 2)) <= 0.0145


def test_no_bias_in_flat_regions(found, truth) -> None:
    flat = shepp_logan.flat_regions(truth)
    assert flat.sum() > 0.5 * shepp_logan.disk(N_PX).sum()
    assert abs(np.mean((found - truth)[flat])) <= 0.0005


@pytest.mark.parametrize("change", ["flip rows", "flip columns", "turn", "scale"])
def test_orientation_and_scale_are_pinned(found, truth, change) -> None:
    """The bound above is missed by any other orientation, and by 5% of scale."""
    wrong = {
        "flip rows": found[::-1],
        "flip columns": found[:, ::-1],
        "turn": np.rot90(found),
        "scale": 1.05 * found,
    }[change]
    disk = shepp_logan.disk(N_PX)
    assert np.sqrt(np.mean((wrong - truth)[disk] ** 2)) > 0.0158


def test_outside_the_circle_is_zero(found) -> None:
    r = np.arange(N_PX) - (N_PX - 1) / 2
    outside = np.hypot(r[:, None], r[None, :]) > N_PX / 2
    assert not found[outside].any()
