"""What each ray of a cone-beam scan counts, before the ramp filter."""

import math

import numpy as np

from tomobatch.arrays import Float64Array
from tomobatch.reconstruct.cone.geometry import ConeGeometry
from tomobatch.turn import HALF_TURN_RAD


def ray_weights(geometry: ConeGeometry) -> Float64Array:
    """Return the weights of angles and columns, (angle, n_cols): steps times redundancy.

    Over a full circle every ray is seen twice, which the factor one half undoes; in a short scan
    some are seen once (Parker's weights), and with an offset detector those of the long side.
    """
    steps = geometry.slices.angle_weights[:, None] / 2
    if geometry.span_rad is not None:
        return steps * parker_weights(geometry)
    if geometry.merged:
        return steps * offset_weights(geometry)
    return steps * np.ones((1, geometry.slices.n_cols))


def cosine_weights(geometry: ConeGeometry, first_row: int, stop_row: int) -> Float64Array:
    """Return the cosine of the angle between a ray and the principal one, (n_cols, row)."""
    u_px, v_px = geometry.principal_px
    aspect = geometry.beam.row_pitch_mm / geometry.beam.pixel_mm
    u = np.arange(geometry.slices.n_cols)[:, None] - u_px
    v = (np.arange(first_row, stop_row) - v_px) * aspect
    weights: Float64Array = geometry.source / np.sqrt(geometry.source**2 + u**2 + v**2)
    return weights


def parker_weights(geometry: ConeGeometry) -> Float64Array:
    """Return Parker's weights times two, (angle, n_cols).

    Rays that a short scan sees twice share the weight smoothly (Med. Phys. 9, 254, 1982, with the
    last denominator of its equation 12 corrected). A scan that spans more than half a turn and the
    fan is taken as that of a wider fan.
    """
    if geometry.span_rad is None:
        raise ValueError("the scan is a full circle")
    half_range = (geometry.span_rad - HALF_TURN_RAD) / 2
    angles = geometry.slices.angles_rad
    step = geometry.span_rad / len(angles)
    turned = (angles - angles.min() + step / 2)[:, None]
    fan = -fan_angles_rad(geometry)[None, :]
    fan = np.clip(fan, -half_range + 1e-9, half_range - 1e-9)
    rising = np.sin(np.pi / 4 * turned / (half_range - fan)) ** 2
    falling = np.sin(np.pi / 4 * (np.pi + 2 * half_range - turned) / (half_range + fan)) ** 2
    weights = np.where(
        turned < 2 * (half_range - fan),
        rising,
        np.where(turned <= np.pi - 2 * fan, 1.0, falling),
    )
    return 2 * weights


def offset_weights(geometry: ConeGeometry) -> Float64Array:
    """Return weights from 0 to 2, (1, n_cols), that rise over the columns both sides see.

    One sine across the overlap, as a function of the fan angle (after Wang, Med. Phys. 29, 1634,
    2002), so that a ray and its opposite sum to 2.
    """
    fan = fan_angles_rad(geometry)
    overlap = max(min(-fan[0], fan[-1]), 1e-9)
    toward_long = 1.0 if fan[-1] > -fan[0] else -1.0
    share = np.clip(toward_long * fan / overlap, -1, 1)
    weights: Float64Array = 1 + np.sin(np.pi / 2 * share)
    return weights[None, :]


def fan_angles_rad(geometry: ConeGeometry) -> Float64Array:
    """Return the angle of every column's ray in the source's plane from the one to the axis."""
    u_px, _ = geometry.principal_px
    to_axis = math.atan2(geometry.beam.axis_shift_px, geometry.source)
    fan: Float64Array = np.arctan((np.arange(geometry.slices.n_cols) - u_px) / geometry.source)
    return fan - to_axis
