"""The same reconstruction in plain float64 numpy: what the OpenCL kernels are compared with."""

import math

import numpy as np
import numpy.typing as npt

from tomobatch.arrays import Float64Array
from tomobatch.reconstruct.cone.geometry import ConeGeometry
from tomobatch.reconstruct.cone.resample import detector_places, interpolate
from tomobatch.reconstruct.cone.weights import cosine_weights, ray_weights
from tomobatch.reconstruct.filter import (
    binning_response,
    frequency_response,
)
from tomobatch.reconstruct.settings import FilterName, Padding


def fdk_twin(
    sinograms: npt.ArrayLike,
    geometry: ConeGeometry,
    start: int,
    stop: int,
    *,
    name: FilterName = "ramp",
    padding: Padding = "edge",
) -> Float64Array:
    """Return slices [start, stop), float64 (slice, y, x), attenuation in 1/voxel.

    Parameters
    ----------
    sinograms : array_like (row, angle, x)
        All rows of the detector.
    geometry
        Shared geometry.
    start, stop
        Slices.
    name, padding
        Window on the ramp; what is assumed beside the detector.
    """
    projections = np.asarray(sinograms, dtype=np.float64).transpose(1, 2, 0)
    rays = ray_weights(geometry)
    first, last = geometry.rows_seen(start, stop)
    rows = np.arange(math.floor(first), math.ceil(last) + 2)
    total = np.zeros((stop - start, *geometry.slices.shape_px))
    for angle, projection in enumerate(projections):
        weighed = _weighed(projection, geometry, rows, angle) * rays[angle][:, None]
        filtered = _filtered(weighed, geometry, angle, name, padding)
        total += _spread(filtered, geometry, angle, start, stop, int(rows[0]))
    x, y = geometry.slices.x_px[None, :], geometry.slices.y_px[:, None]
    radius = geometry.slices.mask_radius_px
    if radius is not None:
        total[:, x**2 + y**2 > radius**2] = 0
    return total


def _weighed(
    projection: Float64Array, geometry: ConeGeometry, rows: npt.NDArray[np.int64], angle: int
) -> Float64Array:
    """Return one projection at rows of the ideal detector, (column, row), times the cosine.

    Where there are none, the nearest one stands.
    """
    n_cols, n_rows = projection.shape
    if not geometry.beam.is_turned:
        own = np.clip(rows, 0, n_rows - 1)
        weighed: Float64Array = (projection * cosine_weights(geometry, 0, n_rows))[:, own]
        return weighed
    ideal = np.empty((n_cols, len(rows)))
    bounds = int(rows[0]), int(rows[-1]) + 1
    cosines, places = cosine_weights(geometry, *bounds), detector_places(geometry, *bounds)
    picture = np.ascontiguousarray(projection.T)
    drift_u, drift_v = geometry.drift_px[angle]
    interpolate(picture, 0, places, drift_u, drift_v, cosines, ideal)
    return ideal


def _filtered(
    weighed: Float64Array,
    geometry: ConeGeometry,
    angle: int,
    name: FilterName,
    padding: Padding,
) -> Float64Array:
    """Return one projection (column, row), filtered on the ring of the transform."""
    n_cols, length = len(weighed), geometry.ring_px
    left = (length - n_cols) // 2
    mode = {"edge": "edge", "zero": "constant"}[padding]
    beside = ((left, length - n_cols - left), (0, 0))
    padded = np.pad(weighed, beside, mode=mode)  # type: ignore[call-overload]
    spectrum = np.fft.rfft(np.roll(padded, -left, axis=0), axis=0)
    spectrum *= frequency_response(length, name)[:, None]
    slices = geometry.slices
    if slices.binning > 1:
        turn = slices.angles_rad[angle : angle + 1]
        spectrum *= binning_response(length, turn, slices.binning).T
    return np.fft.irfft(spectrum, n=length, axis=0)


def _spread(
    filtered: Float64Array,
    geometry: ConeGeometry,
    angle: int,
    start: int,
    stop: int,
    first_row: int,
) -> Float64Array:
    """Return what one filtered projection (column, row from the first) adds to the slices."""
    slices = geometry.slices
    u_px, v_px = geometry.principal_px
    if not geometry.beam.is_turned:
        u_px, v_px = u_px + geometry.drift_px[angle, 0], v_px + geometry.drift_px[angle, 1]
    cosine, sine = np.cos(slices.angles_rad[angle]), np.sin(slices.angles_rad[angle])
    x, y = slices.x_px[None, :], slices.y_px[:, None]
    magnified = geometry.source / (geometry.source + y * cosine - x * sine)
    u = magnified * (x * cosine + y * sine + geometry.beam.axis_shift_px) + u_px
    heights = np.arange(start, stop)[:, None, None] - geometry.principal_px[1]
    v = magnified * heights + v_px - first_row
    # Corners outside of the mask may lie beyond the rows; they are not kept.
    column, row = (
        np.floor(u).astype(int),
        np.clip(np.floor(v), 0, filtered.shape[1] - 2).astype(int),
    )
    f, g = u - column, v - row
    column, following = column % len(filtered), (column + 1) % len(filtered)
    one = (1 - g) * filtered[column, row] + g * filtered[column, row + 1]
    other = (1 - g) * filtered[following, row] + g * filtered[following, row + 1]
    spread: Float64Array = magnified**2 * ((1 - f) * one + f * other)
    return spread
