"""Sinograms of ellipses with exact line integrals, averaged over each detector pixel.

The independent truth of the calibration tests and of ``benchmarks/calibration.py``.
"""

from dataclasses import dataclass, replace

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
    line_integrals = exact
    if photons > 0:
        counts = rng.poisson(photons * np.exp(-exact))
        line_integrals = -np.log(np.maximum(counts, 0.5) / photons)
    x, time = np.linspace(-1, 1, n_x), np.linspace(0, 1, n_angles)[:, None]
    error = stripes * rng.standard_normal(n_x) + drift * time * (
        0.5 + 0.5 * x + 0.3 * np.sin(3 * x)
    )
    return (line_integrals + error).astype(np.float32)


def scan(
    angles_rad: NDArray[np.float64],
    n_x: int,
    n_rows: int,
    cor_px: float,
    slope: float,
    rng: np.random.Generator,
    *,
    radius: float = 0.4,
    photons: float = 2e4,
    stripes: float = 0.005,
    drift: float = 0.01,
    n_air_rows: int = 0,
) -> NDArray[np.float32]:
    """Sinograms (y, angle, x) of a random object, `radius` of the width, about a tilted axis.

    The inclusions change size from row to row; `cor_px` is that of the middle row; the first
    `n_air_rows` see no object.
    """
    body, *inclusions = random_object(rng, radius * n_x)
    rows = []
    for y in range(n_rows):
        parts = [body]
        for i, e in enumerate(inclusions):
            a_px, b_px = (
                e.a_px * (1 + 0.3 * np.sin(y / 3 + i)),
                e.b_px * (1 + 0.3 * np.cos(y / 4 + i)),
            )
            parts.append(replace(e, a_px=a_px, b_px=b_px))
        cor = cor_px + slope * (y - (n_rows - 1) / 2)
        exact = sinogram([] if y < n_air_rows else parts, angles_rad, n_x, cor)
        rows.append(measured(exact, rng, photons, stripes, drift))
    return np.stack(rows)
