"""phoenix and Waygate: a ``.pca`` file beside TIFFs.

Keys as public files have them. ``VoxelSizeX`` is a voxel on the axis in mm, ``PixelsizeX`` the
detector's pixel. What their offsets and turns are measured from, and which way the stage turns, is
not published: they are told of and not taken, and the axis is found from the data in any case.
"""

from collections.abc import Sequence
from pathlib import Path

from tomobatch.beam import VOXEL_TOLERANCE
from tomobatch.scan.cone import FoundCone
from tomobatch.scan.lab_scan import Fields, LabScan

_UM_A_MM = 1e3
_BINNINGS = (1, 2, 4)
# Section, key and the value that means nothing was moved or turned.
_NOT_TAKEN = (
    ("Geometry", "DetectorRot", 0.0),
    ("Geometry", "Tilt", 0.0),
    ("Image", "Rotation", 0.0),
    ("Image", "MirrorX", 0.0),
    ("Image", "MirrorY", 0.0),
)
# What one picture is put together from elsewhere, or several scans are.
_PARTS = (("VSensor", "NumTiles", 1.0), ("Multiscan", "Active", 0.0), ("SectorScan", "Active", 0.0))
_NEAR_MIDDLE_PX = 1.0


def read_pca(path: Path) -> LabScan:
    """Read what the file says.

    Raises
    ------
    UserError
        A value is no number.
    """
    fields = Fields(path)
    size = fields.number("Image", "DimX"), fields.number("Image", "DimY")
    # Other sections count their own pictures under the same key.
    count, sector = (fields.number("CT", key) for key in ("NumberImages", "RotationSector"))
    return LabScan(
        scanner="phoenix",
        path=path,
        cone=_cone(fields),
        size_px=None if not (size[0] and size[1]) else (round(size[0]), round(size[1])),
        folder=path.parent,
        n_projections=None if not count else round(count),
        step_deg=sector / count if sector and count else None,
        tube_kv=fields.number("Xray", "Voltage") or None,
        notes=(*_notes(fields, path), *_centre_note(fields, path, size)),
    )


def _cone(fields: Fields) -> FoundCone:
    source, detector = (fields.number("Geometry", key) or None for key in ("FOD", "FDD"))
    pixel, row_pitch = (
        fields.number("Detector", key) or None for key in ("PixelsizeX", "PixelsizeY")
    )
    voxel = fields.number("Geometry", "VoxelSizeX") or None
    if pixel and voxel and source and detector:
        # Which number stands for which binning is not published; the voxel tells.
        for bins in _BINNINGS:
            if abs(bins * pixel * source / detector / voxel - 1) <= VOXEL_TOLERANCE:
                pixel, row_pitch = bins * pixel, row_pitch and bins * row_pitch
                break
    return FoundCone(
        source_to_axis_mm=source,
        source_to_detector_mm=detector,
        pixel_mm=pixel,
        row_pitch_mm=row_pitch,
        voxel_um=voxel and _UM_A_MM * voxel,
    )


def _notes(fields: Fields, path: Path) -> list[str]:
    """Say what the file tells and is not taken."""
    notes = []
    turned = _unusual(fields, _NOT_TAKEN)
    if turned:
        notes.append(
            f"{path.name} has {', '.join(turned)}, whose signs are not published: not taken;"
            " datasets.cone.roll_deg, tilt_deg and datasets.rotation are what they may mean"
        )
    parts = _unusual(fields, _PARTS)
    if parts:
        notes.append(
            f"{path.name} has {', '.join(parts)}, as for a scan of several parts: each is taken by"
            " itself, and pictures side by side are not joined"
        )
    level = fields.number("Image", "FreeRay")
    if level:
        notes.append(
            f"{path.name} has a free ray of {level:g}; if the pictures are divided by their flats"
            " and that is the grey value of the open beam, give it as datasets.white_level"
        )
    return notes


def _unusual(fields: Fields, usual: Sequence[tuple[str, str, float]]) -> list[str]:
    """Return the keys, with their sections and values, that are not as usual."""
    return [
        f"{section}.{key} {value:g}"
        for section, key, expected in usual
        if (value := fields.number(section, key)) is not None and value != expected
    ]


def _centre_note(fields: Fields, path: Path, size: tuple[float | None, float | None]) -> list[str]:
    """Say that a centre beside the pictures' middle is not taken."""
    centre = fields.number("Geometry", "cx"), fields.number("Geometry", "cy")
    beside = [
        f"{key} {at:g}"
        for key, at, extent in zip(("cx", "cy"), centre, size, strict=True)
        if at is not None and extent and abs(at - (extent - 1) / 2) > _NEAR_MIDDLE_PX
    ]
    if not beside:
        return []
    return [
        f"{path.name} has {', '.join(beside)}, beside the pictures' middle: not taken, as it is not"
        " published what of; datasets.cone.shift_u_px and shift_v_px say where the source's normal"
        " meets the detector"
    ]
