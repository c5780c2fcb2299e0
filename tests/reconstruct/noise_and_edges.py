"""How noisy slices are, and how sharp: exact discs, white noise, and the figures of both."""

from itertools import pairwise

import numpy as np

BIN_PX = 0.05


def half_turn(n_px: int) -> np.ndarray:
    """Return enough angles for so many columns."""
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


def white_noise(n_px: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Return a sinogram of noise alone, its angles, and an axis between two columns."""
    angles = half_turn(n_px)
    rows = np.random.default_rng(n_px).normal(size=(1, len(angles), n_px)).astype(np.float32)
    return rows, angles, n_px / 2 - 0.27


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
    """Return the pixels (y, x) well within the circle that all projections see."""
    y, x = np.mgrid[:n_px, :n_px] - (n_px - 1) / 2
    return np.hypot(x, y) < 0.45 * n_px
