"""Both methods give one volume: the same noise and the same edges, on every size and device."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from tomobatch.opencl.devices import find_device
from tomobatch.reconstruct.geometry import make_geometry
from tomobatch.reconstruct.methods import make_plan
from tomobatch.reconstruct.slices import fbp

SIZES = [256, 362, 512, 1024, 2048]
# Asked for are ten percent. What is left of linear interpolation makes one of noise and of edges.
TOLERANCE = 0.02
BIN_PX = 0.05


def half_turn(n_px: int) -> np.ndarray:
    n_angles = 5 * n_px // 4
    return np.arange(n_angles) * np.pi / n_angles


def disc(n_px: int, angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the exact sinogram of a disc, column means, and each pixel's distance to its edge."""
    radius, x0, y0 = 0.31 * n_px, 0.083 * n_px, -0.041 * n_px
    middle = (n_px - 1) / 2
    edges = np.arange(n_px + 1) - 0.5 - middle
    centre = x0 * np.cos(angles) + y0 * np.sin(angles)
    u = np.clip((edges[None, :] - centre[:, None]) / radius, -1, 1)
    area = radius**2 * (u * np.sqrt(1 - u**2) + np.arcsin(u))
    y, x = np.mgrid[:n_px, :n_px] - middle
    return np.diff(area, axis=1).astype(np.float32), np.hypot(x - x0, y - y0) - radius


def edge_width_px(image: np.ndarray, distance_px: np.ndarray) -> float:
    """Return the width at half height of the edge's spread: the slope of its mean profile."""
    near = np.abs(distance_px) < 4
    place = np.floor(distance_px[near] / BIN_PX).astype(int) + round(4 / BIN_PX)
    profile = np.bincount(place, image[near]) / np.bincount(place)
    # The slope over half a pixel: of neighbouring bins it would be noise.
    wide = round(0.5 / BIN_PX)
    slope = profile[:-wide] - profile[wide:]
    above = np.flatnonzero(slope > slope.max() / 2)
    return float(len(above) * BIN_PX)


def noise_power(image: np.ndarray, n_bands: int = 4) -> np.ndarray:
    """Return the noise's power in bands of spatial frequency, 0 to 0.5 cycles a pixel."""
    side = int(len(image) / 2**0.5) // 2 * 2
    start = (len(image) - side) // 2
    power = np.abs(np.fft.fft2(image[start : start + side, start : start + side])) ** 2
    frequency = np.fft.fftfreq(side)
    radius = np.hypot(frequency[:, None], frequency[None, :])
    bands = np.linspace(0, 0.5, n_bands + 1)
    return np.array([power[(radius > a) & (radius <= b)].mean() for a, b in pairwise(bands)])


def inside(n_px: int) -> np.ndarray:
    y, x = np.mgrid[:n_px, :n_px] - (n_px - 1) / 2
    return np.hypot(x, y) < 0.45 * n_px


@pytest.fixture(scope="module", params=SIZES)
def noise(request) -> dict[str, np.ndarray]:
    """One slice of white noise by each method; the axis lies between two columns."""
    n_px = request.param
    angles = half_turn(n_px)
    rows = np.random.default_rng(n_px).normal(size=(1, len(angles), n_px)).astype(np.float32)
    cor = n_px / 2 - 0.27
    return {name: fbp(rows, angles, cor, method=name)[0] for name in ("direct", "fourier")}


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
