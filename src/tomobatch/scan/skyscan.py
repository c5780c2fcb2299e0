"""Bruker and SkyScan: a ``.log`` file beside TIFFs.

Keys as the files of several models have them. "Image Pixel Size" is a voxel on the axis; the
camera's pixel is stated before its binning. From which end the line of the optical axis counts and
which way a shift of the random movement goes is not published: the first row, and as by TIGRE.
"""

import re
from pathlib import Path

import numpy as np

from tomobatch.beam import VOXEL_TOLERANCE
from tomobatch.errors import UserError
from tomobatch.orientation import Rotation
from tomobatch.scan.cone import FoundCone
from tomobatch.scan.lab_scan import Fields, LabScan

_TAKEN = "Acquisition"
_UM_A_MM = 1e3
# Off the middle, in rows: less changes nothing that can be seen.
_NOTED_ROWS = 1.0
_ROTATIONS: dict[str, Rotation] = {"CC": "counter-clockwise", "CW": "clockwise"}


def is_skyscan_log(path: Path) -> bool:
    """Whether a log is one of a scan: other programs leave logs as well."""
    fields = Fields(path)
    return bool(fields.text(_TAKEN, "Object to Source (mm)")) or bool(
        fields.text("System", "Object to Source (mm)")
    )


def read_skyscan_log(path: Path) -> LabScan:
    """Read what the file says.

    Raises
    ------
    UserError
        A value is no number, or the pictures are slices already.
    """
    fields = Fields(path)
    prefix = fields.text(_TAKEN, "Filename Prefix")
    n_cols, n_rows = (fields.number(_TAKEN, f"Number of {of}") for of in ("Columns", "Rows"))
    step, count = (fields.number(_TAKEN, key) for key in ("Rotation Step (deg)", "Number of Files"))
    cone, notes = _cone(path, fields, n_cols, n_rows)
    corrected = fields.text(_TAKEN, "Flat Field Correction").upper().startswith("ON")
    reference, depth = (
        fields.number(_TAKEN, key) for key in ("Reference Intensity", "Depth (bits)")
    )
    rotation = fields.text(_TAKEN, "Rotation Direction").upper()
    if reference is None and depth is not None:
        reference = 2.0**depth - 1
    return LabScan(
        scanner="SkyScan",
        path=path,
        cone=cone,
        size_px=None if not (n_cols and n_rows) else (round(n_cols), round(n_rows)),
        folder=path.parent,
        prefix=prefix,
        first_number=0,
        n_projections=None if not count else round(count),
        first_deg=fields.number(_TAKEN, "Scanning Start Angle") or 0.0,
        step_deg=step,
        may_end_twice=not fields.text(_TAKEN, "Use 360 Rotation").upper().startswith("YES"),
        white_level=reference if corrected else None,
        full_scale=corrected and reference is None,
        tube_kv=fields.number(_TAKEN, "Source Voltage (kV)") or None,
        rotation=_ROTATIONS.get(rotation[:2]),
        notes=(*notes, *_parts_note(fields, path)),
    )


def _cone(
    path: Path, fields: Fields, n_cols: float | None, n_rows: float | None
) -> tuple[FoundCone, list[str]]:
    """Return the cone, and what of it is not certain."""
    source = fields.number(_TAKEN, "Object to Source (mm)")
    if source is None:
        source = fields.number("System", "Object to Source (mm)")
    detector = fields.number(_TAKEN, "Camera to Source (mm)")
    camera_um = fields.number("System", "Camera Pixel Size (um)")
    voxel_um = fields.number(_TAKEN, "Image Pixel Size (um)", "Pixel Size (um)")
    if detector is None and source and camera_um and voxel_um:
        detector = source * camera_um / voxel_um
    pixel_mm, row_mm = _pixels_mm(fields, camera_um, voxel_um, source, detector)
    notes = []
    shift_v_px, line = 0.0, fields.number(_TAKEN, "Optical Axis (line)")
    if line is not None and n_rows:
        shift_v_px = line - (n_rows - 1) / 2
        if abs(shift_v_px) > _NOTED_ROWS:
            notes.append(
                f"the source's row is {line:g} by {path.name}, which does not say from which end"
                " it counts: the first row is taken; datasets.cone.shift_v_px overrides"
            )
    drift = _movement(path, fields)
    return FoundCone(
        source_to_axis_mm=source or None,
        source_to_detector_mm=detector or None,
        pixel_mm=pixel_mm,
        row_pitch_mm=row_mm,
        voxel_um=voxel_um or None,
        shift_v_px=shift_v_px,
        roll_deg=fields.number(_TAKEN, "Image Rotation") or 0.0,
        drift_px=drift,
    ), notes


def _pixels_mm(
    fields: Fields,
    camera_um: float | None,
    voxel_um: float | None,
    source: float | None,
    detector: float | None,
) -> tuple[float | None, float | None]:
    """Return the pitch of columns and rows, the camera's times its binning.

    Some cameras state their pixel with the binning: the one of both that makes the voxel which the
    file states is taken.
    """
    if not camera_um:
        return None, None
    across, along = _binning(fields.text(_TAKEN, "Camera binning"))
    if voxel_um and source and detector:
        with_binning = camera_um * source / detector / voxel_um
        is_binned = abs(with_binning - 1) <= VOXEL_TOLERANCE
        across, along = (1, 1) if is_binned else (across, along)
    ratio = fields.number("System", "Camera X/Y Ratio", "CameraXYRatio") or 1.0
    return camera_um * across / _UM_A_MM, camera_um * along / ratio / _UM_A_MM


def _binning(text: str) -> tuple[int, int]:
    match = re.match(r"(\d+)\s*x\s*(\d+)", text.lower())
    return (1, 1) if match is None else (int(match[1]) or 1, int(match[2]) or 1)


def _movement(path: Path, fields: Fields) -> tuple[tuple[float, float], ...]:
    """Return the shifts of the random movement, (u, v) a picture; none without their file.

    Raises
    ------
    UserError
        The file has no lines of a number and two shifts.
    """
    table = path.with_name(f"{path.stem}_TS.csv")
    if not table.is_file() or not fields.text(_TAKEN, "Random Movement").upper().startswith("ON"):
        return ()
    shifts = []
    for line in table.read_text(errors="replace").splitlines():
        cells = [cell.strip() for cell in line.split(",")]
        try:
            _, across, along = (float(cell) for cell in cells[:3])
        except ValueError:
            continue
        shifts.append((-across, -along))
    if not shifts:
        raise UserError(f"{table}: holds no lines of a picture's number and its two shifts")
    bins = np.array(_binning(fields.text(_TAKEN, "Camera binning")))
    return tuple((float(u), float(v)) for u, v in np.array(shifts) / bins)


def _parts_note(fields: Fields, path: Path) -> list[str]:
    """Say what of a scan of several parts is not there."""
    notes = []
    n_parts = fields.number(_TAKEN, "Number of connected scans") or 1
    if n_parts > 1:
        part = fields.number(_TAKEN, "Current scan number")
        notes.append(
            f"{path.name} is part {part or 0:g} of {n_parts:g} of an oversize scan: each part is"
            " reconstructed by itself"
        )
    if (fields.number(_TAKEN, "Number Of Horizontal Offset Positions") or 1) > 1:
        notes.append(
            f"{path.name} says that the camera was moved sideways: pictures of several positions"
            " are not joined unless the scanner has done it"
        )
    return notes
