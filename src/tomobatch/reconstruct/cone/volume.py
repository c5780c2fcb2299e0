"""The public call: every slice of a cone-beam scan held in memory."""

import numpy as np
import numpy.typing as npt

from tomobatch.arrays import Float32Array
from tomobatch.beam import ConeBeam
from tomobatch.opencl.kind import DeviceKind
from tomobatch.reconstruct.cone.geometry import make_cone_geometry
from tomobatch.reconstruct.cone.slabs import reconstruct_slabs
from tomobatch.reconstruct.geometry import Roi
from tomobatch.reconstruct.in_memory import check_choices, check_stack
from tomobatch.reconstruct.settings import FilterName, Padding


def fdk(
    sinograms: npt.ArrayLike,
    angles_rad: npt.ArrayLike,
    beam: ConeBeam,
    *,
    filter: FilterName = "ramp",
    padding: Padding = "edge",
    mask: bool | float = True,
    size_px: int | None = None,
    roi: Roi | tuple[int, int, int, int] | None = None,
    binning: int = 1,
    half_acquisition: bool | None = None,
    device: DeviceKind = "auto",
) -> Float32Array:
    """Reconstruct every slice of a cone-beam scan held in memory.

    Parameters
    ----------
    sinograms : float32 (y, angle, x)
        Line integrals (after minus log), all rows of the detector.
    angles_rad : (angle,)
        In any order: a full circle, or half a turn and the angle of the fan or more.
    beam : ConeBeam
        Where source, axis and detector are.
    filter, padding, mask, size_px, roi, binning, device
        As of ``reconstruct.fbp``; in voxels, which a column of the detector covers on the axis.
        True as mask zeroes what is not seen at every angle.
    half_acquisition : bool, optional
        Merge opposite views or not; None where the axis is a tenth of the width off the middle.

    Returns
    -------
    float32 (y, ny, nx)
        Attenuation in 1/voxel; slice k lies where row k sees the axis.

    Raises
    ------
    UserError
        Values that are not finite, angles in degrees, shapes that do not fit, options out of
        range, no device.

    Notes
    -----
    Feldkamp, Davis and Kress (J. Opt. Soc. Am. A 1, 612, 1984); exact in the source's plane, an
    approximation that grows with the distance from it.
    """
    check_choices(filter=filter, padding=padding, device=device)
    rows = check_stack(sinograms, angles_rad)
    n_rows, _, n_cols = rows.shape
    geometry = make_cone_geometry(
        beam,
        angles_rad,
        n_rows,
        n_cols,
        size_px=size_px,
        roi=roi,
        binning=binning,
        mask=mask,
        half_acquisition=half_acquisition,
    )
    out = np.empty((n_rows, *geometry.slices.shape_px), dtype=np.float32)

    def write(start: int, slices: Float32Array) -> None:
        out[start : start + len(slices)] = slices

    reconstruct_slabs(
        lambda wanted, angles: rows[wanted, angles],
        write,
        (0, n_rows),
        geometry,
        filter=filter,
        padding=padding,
        device=device,
    )
    return out
