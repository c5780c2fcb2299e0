"""Filtered back-projection in plain float64 numpy: what the OpenCL kernels are compared with."""

import numpy as np
import numpy.typing as npt

from tomobatch.arrays import Float64Array
from tomobatch.reconstruct.filter import (
    SAMPLES_PER_PX,
    binning_response,
    finer_response,
    overlap_weights,
    padded_length,
    shift_phases,
)
from tomobatch.reconstruct.geometry import Geometry, default_cor_px
from tomobatch.reconstruct.settings import FilterName, Padding


def filter_rows(
    sinogram: npt.ArrayLike,
    geometry: Geometry,
    cor_px: float,
    *,
    filter: FilterName = "ramp",
    padding: Padding = "edge",
    samples_per_px: int = SAMPLES_PER_PX,
) -> tuple[Float64Array, float]:
    """Return the filtered rows of one slice on the ring of the FFT, and where their axis lies.

    They are ready for linear interpolation: see ``finer_response``.

    Parameters
    ----------
    sinogram : array_like (angle, x)
    geometry
        Shared geometry.
    cor_px
        Centre of rotation of this row.
    filter, padding
        Window on the ramp; what is assumed outside the detector.
    samples_per_px
        Samples a column, more than one.

    Returns
    -------
    rows : float64 (angle, samples_per_px * padded_length)
        Filtered, weighted by angle; index 0 is the detector's column 0, negative columns come last.
    axis : float
        The rotation axis, in samples.
    """
    rows = np.asarray(sinogram, dtype=np.float64) * geometry.angle_weights[:, None]
    if geometry.half_acquisition:
        rows = rows * overlap_weights(geometry.n_cols, cor_px)
    length = padded_length(geometry)
    left = (length - geometry.n_cols) // 2
    mode = {"edge": "edge", "zero": "constant"}[padding]
    right = length - geometry.n_cols - left
    padded = np.pad(rows, ((0, 0), (left, right)), mode=mode)  # type: ignore[call-overload]
    spectrum = np.fft.rfft(np.roll(padded, -left, axis=1), axis=1)
    axis_px = default_cor_px(geometry.n_cols)
    spectrum = spectrum * (
        finer_response(length, filter, samples_per_px)
        * shift_phases(length, axis_px - cor_px)[:, 0]
    )
    if geometry.binning > 1:
        spectrum = spectrum * binning_response(length, geometry.angles_rad, geometry.binning)
    rows = np.fft.irfft(spectrum, n=samples_per_px * length, axis=1)
    return rows, samples_per_px * axis_px


def back_project(
    rows: npt.ArrayLike,
    geometry: Geometry,
    axis: float,
    samples_per_px: int = SAMPLES_PER_PX,
) -> Float64Array:
    """Return the sum over angles of the rows, linearly interpolated, float64 (ny, nx).

    Parameters
    ----------
    rows : array_like (angle, sample)
        On a ring: sample -1 is the last.
    geometry
        Shared geometry.
    axis
        The rotation axis, in samples.
    samples_per_px
        Samples a column.
    """
    values = np.asarray(rows, dtype=np.float64)
    x, y = geometry.x_px[None, :], geometry.y_px[:, None]
    total = np.zeros(geometry.shape_px)
    for row, angle in zip(values, geometry.angles_rad, strict=True):
        t = samples_per_px * (x * np.cos(angle) + y * np.sin(angle)) + axis
        index = np.floor(t).astype(np.int64)
        weight = t - index
        before, after = row[index % len(row)], row[(index + 1) % len(row)]
        total += (1 - weight) * before + weight * after
    if geometry.mask_radius_px is not None:
        total[x**2 + y**2 > geometry.mask_radius_px**2] = 0
    return total


def fbp_twin(
    sinogram: npt.ArrayLike,
    geometry: Geometry,
    cor_px: float,
    *,
    filter: FilterName = "ramp",
    padding: Padding = "edge",
    samples_per_px: int = SAMPLES_PER_PX,
) -> Float64Array:
    """Return one slice by filtered back-projection, float64 (ny, nx), attenuation in 1/pixel.

    The more samples a column, the closer the linear interpolation to an exact one.
    """
    rows, axis = filter_rows(
        sinogram, geometry, cor_px, filter=filter, padding=padding, samples_per_px=samples_per_px
    )
    return back_project(rows, geometry, axis, samples_per_px)
