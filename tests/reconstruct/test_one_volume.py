"""Both methods give one volume: the same noise and the same edges, on every size and device."""

from dataclasses import replace

import numpy as np
import pytest
from tests.reconstruct.noise_and_edges import (
    BIN_PX,
    disc,
    edge_width_px,
    half_turn,
    inside,
    noise_power,
    white_noise,
)

from tomobatch.opencl.devices import find_device
from tomobatch.reconstruct.geometry import make_geometry
from tomobatch.reconstruct.methods import make_plan
from tomobatch.reconstruct.slices import fbp

SIZES = [256, 362, 512, 1024, 2048]
# Asked for are ten percent. What is left of linear interpolation makes one of noise and of edges.
TOLERANCE = 0.02


@pytest.fixture(scope="module", params=SIZES)
def noise(request) -> dict[str, np.ndarray]:
    """One slice of white noise by each method; the axis lies between two columns."""
    n_px = request.param
    rows, angles, cor_px = white_noise(n_px)
    return {name: fbp(rows, angles, cor_px, method=name)[0] for name in ("direct", "fourier")}


def test_noise_is_the_same(noise) -> None:
    kept = inside(len(noise["direct"]))
    direct, fourier = (noise[name][kept].std() for name in ("direct", "fourier"))
    assert direct == pytest.approx(fourier, rel=TOLERANCE)


def test_noise_has_the_same_spectrum(noise) -> None:
    ratio = noise_power(noise["direct"]) / noise_power(noise["fourier"])
    assert ratio == pytest.approx(np.ones(4), abs=0.05)


@pytest.mark.parametrize("n_px", SIZES)
def test_edges_are_as_sharp(n_px) -> None:
    angles = half_turn(n_px)
    sinogram, distance_px = disc(n_px, angles)
    slices = {name: fbp(sinogram, angles, method=name)[0] for name in ("direct", "fourier")}
    direct, fourier = (edge_width_px(slices[name], distance_px) for name in ("direct", "fourier"))
    assert direct == pytest.approx(fourier, rel=TOLERANCE, abs=BIN_PX)
    assert 0.9 < direct < 1.4
    difference = (slices["direct"] - slices["fourier"])[inside(n_px)]
    assert np.sqrt(np.mean(difference**2)) < 0.003


@pytest.mark.parametrize("filter", ["ramp", "shepp-logan", "hann"])
@pytest.mark.parametrize("binning", [1, 2])
def test_windows_and_binning_keep_them_equal(filter, binning) -> None:
    angles = half_turn(256)
    rows = np.random.default_rng(1).normal(size=(1, len(angles), 256)).astype(np.float32)
    direct, fourier = (
        fbp(rows, angles, method=name, filter=filter, binning=binning)[0]
        for name in ("direct", "fourier")
    )
    kept = inside(256 // binning)
    assert direct[kept].std() == pytest.approx(fourier[kept].std(), rel=TOLERANCE)
    assert (direct - fourier)[kept].std() < 0.1 * fourier[kept].std()


@pytest.mark.parametrize("n_px", [64, *SIZES])
@pytest.mark.parametrize("n_angles", [30, 400, 1800])
def test_method_does_not_depend_on_the_device(n_px, n_angles) -> None:
    cpu = find_device("cpu")
    geometry = make_geometry(np.arange(n_angles) * np.pi / n_angles, n_px)
    chosen = {
        make_plan(device, geometry, 32, "auto").method for device in (cpu, replace(cpu, kind="gpu"))
    }
    assert len(chosen) == 1
