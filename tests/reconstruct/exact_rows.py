"""Back-projection with exact interpolation: what gridding approximates, in plain float64 numpy."""

import numpy as np

from tomobatch.reconstruct.filter import (
    binning_response,
    frequency_response,
    overlap_weights,
)
from tomobatch.reconstruct.geometry import Geometry
from tomobatch.reconstruct.sampling import row_length


def fbp_exact(
    sinogram: np.ndarray, geometry: Geometry, cor_px: float, filter="ramp", padding="edge"
) -> np.ndarray:
    """Return one slice, float64 (ny, nx): filtered rows between samples by their Fourier series."""
    series = row_series(sinogram, geometry, cor_px, filter, padding)
    length = row_length(geometry)
    k = np.arange(length // 2 + 1)
    total = np.zeros(geometry.shape_px)
    for coefficients, angle in zip(series, geometry.angles_rad, strict=True):
        # The wave along a column is a product of one along x and one along y: the sum over all of
        # them, at every pixel, is a product of two matrices.
        columns = geometry.x_px[:, None] * np.cos(angle) + cor_px
        along_x = np.exp(2j * np.pi / length * columns * k)
        along_y = np.exp(2j * np.pi / length * geometry.y_px[:, None] * np.sin(angle) * k)
        total += (along_y * coefficients @ along_x.T).real
    if geometry.mask_radius_px is not None:
        r2 = geometry.x_px[None, :] ** 2 + geometry.y_px[:, None] ** 2
        total[r2 > geometry.mask_radius_px**2] = 0
    return total


def row_series(
    sinogram: np.ndarray, geometry: Geometry, cor_px: float, filter="ramp", padding="edge"
) -> np.ndarray:
    """Return the Fourier series of the filtered and weighted rows, complex128 (angle, k)."""
    length = row_length(geometry)
    rows = sinogram * geometry.angle_weights[:, None]
    if geometry.half_acquisition:
        rows = rows * overlap_weights(geometry.n_cols, cor_px)
    left = (length - geometry.n_cols) // 2
    mode = {"edge": "edge", "zero": "constant"}[padding]
    rows = np.pad(rows, ((0, 0), (left, length - geometry.n_cols - left)), mode=mode)
    series = np.fft.rfft(np.roll(rows, -left, axis=1), axis=1) / length
    series *= frequency_response(length, filter)
    series *= binning_response(length, geometry.angles_rad, geometry.binning)
    series[:, 1:-1] *= 2
    return series
