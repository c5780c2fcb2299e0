"""The Shepp-Logan phantom: its picture and its exact line integrals, both averaged over pixels.

The contrasts are Toft's. Sizes are fractions of ``0.95 * n_px / 2``, the phantom's unit length, so
that it stays inside the slice's circle. Geometry: x grows with the column, y with the row, and a
point (x, y) projects to ``x cos(theta) + y sin(theta) + cor``.
"""

import numpy as np
from scipy.ndimage import maximum_filter, minimum_filter

SCALE = 0.95

# value, semi-axis x, semi-axis y, centre x, centre y, tilt in degrees
ELLIPSES = (
    (1.0, 0.69, 0.92, 0.0, 0.0, 0),
    (-0.8, 0.6624, 0.874, 0.0, -0.0184, 0),
    (-0.2, 0.11, 0.31, 0.22, 0.0, -18),
    (-0.2, 0.16, 0.41, -0.22, 0.0, 18),
    (0.1, 0.21, 0.25, 0.0, 0.35, 0),
    (0.1, 0.046, 0.046, 0.0, 0.1, 0),
    (0.1, 0.046, 0.046, 0.0, -0.1, 0),
    (0.1, 0.046, 0.023, -0.08, -0.605, 0),
    (0.1, 0.023, 0.023, 0.0, -0.606, 0),
    (0.1, 0.023, 0.046, 0.06, -0.605, 0),
)


def picture(n_px: int, samples: int = 4) -> np.ndarray:
    """Return the phantom, float64 (n_px, n_px), each pixel the mean of samples x samples points."""
    unit = SCALE * n_px / 2
    offsets = (np.arange(samples) + 0.5) / samples - 0.5
    total = np.zeros((n_px, n_px))
    for dy in offsets:
        for dx in offsets:
            x = ((np.arange(n_px) + dx) - (n_px - 1) / 2)[None, :] / unit
            y = ((np.arange(n_px) + dy) - (n_px - 1) / 2)[:, None] / unit
            for value, a, b, x0, y0, tilt_deg in ELLIPSES:
                c, s = np.cos(np.deg2rad(tilt_deg)), np.sin(np.deg2rad(tilt_deg))
                along, across = (x - x0) * c + (y - y0) * s, (y - y0) * c - (x - x0) * s
                total += value * ((along / a) ** 2 + (across / b) ** 2 <= 1)
    return total / samples**2


def sinogram(
    n_px: int,
    angles_rad: np.ndarray,
    *,
    n_cols: int | None = None,
    cor_px: float | None = None,
) -> np.ndarray:
    """Return line integrals in pixels, float32 (angle, n_cols), exact means over the columns."""
    n_cols = n_px if n_cols is None else n_cols
    cor_px = (n_cols - 1) / 2 if cor_px is None else cor_px
    unit = SCALE * n_px / 2
    edges = (np.arange(n_cols + 1) - 0.5 - cor_px)[None, :] / unit
    theta = np.asarray(angles_rad, dtype=np.float64)[:, None]
    total = np.zeros((len(theta), n_cols))
    for value, a, b, x0, y0, tilt_deg in ELLIPSES:
        half_width = np.hypot(
            a * np.cos(theta - np.deg2rad(tilt_deg)), b * np.sin(theta - np.deg2rad(tilt_deg))
        )
        u = np.clip((edges - x0 * np.cos(theta) - y0 * np.sin(theta)) / half_width, -1, 1)
        # The chord at u is 2 a b / half_width * sqrt(1 - u^2); this is its integral over u.
        area = value * a * b * (u * np.sqrt(1 - u**2) + np.arcsin(u))
        total += np.diff(area, axis=1)
    return (total * unit**2).astype(np.float32)


def disk(n_px: int, fraction: float = 0.95) -> np.ndarray:
    """Return the mask of pixels closer to the centre than the fraction of the half width."""
    r = np.arange(n_px) - (n_px - 1) / 2
    return np.hypot(r[:, None], r[None, :]) < fraction * n_px / 2


def flat_regions(truth: np.ndarray) -> np.ndarray:
    """Return the mask of pixels inside the disk and at least 4 px from any edge of the phantom."""
    return (maximum_filter(truth, 9) - minimum_filter(truth, 9) < 1e-9) & disk(len(truth))
