"""The cone's projector as a matrix in plain float64 numpy: what the kernels are compared with.

It is built voxel by voxel from the beam's definition, not by the way the kernels go.
"""

import numpy as np

from tomobatch.arrays import Float64Array
from tomobatch.reconstruct.cone.walks import RayGrid


def ray_matrix(grid: RayGrid) -> Float64Array:
    """Return A, float64 (angle * column * row, slice * y * x); nothing outside the mask weighs.

    A ray follows x or y more closely, and meets each plane of pixels across that direction in one
    point, in which it shares itself between the four voxels around: one that is d pixels and e
    slices off has the weight ``max(0, 1 - d) max(0, 1 - e)`` times the ray's way between planes.
    """
    cone, slices = grid.cone, grid.slices
    aspect = cone.beam.row_pitch_mm / cone.beam.pixel_mm
    plane, pitch = cone.principal_px[1], slices.binning
    heights = np.arange(grid.first_slice, grid.stop_slice)[:, None, None] - plane
    y, x = slices.y_px[:, None], slices.x_px[None, :]
    inside = np.ones((grid.side, grid.side))
    if slices.mask_radius_px is not None:
        inside = (x**2 + y**2 <= slices.mask_radius_px**2).astype(np.float64)
    n_angles, n_cols, n_rows = grid.rays_shape
    out = np.empty((n_angles, n_cols, n_rows, grid.n_slices, grid.side, grid.side))
    for at, angle in enumerate(slices.angles_rad):
        along = np.array([np.cos(angle), np.sin(angle)])
        normal = np.array([-np.sin(angle), np.cos(angle)])
        start = -cone.source * normal - cone.beam.axis_shift_px * along
        for column in range(n_cols):
            way = (column - grid.centres_px[at, 0]) * along + cone.source * normal
            on = int(abs(way[1]) >= abs(way[0]))  # 1 where the ray follows y
            share = ((y if on else x) - start[on]) / way[on]
            beside = np.abs((x if on else y) - start[1 - on] - share * way[1 - on]) / pitch
            flat = inside * np.maximum(0, 1 - beside)
            for row in range(n_rows):
                v = row - grid.centres_px[at, 1]
                length = np.sqrt(way @ way + (aspect * v) ** 2) * pitch / abs(way[on])
                above = np.abs(heights - share * v)
                out[at, column, row] = length * flat * np.maximum(0, 1 - above)
    return out.reshape(n_angles * n_cols * n_rows, -1)
