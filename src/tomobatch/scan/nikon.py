"""Nikon and X-Tek: an ``.xtekct`` file beside TIFFs that are divided by their flats.

Keys as the files have them. What their signs mean is not published; they are taken as by CIL's
reader, by which columns count to the left as seen from the source and the sample turns
counter-clockwise: in the frame of these pictures that is a clockwise turn, and an axis with a
positive offset is seen at higher columns. ``*.ang`` and ``_ctdata.txt`` are not read, as CIL finds
them wrong.
"""

import math
from collections.abc import Callable
from pathlib import Path

from tomobatch.scan.cone import FoundCone
from tomobatch.scan.lab_scan import Fields, LabScan

_SECTION = "XTekCT"
_Number = Callable[..., float | None]
# A volume of other voxels than the scan's own is as wide as the detector sees, to so much.
_SAME_WIDTH = 0.02
_SAME_VOXEL = 2e-3


def read_xtekct(path: Path) -> LabScan:
    """Read what the file says.

    Raises
    ------
    UserError
        A value is no number.
    """
    fields = Fields(path)

    def number(*keys: str) -> float | None:
        return fields.number(_SECTION, *keys)

    separator = fields.text(_SECTION, "InputSeparator")
    name = fields.text(_SECTION, "Name")
    step, count = number("AngularStep"), number("Projections")
    size = number("RegionPixelsX", "DetectorPixelsX"), number("RegionPixelsY", "DetectorPixelsY")
    return LabScan(
        scanner="Nikon",
        path=path,
        cone=_cone(number),
        size_px=None if not (size[0] and size[1]) else (round(size[0]), round(size[1])),
        folder=_folder(path, fields.text(_SECTION, "InputFolderName")),
        prefix=f"{name}{separator or '_'}" if name else "",
        first_number=1,
        n_projections=None if not count else round(count),
        first_deg=number("InitialAngle") or 0.0,
        step_deg=step,
        white_level=number("WhiteLevel") or None,
        tube_kv=fields.number("Xrays", "XraykV") or None,
        rotation="counter-clockwise",
        notes=_not_applied(path, number),
    )


def _not_applied(path: Path, number: _Number) -> tuple[str, ...]:
    """Say what the maker's software would correct by this file, and how to do it here."""
    notes = []
    coefficients = [number(f"CoefX{power}") for power in range(5)]
    given = [0.0 if one is None else one for one in coefficients]
    while given and given[-1] == 0:
        given.pop()
    if given and given != [0.0, 1.0]:
        scale = number("Scale") or 1.0
        constant, *powers = given
        told = ", ".join(f"CoefX{power} {one:g}" for power, one in enumerate(given) if one)
        ours = ", ".join(f"{scale * one:g}" for one in powers)
        notes.append(
            f"{path.name} has the maker's polynomial against beam hardening ({told},"
            f" Scale {scale:g}): not applied; tube.hardening: polynomial with tube.coefficients:"
            f" [{ours}] does" + (", but for the constant" if constant else "")
        )
    scattering = number("Scattering")
    if scattering:
        notes.append(
            f"{path.name} has Scattering {scattering:g}, whose unit is not published: not applied;"
            " tube.scatter takes scattered light off"
        )
    return tuple(notes)


def _folder(path: Path, named: str) -> Path:
    """Return where the pictures are: the folder that the file names, if it is there."""
    folder = path.parent / named.replace("\\", "/").strip("/")
    return folder if named and folder.is_dir() else path.parent


def _cone(number: _Number) -> FoundCone:
    source, detector = number("SrcToObject") or None, number("SrcToDetector") or None
    pixel, row_pitch = number("DetectorPixelSizeX") or None, number("DetectorPixelSizeY") or None
    found = FoundCone(source, detector, pixel, row_pitch, is_mirrored=True)
    if found.demagnified_um is None or pixel is None or detector is None or source is None:
        return found
    row_pitch = row_pitch or pixel
    n_cols, n_rows = number("DetectorPixelsX") or 0.0, number("DetectorPixelsY") or 0.0
    tilt_rad = math.radians(number("ObjectTilt") or 0.0)
    top, bottom = number("CentreOfRotationTop") or 0.0, number("CentreOfRotationBottom") or 0.0
    offset, roll = number("ObjectOffsetX"), number("ObjectRoll")
    if offset is None:
        offset = (top + bottom) / 2 * source / detector
    if roll is None and n_rows:
        roll = -math.degrees(math.atan((top - bottom) / (n_rows * row_pitch)))
    across = _beside(number, "X", n_cols) - (number("DetectorOffsetX") or 0.0) / pixel
    along = _beside(number, "Y", n_rows) - (number("DetectorOffsetY") or 0.0) / row_pitch
    return FoundCone(
        source_to_axis_mm=source,
        source_to_detector_mm=detector,
        pixel_mm=pixel,
        row_pitch_mm=row_pitch,
        voxel_um=_voxel_um(number, found.demagnified_um, n_cols),
        shift_u_px=across,
        # An axis that leans away from the source is upright to a source that looks upwards.
        shift_v_px=along + detector * math.tan(tilt_rad) / row_pitch,
        axis_shift_px=offset * detector / source / pixel,
        roll_deg=roll or 0.0,
        tilt_deg=math.degrees(tilt_rad),
        is_mirrored=True,
    )


def _beside(number: _Number, which: str, n_pixels: float) -> float:
    """Return how far the panel's middle is from that of the region used, in pixels."""
    start, extent = number(f"RegionStart{which}"), number(f"RegionPixels{which}")
    if start is None or not extent or not n_pixels:
        return 0.0
    return float((n_pixels - 1) / 2 - (start + (extent - 1) / 2))


def _voxel_um(number: _Number, own_um: float, n_cols: float) -> float | None:
    """Return the voxel that the file states, unless it is that of a coarser volume of this width.

    The maker's software may be told to make fewer and larger voxels of the same scan.
    """
    voxel_mm, n_voxels = number("VoxelSizeX"), number("VoxelsX")
    if not voxel_mm:
        return None
    stated_um = 1e3 * voxel_mm
    if n_voxels and n_cols and abs(stated_um / own_um - 1) > _SAME_VOXEL:
        same_width = stated_um * n_voxels / (own_um * n_cols)
        if abs(same_width - 1) < _SAME_WIDTH:
            return None
    return float(stated_um)
