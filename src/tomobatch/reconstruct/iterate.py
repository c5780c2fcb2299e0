"""The public call: slices from sinograms held in memory, by iteration."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from tomobatch.arrays import Float32Array
from tomobatch.beam import ConeBeam
from tomobatch.errors import UserError
from tomobatch.opencl.kind import DeviceKind
from tomobatch.reconstruct.cone.geometry import make_cone_geometry
from tomobatch.reconstruct.cone.iterate import iterate_volume
from tomobatch.reconstruct.engine import Convergence
from tomobatch.reconstruct.geometry import Roi
from tomobatch.reconstruct.in_memory import check_stack
from tomobatch.reconstruct.settings import IterativeName, ReconstructSettings, Start
from tomobatch.reconstruct.slices import reconstruct_stack


@dataclass(frozen=True, eq=False)
class Iterated:
    """Slices, and how their iterations went.

    Attributes
    ----------
    slices : float32 (y, ny, nx)
        Attenuation in 1/pixel.
    convergence
        Of blocks of slices, in the order of their rows.
    """

    slices: Float32Array
    convergence: list[Convergence]


def iterate(
    sinograms: npt.ArrayLike,
    angles_rad: npt.ArrayLike,
    cor_px: npt.ArrayLike | None = None,
    *,
    beam: ConeBeam | None = None,
    method: IterativeName = "sirt",
    iterations: int | Literal["auto"] = "auto",
    residual: float | Literal["none", "noise"] = "none",
    non_negative: bool = False,
    start: Start = "zero",
    tv_strength: float = 1.0,
    mask: bool | float = True,
    size_px: int | None = None,
    roi: Roi | tuple[int, int, int, int] | None = None,
    binning: int = 1,
    half_acquisition: bool | None = None,
    device: DeviceKind = "auto",
) -> Iterated:
    """Reconstruct slices from few or noisy sinograms by iteration.

    Geometry, arguments and errors are those of ``fbp``, and ``method`` to ``tv_strength`` those of
    the section ``reconstruct`` of config.yaml. What lies beyond the detector's edge is left open; a
    region is cut from the whole slice, which is what iterations work on.

    With a cone as ``beam``, which has its axis in itself, they are those of ``cone.fdk``: all rows
    of the detector are given, and the whole volume is iterated on at once.

    Returns
    -------
    Iterated
        The slices, and how their iterations went.

    Raises
    ------
    UserError
        As ``fbp``, and for options of the iterations that are out of range.
    """
    try:
        chosen = ReconstructSettings(
            method=method,
            iterations=iterations,
            residual=residual,
            non_negative=non_negative,
            start=start,
            tv_strength=tv_strength,
            device=device,
        )
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"][:1]) or "iterate"
        raise UserError(f"{key}: {first['msg']}") from None
    if not chosen.iterates:
        raise UserError(f"method: '{method}' does not iterate; sirt, cgls and tv do")
    shape: dict[str, Any] = {"size_px": size_px, "roi": roi, "binning": binning, "mask": mask}
    if beam is not None:
        if cor_px is not None:
            raise UserError("cor_px: a cone beam has its axis in beam: beam.with_axis(cor_px, n)")
        shape["half_acquisition"] = half_acquisition
        return _of_cone(sinograms, angles_rad, beam, shape, chosen)
    shape["half_acquisition"] = bool(half_acquisition)
    slices, timeline = reconstruct_stack(sinograms, angles_rad, cor_px, shape, chosen)
    return Iterated(slices, timeline.convergence)


def _of_cone(
    sinograms: npt.ArrayLike,
    angles_rad: npt.ArrayLike,
    beam: ConeBeam,
    shape: dict[str, Any],
    chosen: ReconstructSettings,
) -> Iterated:
    rows = check_stack(sinograms, angles_rad)
    n_rows, _, n_cols = rows.shape
    geometry = make_cone_geometry(beam, angles_rad, n_rows, n_cols, **shape)
    out = np.empty((n_rows, *geometry.slices.shape_px), dtype=np.float32)

    def read(wanted: slice, angles: slice) -> Float32Array:
        return rows[wanted, angles]

    def write(start: int, slices: Float32Array) -> None:
        out[start : start + len(slices)] = slices

    timeline = iterate_volume(read, write, (0, n_rows), geometry, chosen)
    return Iterated(out, timeline.convergence)
