"""Scans as the scanners of laboratories leave them: their files, by the keys of their makers."""

import struct
from pathlib import Path

import numpy as np
import tifffile
from tests.scan.compound_file import write_compound_file

N_ROWS, N_COLS = 6, 10


def pictures(count: int, dtype: str = "u2", top: float = 60_000) -> np.ndarray:
    """Return pictures that change smoothly from one to the next."""
    columns = np.arange(N_COLS) - (N_COLS - 1) / 2
    centre = 2 * np.sin(np.arange(count) * 0.15)
    shadow = np.exp(-(((columns - centre[:, None]) / 2) ** 2))
    rows = 1 - 0.05 * np.arange(N_ROWS)
    seen = top * (1 - 0.8 * shadow[:, None, :] * rows[:, None])
    return (seen if np.dtype(dtype).kind == "f" else np.round(seen)).astype(dtype)


def write_pictures(folder: Path, names: list[str], stack: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in zip(names, stack, strict=True):
        tifffile.imwrite(folder / f"{name}.tif", picture)


def _lines(fields: dict[str, object]) -> str:
    return "".join(f"{key}={value}\n" for key, value in fields.items() if value is not None)


NIKON = {
    "Name": "bone",
    "InputSeparator": "_",
    "InputFolderName": "",
    "VoxelsX": N_COLS,
    "VoxelSizeX": 0.05,
    "DetectorPixelsX": N_COLS,
    "DetectorPixelsY": N_ROWS,
    "DetectorPixelSizeX": 0.2,
    "DetectorPixelSizeY": 0.2,
    "SrcToObject": 100.0,
    "SrcToDetector": 400.0,
    "InitialAngle": 0,
    "AngularStep": 36,
    "Projections": 10,
    "WhiteLevel": 60000,
}


def nikon(
    folder: Path, stack: np.ndarray | None = None, names: list[str] | None = None, **changes: object
) -> Path:
    """Write a folder of TIFFs and the .xtekct beside them; None leaves a key out."""
    stack = pictures(10) if stack is None else stack
    names = [f"bone_{i:04d}" for i in range(1, len(stack) + 1)] if names is None else names
    fields = NIKON | changes
    write_pictures(folder / str(fields["InputFolderName"]).replace("\\", "/"), names, stack)
    text = f"[XTekCT]\n{_lines(fields)}[Xrays]\nXraykV=120\n"
    (folder / "bone.xtekct").write_bytes(b"\xef\xbb\xbf" + text.encode())
    return folder


# The public log of a SkyScan 1172: 7.4 um, binned threefold, seen at 8.559493 um.
SYSTEM = {"Scanner": "Skyscan1172", "Camera Pixel Size (um)": "   7.4", "CameraXYRatio": 1.0}
ACQUISITION = {
    "Filename Prefix": "bone12",
    "Number of Files": " 10",
    "Number of Rows": N_ROWS,
    "Number of Columns": N_COLS,
    "Camera binning": "3x3",
    "Image Rotation": "0.0",
    "Optical Axis (line)": "  2",
    "Object to Source (mm)": 67.11594,
    "Camera to Source (mm)": 174.07267,
    "Image Pixel Size (um)": "   8.559493",
    "Depth (bits)": 16,
    "Rotation Step (deg)": 36.0,
    "Use 360 Rotation": "YES",
    "Random Movement": "OFF (10)",
    "Flat Field Correction": "ON",
    "Rotation Direction": "CC",
    "Source Voltage (kV)": "  70",
}


def skyscan(
    folder: Path,
    stack: np.ndarray | None = None,
    names: list[str] | None = None,
    system: dict[str, object] | None = None,
    **changes: object,
) -> Path:
    """Write a folder of TIFFs and the .log beside them; None leaves a key out."""
    stack = pictures(10) if stack is None else stack
    names = [f"bone12{i:04d}" for i in range(len(stack))] if names is None else names
    write_pictures(folder, names, stack)
    fields = ACQUISITION | changes
    text = f"[System]\n{_lines(SYSTEM | (system or {}))}[Acquisition]\n{_lines(fields)}"
    (folder / "bone12.log").write_bytes(text.encode("cp1252", errors="replace"))
    return folder


def zeiss(path: Path, stack: np.ndarray | None = None, **changes: bytes | None) -> Path:
    """Write a .txrm of a cone beam; two slashes of a stream's name are written ``__``."""
    stack = pictures(10) if stack is None else stack
    kind = {"u2": 5, "f4": 10}[f"{stack.dtype.kind}{stack.dtype.itemsize}"]
    n = len(stack)
    streams: dict[str, bytes | None] = {
        "ImageInfo/NoOfImages": struct.pack("<i", n),
        "ImageInfo/ImageWidth": struct.pack("<i", N_COLS),
        "ImageInfo/ImageHeight": struct.pack("<i", N_ROWS),
        "ImageInfo/DataType": struct.pack("<i", kind),
        "ImageInfo/AcquisitionMode": struct.pack("<i", 0),
        "ImageInfo/XrayGeometry": struct.pack("<i", 1),
        "ImageInfo/Angles": (36.0 * np.arange(n)).astype("<f4").tobytes(),
        "ImageInfo/PixelSize": struct.pack("<f", 25.0),
        "ImageInfo/CamPixelSize": struct.pack("<f", 400.0),
        "ImageInfo/OpticalMagnification": struct.pack("<f", 4.0),
        "ImageInfo/StoRADistance": np.full(n, -100.0, "<f4").tobytes(),
        "ImageInfo/DtoRADistance": np.full(n, 300.0, "<f4").tobytes(),
        "ImageInfo/XrayVoltage": np.full(n, 80.0, "<f4").tobytes(),
        "ReferenceData/DataType": struct.pack("<i", 10),
        "ReferenceData/Image": np.full((N_ROWS, N_COLS), 6e4, "<f4").tobytes(),
    }
    for index, picture in enumerate(stack):
        little = picture.astype(picture.dtype.newbyteorder("<"))
        streams[f"ImageData1/Image{index + 1}"] = little[::-1].tobytes()
    streams |= changes
    write_compound_file(path, {k: v for k, v in streams.items() if v is not None})
    return path


# Keys and figures of a public file of a nanotom: 50 um at 399.999 / 16.6024375 mm is 2.07531 um.
PHOENIX = {
    "Geometry": {
        "FDD": 399.999,
        "FOD": 16.6024375,
        "VoxelSizeX": 0.00207531,
        "VoxelSizeY": 0.00207531,
        "cx": (N_COLS - 1) / 2,
        "cy": (N_ROWS - 1) / 2,
        "DetectorRot": 0.0,
        "Tilt": 0.0,
    },
    "CT": {"NumberImages": 10, "RotationSector": "360.00000000", "NrImgDone": 10},
    "CalibValue": {"NumberImages": 18},
    "Image": {"DimX": N_COLS, "DimY": N_ROWS, "MirrorX": 0, "BitPP": 16},
    "Detector": {"PixelsizeX": 0.05, "PixelsizeY": 0.05, "Binning": 0},
    "VSensor": {"NumTiles": 1},
    "Xray": {"Voltage": 60, "Current": 200},
}


def phoenix(folder: Path, stack: np.ndarray | None = None, **changes: dict[str, object]) -> Path:
    """Write a folder of TIFFs and the .pca beside them; changes are by section."""
    stack = pictures(10) if stack is None else stack
    write_pictures(folder, [f"bone{i:05d}" for i in range(1, len(stack) + 1)], stack)
    sections = {name: PHOENIX.get(name, {}) | changes.get(name, {}) for name in PHOENIX | changes}
    text = "".join(f"[{name}]\n{_lines(fields)}\n" for name, fields in sections.items())
    (folder / "bone.pca").write_text(text)
    return folder
