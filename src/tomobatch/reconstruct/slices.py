"""The public call: slices from sinograms held in memory, by filtered back-projection."""

from typing import Any

import numpy as np
import numpy.typing as npt

from tomobatch.arrays import Float32Array
from tomobatch.errors import UserError
from tomobatch.opencl.kind import DeviceKind
from tomobatch.reconstruct.filter import check_rows
from tomobatch.reconstruct.geometry import Roi, default_cor_px, make_geometry
from tomobatch.reconstruct.in_memory import check_choices, check_stack
from tomobatch.reconstruct.settings import FbpName, FilterName, Padding, ReconstructSettings
from tomobatch.reconstruct.shelf import Shelf
from tomobatch.reconstruct.stream import reconstruct_blocks
from tomobatch.reconstruct.timeline import Timeline

_KEPT = Shelf()


def fbp(
    sinograms: npt.ArrayLike,
    angles_rad: npt.ArrayLike,
    cor_px: npt.ArrayLike | None = None,
    *,
    method: FbpName = "auto",
    filter: FilterName = "ramp",
    padding: Padding = "edge",
    mask: bool | float = True,
    size_px: int | None = None,
    roi: Roi | tuple[int, int, int, int] | None = None,
    binning: int = 1,
    half_acquisition: bool = False,
    device: DeviceKind = "auto",
    out: Float32Array | None = None,
) -> Float32Array:
    """Reconstruct slices from sinograms by filtered back-projection.

    A point (x, y) of a slice, measured from its centre, projects to column
    ``x cos(theta) + y sin(theta) + cor``; x grows with the slice's column, y with its row.

    Parameters
    ----------
    sinograms : float32 (y, angle, x)
        Line integrals (after minus log); one (angle, x) sinogram is taken as one row.
    angles_rad : (angle,)
        In any order, uniform or not, over half a turn or a full one, some may be missing.
    cor_px : float or (y,), optional
        Centre of rotation in columns, the first column's centre at 0; one value or one a row.
        Default: the detector's centre, (n - 1) / 2.
    method : str
        As in config.yaml; ``auto`` takes the faster one.
    filter : {"ramp", "shepp-logan", "cosine", "hamming", "hann"}
        Window on the ramp; ``ramp`` is none.
    padding : {"edge", "zero"}
        What is assumed outside the detector. ``edge`` repeats the outermost columns, which keeps
        the grey values of an object wider than the detector flat (but shifted by a constant).
    mask : bool or float
        True zeroes what lies outside the inscribed circle, a number what lies further from the
        centre than that many pixels, False nothing.
    size_px : int, optional
        Columns and rows N of the whole slice, by default those of the detector.
    roi : (x0, y0, nx, ny), optional
        Part of the slice to reconstruct.
    binning : int
        Pixels of the output are the mean of ``binning`` x ``binning`` pixels.
    half_acquisition : bool
        Merge a full turn about an axis near the detector's edge into a view of up to nearly twice
        its width.
    device : {"auto", "gpu", "cpu"}
        Asked for a GPU, it never falls back to the CPU.
    out : float32 (y, ny, nx), optional
        Where the slices go, C-contiguous; what it held is lost. Fresh memory takes about a tenth as
        long as the slices.

    Returns
    -------
    float32 (y, ny, nx)
        Attenuation in 1/pixel; (y, N, N) without ROI and binning. It is `out` where that is given.

    Raises
    ------
    UserError
        Values that are not finite, angles in degrees, shapes that do not fit, options out of
        range, no device.

    Notes
    -----
    Real-space ramp of Kak and Slaney (1988), rows padded to at least twice their length.

    Tables and buffers stay for the next call of the same shape, angles and options, some times the
    memory of a block of slices; `tomobatch.release_memory` gives it back, and so does a call of
    another shape.
    """
    check_choices(method=method, filter=filter, padding=padding, device=device)
    shape = {
        "size_px": size_px,
        "roi": roi,
        "binning": binning,
        "mask": mask,
        "half_acquisition": half_acquisition,
    }
    chosen = ReconstructSettings(method=method, filter=filter, padding=padding, device=device)
    return reconstruct_stack(sinograms, angles_rad, cor_px, shape, chosen, out, _KEPT)[0]


def release_memory() -> None:
    """Give back what `fbp` keeps of its last call for the next one."""
    _KEPT.clear()


def reconstruct_stack(
    sinograms: npt.ArrayLike,
    angles_rad: npt.ArrayLike,
    cor_px: npt.ArrayLike | None,
    shape: dict[str, Any],
    chosen: ReconstructSettings,
    out: Float32Array | None = None,
    shelf: Shelf | None = None,
) -> tuple[Float32Array, Timeline]:
    """Return the slices of sinograms in memory, and how the time was spent.

    ``shape`` holds what ``make_geometry`` takes by name; of the settings the rest counts.

    Raises
    ------
    UserError
        As ``fbp``.
    """
    rows = np.asarray(sinograms, dtype=np.float32)
    rows = check_stack(rows[None] if rows.ndim == 2 else rows, angles_rad)
    n_rows, _, n_cols = rows.shape
    cor = default_cor_px(n_cols) if cor_px is None else cor_px
    cors = np.asarray(cor, dtype=np.float64)
    cors = np.full(n_rows, float(cors)) if cors.ndim == 0 else cors
    check_rows(rows, cors)
    geometry = make_geometry(angles_rad, n_cols, cor_px=cors, **shape)
    expected = (n_rows, *geometry.shape_px)
    if out is None:
        out = np.empty(expected, dtype=np.float32)
    elif out.shape != expected or out.dtype != np.float32 or not out.flags.c_contiguous:
        raise UserError(
            f"out: {out.dtype} {out.shape} is not a C-contiguous float32 array {expected}"
        )
    timeline = reconstruct_blocks(
        lambda start, stop: rows[start:stop],
        lambda start, slices: None,
        n_rows,
        geometry,
        cors,
        chosen,
        out=out,
        shelf=shelf,
    )
    return out, timeline
