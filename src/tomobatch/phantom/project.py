"""Exact projections and the exact volume of a set of analytic solids."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tomobatch.phantom.solids import Solid, pack_solids


def line_integrals(
    solids: Sequence[Solid],
    theta_rad: float,
    *,
    n_rows: int,
    n_cols: int,
    cor_px: float,
    tilt_deg: float = 0.0,
    samples: int = 2,
) -> NDArray[np.float64]:
    """Line integrals of the solids in one parallel-beam projection, averaged over each pixel.

    A point (x, y, z) meets the untilted detector at column ``x*cos + y*sin`` from the axis and at
    row z from the middle one; the detector is then turned by the tilt about the point (``cor_px``,
    middle row), so that the axis stands at ``cor_px + tan(tilt)*(row - (n_rows-1)/2)``.

    Parameters
    ----------
    solids
        The object, in pixels.
    theta_rad
        Angle of the projection.
    n_rows, n_cols
        Size of the detector in pixels.
    cor_px
        Centre of rotation in the middle row; pixel centres at whole numbers, the first at 0.
    tilt_deg
        Angle from the detector columns to the axis.
    samples
        Rays along either side of a pixel.

    Returns
    -------
    ndarray, shape (y, x), float64
        Attenuation times path in pixels: no unit.
    """
    # numba takes a second to import, and whoever only opens a scan has no need of it.
    from tomobatch.phantom.kernels import add_line_integrals

    out = np.zeros((n_rows, n_cols))
    tilt_rad = float(np.deg2rad(tilt_deg))
    add_line_integrals(pack_solids(solids), theta_rad, cor_px, tilt_rad, samples, out)
    return out


def phantom_volume(
    solids: Sequence[Solid], n_cols: int, n_rows: int, rows: slice = slice(None), samples: int = 3
) -> NDArray[np.float32]:
    """Exact attenuation of the solids on the voxels of the reconstructed volume.

    Parameters
    ----------
    solids
        The object, in pixels.
    n_cols, n_rows
        Size of the detector; the volume has (n_rows, n_cols, n_cols) voxels.
    rows
        The slices wanted.
    samples
        Points along either side of a voxel, whose mean it holds.

    Returns
    -------
    ndarray, shape (z, y, x), float32
        Linear attenuation coefficient in 1/pixel.
    """
    from tomobatch.phantom.kernels import add_attenuation

    heights = np.arange(n_rows)[rows] - (n_rows - 1) / 2
    table = pack_solids(solids)
    volume = np.empty((len(heights), n_cols, n_cols), np.float32)
    for out, z_px in zip(volume, heights, strict=True):
        plane = np.zeros((n_cols, n_cols))
        add_attenuation(table, float(z_px), samples, plane)
        out[:] = plane
    return volume
