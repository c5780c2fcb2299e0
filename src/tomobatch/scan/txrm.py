"""Zeiss and Xradia ``.txrm``: streams of one picture each in an OLE container.

Names of streams as the files have them: ``ImageInfo/NoOfImages``, ``ImageData1/Image1`` with a
hundred pictures a folder, ``ReferenceData/Image`` for the flat, which is one picture taken and
averaged by the instrument, with the dark taken off by it, or ``MultiReferenceData/Image1`` and on.
"""

import struct
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import numpy as np
import olefile
from numpy.typing import NDArray

from tomobatch.errors import UserError
from tomobatch.scan.addresses import refuse_second_role, several
from tomobatch.scan.angles import FoundAngles
from tomobatch.scan.header import Frames
from tomobatch.scan.parts import FlatBlock, ScanParts
from tomobatch.scan.picture_files import open_named
from tomobatch.scan.settings import DatasetSettings
from tomobatch.scan.txrm_cone import floats, read_cone
from tomobatch.scan.units import Figure, energy_kev, pixel_um

SUFFIXES = (".txrm", ".xrm", ".txm")
_IMAGES_A_FOLDER = 100
_TYPES: dict[int, np.dtype[Any]] = {5: np.dtype("<u2"), 10: np.dtype("<f4"), 3: np.dtype("u1")}


def is_txrm(path: Path) -> bool:
    """Tell whether a file is one by its name and its first bytes."""
    return path.suffix.lower() in SUFFIXES and olefile.isOleFile(str(path))


class TxrmFrames:
    """Pictures of one file: the projections, or the one flat of the instrument."""

    def __init__(self, path: Path, streams: list[str], what: str) -> None:
        self.name = f"{what} of {path.name}"
        self._path, self._streams = path, streams
        with olefile.OleFileIO(str(path)) as file:
            prefix = streams[0].rpartition("/")[0] if what == "flat" else "ImageInfo"
            width = _integer(path, file, f"{prefix}/ImageWidth", "ImageInfo/ImageWidth")
            height = _integer(path, file, f"{prefix}/ImageHeight", "ImageInfo/ImageHeight")
            kind = _integer(path, file, f"{prefix}/DataType", "ImageInfo/DataType")
        if kind not in _TYPES:
            raise UserError(f"{path}: pictures of the type {kind} are not known")
        self.dtype: np.dtype[Any] = _TYPES[kind]
        self.shape: tuple[int, int, int] = (len(streams), height, width)

    def read(self, start: int, stop: int, rows: slice = slice(None)) -> NDArray[Any]:
        """Read the given rows of pictures ``[start, stop)``."""
        pictures = np.empty((stop - start, *self.shape[1:]), self.dtype)
        with olefile.OleFileIO(str(self._path)) as file:
            for index, stream in enumerate(self._streams[start:stop]):
                data = _stream(self._path, file, stream)
                if len(data) < pictures[index].nbytes:
                    raise UserError(f"{self._path}: {stream} is truncated")
                numbers = np.frombuffer(data, self.dtype, pictures[index].size)
                # The rows of these files count from the bottom.
                pictures[index] = numbers.reshape(self.shape[1:])[::-1]
        return pictures[:, rows]

    def sources(self) -> list[Hashable]:
        """Say what each picture is: its stream."""
        return [(self._path.resolve(), stream) for stream in self._streams]


def read_txrm(path: Path, datasets: DatasetSettings) -> ScanParts:
    """Find the parts of a scan; flats and darks can be given as files beside it.

    Raises
    ------
    UserError
        If the file lacks what makes a scan.
    """
    with olefile.OleFileIO(str(path)) as file:
        _refuse_volumes(path, file)
        n_stated = _integer(path, file, "ImageInfo/NoOfImages", "ImageInfo/ImagesTaken")
        streams = [
            f"ImageData{index // _IMAGES_A_FOLDER + 1}/Image{index + 1}"
            for index in range(n_stated)
        ]
        there = np.array([file.exists(stream) for stream in streams], bool)
        angles = floats(file, "ImageInfo/Angles")
        own_flats = _flats_in(file)
        pixel = floats(file, "ImageInfo/PixelSize")
        energy = floats(file, "ImageInfo/Energy")
        voltages = floats(file, "ImageInfo/XrayVoltage")
        beam, cone, notes = read_cone(file, np.flatnonzero(there))
    if not there.any():
        raise UserError(f"{path}: holds no pictures")
    if not there.all():
        n_lost = np.count_nonzero(~there)
        notes = (*notes, f"{n_lost} of {n_stated} projections were never written")
    pictures = [stream for stream, is_there in zip(streams, there, strict=True) if is_there]
    projections = TxrmFrames(path, pictures, "projections")
    flats: list[Frames] = [TxrmFrames(path, own_flats, "flat")] if own_flats else []
    if datasets.flats is not None:
        flats = [open_named(path.parent, text, "flats") for text in several(datasets.flats)]
    darks = [open_named(path.parent, text, "darks") for text in several(datasets.darks or [])]
    refuse_second_role(projections, {"flats": flats, "darks": darks})
    return ScanParts(
        format="Zeiss TXRM",
        projections=projections,
        flats=tuple(FlatBlock(frames, 0) for frames in flats),
        darks=tuple(darks),
        angles=_angles_of(angles, there),
        pixel_size=pixel_um(float(pixel[0]), "um", "um") if len(pixel) else Figure(),
        energy=energy_kev(float(energy[0]), "keV") if len(energy) and energy[0] > 0 else Figure(),
        beam=beam,
        cone=cone,
        tube_kv=float(np.median(voltages[voltages > 0])) if (voltages > 0).any() else None,
        notes=notes,
    )


def _refuse_volumes(path: Path, file: olefile.OleFileIO) -> None:
    """Refuse a file of slices that are reconstructed already."""
    mode = "ImageInfo/AcquisitionMode"
    if file.exists(mode) and _integer(path, file, mode) != 0:
        raise UserError(
            f"{path}: holds a volume, not projections (ImageInfo/AcquisitionMode); give the .txrm"
            " file of the scan"
        )


def _flats_in(file: olefile.OleFileIO) -> list[str]:
    """Return the streams of the flats that the instrument has taken, one or several."""
    if file.exists("ReferenceData/Image"):
        return ["ReferenceData/Image"]
    several_flats: list[str] = []
    while file.exists(name := f"MultiReferenceData/Image{len(several_flats) + 1}"):
        several_flats.append(name)
    return several_flats


def _angles_of(degrees: NDArray[np.float64], there: NDArray[np.bool_]) -> FoundAngles | None:
    """Return the angles of the pictures that are there; None without any."""
    if len(degrees) == 0:
        return None
    if len(degrees) >= len(there):
        degrees = degrees[: len(there)][there]
    return FoundAngles("ImageInfo/Angles", np.deg2rad(degrees))


def _stream(path: Path, file: olefile.OleFileIO, name: str) -> bytes:
    try:
        with file.openstream(name) as stream:
            return bytes(stream.read())
    except OSError as error:
        raise UserError(f"{path}: {name} cannot be read: {error}") from error


def _integer(path: Path, file: olefile.OleFileIO, *names: str) -> int:
    """Read the first of the streams that is there, as a whole number."""
    for name in names:
        if file.exists(name):
            return int(struct.unpack("<i", _stream(path, file, name)[:4])[0])
    raise UserError(f"{path}: lacks {names[0]}")
