"""Exact projections of analytic solids in a cone beam, with every misalignment of its detector."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tomobatch.beam import ConeBeam
from tomobatch.phantom.solids import Solid, pack_solids


def cone_line_integrals(
    solids: Sequence[Solid],
    beam: ConeBeam,
    theta_rad: float,
    *,
    n_rows: int,
    n_cols: int,
    drift_px: tuple[float, float] = (0.0, 0.0),
    samples: int = 2,
) -> NDArray[np.float64]:
    """Line integrals of the solids in one projection of a cone beam, averaged over each pixel.

    Parameters
    ----------
    solids
        The object, in voxels (what a column covers on the axis) from the point where the axis and
        the source's plane meet; z grows with the row.
    beam
        Where source and detector are.
    theta_rad
        Angle of the projection as the scan counts it.
    n_rows, n_cols
        Size of the detector in pixels.
    drift_px
        How far the principal point has moved at this angle, in columns and rows.
    samples
        Rays along either side of a pixel.

    Returns
    -------
    ndarray, shape (y, x), float64
        Attenuation in 1/voxel times path in voxels: no unit.
    """
    # numba takes a second to import, and whoever only opens a scan has no need of it.
    from tomobatch.phantom.cone_kernels import add_cone_integrals

    source, pixels = detector_frame(beam, theta_rad, n_rows, n_cols, drift_px)
    out = np.zeros((n_rows, n_cols))
    add_cone_integrals(
        pack_solids(solids),
        source,
        pixels,
        np.ascontiguousarray(np.linalg.inv(pixels)),
        samples,
        out,
    )
    return out


def detector_frame(
    beam: ConeBeam,
    theta_rad: float,
    n_rows: int,
    n_cols: int,
    drift_px: tuple[float, float] = (0.0, 0.0),
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the source's place (3,) and the way to the detector's pixels (3, 3), in voxels.

    The way from the source to a pixel is ``pixels @ (column, row, 1)``.
    """
    angle = beam.sense * theta_rad
    along_u = np.array([np.cos(angle), np.sin(angle), 0.0])
    normal = np.array([-np.sin(angle), np.cos(angle), 0.0])
    ideal = np.stack([along_u, [0.0, 0.0, 1.0], normal], axis=1)
    distance = beam.source_voxels
    # What a column covers on the axis is one voxel, so that a column itself is M of them.
    column = beam.magnification
    row = beam.magnification * beam.row_pitch_mm / beam.pixel_mm
    source = -distance * normal - beam.axis_shift_px * along_u
    turned = ideal @ beam.rotation()
    u_px, v_px = (
        place + drift
        for place, drift in zip(beam.principal_px(n_rows, n_cols), drift_px, strict=True)
    )
    step_u, step_v = column * turned[:, 0], row * turned[:, 1]
    corner = beam.magnification * distance * normal - u_px * step_u - v_px * step_v
    return source, np.stack([step_u, step_v, corner], axis=1)
