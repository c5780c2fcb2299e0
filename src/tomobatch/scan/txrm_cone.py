"""What a Zeiss or Xradia file says of its beam.

``ImageInfo/PixelSize`` is a voxel on the axis. The optics magnify behind the scintillator, so the
camera's pixel over their magnification is that of the detector: both must agree.
"""

import numpy as np
import olefile
from numpy.typing import NDArray

from tomobatch.scan.beam_geometry import BeamGeometry
from tomobatch.scan.cone import FoundCone

_UM_A_MM = 1e3
_CONE = 1
_BINNINGS, _SAME = (2, 4, 8), 2e-3


def read_cone(
    file: olefile.OleFileIO, there: NDArray[np.int64]
) -> tuple[BeamGeometry, FoundCone | None, tuple[str, ...]]:
    """Return the distances, the cone and what is to be said of it.

    Parameters
    ----------
    file
        An open file.
    there
        Numbers of the pictures that it holds, of all that were planned.

    Returns
    -------
    The distances of the axis, without their sign, which varies; the cone, or None where the file
    knows no source or its beam is made parallel by a condenser; and notes.
    """
    source, behind = (
        _median_mm(floats(file, f"ImageInfo/{name}")) for name in ("StoRADistance", "DtoRADistance")
    )
    if source is None or file.exists("ConfigZonePlates"):
        # A source at infinity is stored as none.
        return BeamGeometry(), None, ()
    detector = None if behind is None else source + behind
    voxel = floats(file, "ImageInfo/PixelSize")
    voxel_um = float(voxel[0]) if len(voxel) and voxel[0] > 0 else None
    camera = floats(file, "DetAssemblyInfo/CamPixelSize", "ImageInfo/CamPixelSize")
    optics = floats(file, "ImageInfo/OpticalMagnification", "DetAssemblyInfo/OpticalMagnification")
    pixel_mm, notes = None, []
    if len(camera) and len(optics) and camera[0] > 0 and optics[0] > 0:
        pixel_um = float(camera[0] / optics[0])
        pixel_um, binning = _with_binning(pixel_um, voxel_um, source, detector)
        pixel_mm = pixel_um / _UM_A_MM
        if binning > 1:
            notes.append(f"the camera's pixels are taken as binned by {binning}")
    geometry = _integers(file, "ImageInfo/XrayGeometry")
    kind = "cone beam" if len(geometry) and geometry[0] == _CONE else ""
    centre = floats(file, "AutoRecon/CenterShift", "ReconSettings/CenterShift")
    cone = FoundCone(
        source_to_axis_mm=source,
        source_to_detector_mm=detector,
        pixel_mm=pixel_mm,
        voxel_um=voxel_um,
        axis_shift_px=float(centre[0]) if len(centre) and np.isfinite(centre[0]) else 0.0,
        drift_px=_shifts(file, there),
    )
    return BeamGeometry(source, behind, kind=kind), cone, tuple(notes)


def floats(file: olefile.OleFileIO, *names: str) -> NDArray[np.float64]:
    """Read the first of the streams that is there as real numbers; none without."""
    return _numbers(file, "<f4", *names).astype(np.float64)


def _integers(file: olefile.OleFileIO, *names: str) -> NDArray[np.int32]:
    return _numbers(file, "<i4", *names).astype(np.int32)


def _numbers(file: olefile.OleFileIO, kind: str, *names: str) -> NDArray[np.generic]:
    for name in names:
        if file.exists(name):
            with file.openstream(name) as stream:
                data = stream.read()
            return np.frombuffer(data[: len(data) // 4 * 4], kind)
    return np.empty(0, kind)


def _median_mm(lengths: NDArray[np.float64]) -> float | None:
    """Return the typical length of those stated for every picture; None if there is none."""
    stated = np.abs(lengths[np.isfinite(lengths) & (lengths != 0)])
    return float(np.median(stated)) if len(stated) else None


def _with_binning(
    pixel_um: float, voxel_um: float | None, source: float, detector: float | None
) -> tuple[float, int]:
    """Return the pixel that makes the voxel, joined by a usual binning if that does; and that."""
    if voxel_um is None or detector is None:
        return pixel_um, 1
    for binning in _BINNINGS:
        if abs(binning * pixel_um * source / detector / voxel_um - 1) <= _SAME:
            return binning * pixel_um, binning
    return pixel_um, 1


def _shifts(file: olefile.OleFileIO, there: NDArray[np.int64]) -> tuple[tuple[float, float], ...]:
    """Return how the principal point moves: pictures are to be shifted the other way.

    Rows of these files count from the bottom, and are turned as they are read.
    """
    across, along = (floats(file, f"Alignment/{name}") for name in ("X-Shifts", "Y-Shifts"))
    if len(there) == 0 or min(len(across), len(along)) <= there.max():
        return ()
    shifts = np.stack([-across[there], along[there]], axis=1)
    if not np.isfinite(shifts).all() or not shifts.any():
        return ()
    return tuple((float(u), float(v)) for u, v in shifts)
