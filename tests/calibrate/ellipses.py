"""Sinograms of ellipses with exact line integrals, averaged over each detector pixel.

The independent truth of the calibration tests and of ``benchmarks/calibration.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Ellipse:
    """One uniform ellipse: centre and half axes in pixels, attenuation in 1/pixel."""

    x_px: float
    y_px: float
    a_px: float
    b_px: float
    phi_rad: float
    attenuation: float


def sinogram(
    ellipses: list[Ellipse], angles_rad: NDArray[np.float64], n_x: int, cor_px: float
) -> NDArray[np.float64]:
    """Line integrals of the ellipses, shape (angle, x), each averaged over the pixel width."""
    edges = np.arange(n_x + 1) - 0.5 - cor_px
    out = np.zeros((len(angles_rad), n_x))
    for e in ellipses:
        turned = angles_rad - e.phi_rad
        half_width = np.hypot(e.a_px * np.cos(turned), e.b_px * np.sin(turned))[:, None]
        middle = (e.x_px * np.cos(angles_rad) + e.y_px * np.sin(angles_rad))[:, None]
        u = np.clip((edges - middle) / half_width, -1.0, 1.0)
        area = u * np.sqrt(1.0 - u * u) + np.arcsin(u)
        out += e.attenuation * e.a_px * e.b_px * np.diff(area, axis=1)
    return out


def random_object(
    rng: np.random.Generator, radius_px: float, n_parts: int = 25, absorption: float = 1.5
) -> list[Ellipse]:
    """One body with many small inclusions, off the axis; its longest path absorbs `absorption`."""
    shift = rng.uniform(-0.15, 0.15, 2) * radius_px
    base = absorption / (2 * radius_px)
    body = Ellipse(
        shift[0], shift[1], 0.8 * radius_px, 0.6 * radius_px, rng.uniform(0, np.pi), base
    )
    parts = [body]
    for _ in range(n_parts):
        r, turn = 0.5 * radius_px * np.sqrt(rng.uniform()), rng.uniform(0, 2 * np.pi)
        size = radius_px * rng.uniform(0.02, 0.12, 2)
        parts.append(
            Ellipse(
                shift[0] + r * np.cos(turn),
                shift[1] + r * np.sin(turn),
                size[0],
                size[1],
                rng.uniform(0, np.pi),
                base * rng.uniform(-0.8, 1.5),
            )
        )
    return parts


def measured(
    exact: NDArray[np.float64],
    rng: np.random.Generator,
    photons: float = 2e4,
    stripes: float = 0.0,
    drift: float = 0.0,
) -> NDArray[np.float32]:
    """The line integrals as a detector sees them, after a flat-field correction.

    `photons` a pixel give Poisson noise, `stripes` the standard deviation of the detector columns'
    error that the flats leave, `drift` the amplitude of a slow change of the beam along x and time.
    """
    n_angles, n_x = exact.shape
    counts = rng.poisson(photons * np.exp(-exact)) if photons > 0 else np.exp(-exact)
    transmission = np.maximum(counts, 0.5) / (photons if photons > 0 else 1.0)
    x, time = np.linspace(-1, 1, n_x), np.linspace(0, 1, n_angles)[:, None]
    error = stripes * rng.standard_normal(n_x) + drift * time * (
        0.5 + 0.5 * x + 0.3 * np.sin(3 * x)
    )
    return (-np.log(transmission) + error).astype(np.float32)
