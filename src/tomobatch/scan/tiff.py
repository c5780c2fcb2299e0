"""TIFFs: a folder of pictures, sorted by name, or one file of many pages."""

import re
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from tomobatch.errors import UserError
from tomobatch.scan.angles import to_radians
from tomobatch.scan.header import Frames, ImageKey
from tomobatch.scan.parts import FlatBlock, FoundAngles, ScanParts
from tomobatch.scan.settings import DatasetSettings

_SUFFIXES = (".tif", ".tiff")
_ANGLE_FILES = ("angles.txt", "angles.csv", "angles.npy", "theta.txt")
_WORD = r"(?:^|[^a-z])(?:{})(?:[^a-z]|$)"
_FLAT = re.compile(
    _WORD.format("flats?|flat_?fields?|ff|whites?|open_?beam|ob|i0(?!\\d)|refs?|bright")
)
_DARK = re.compile(_WORD.format("darks?|dark_?fields?|df|di|dc"))
_AFTER = re.compile(_WORD.format("after|post|end"))


class TiffFolder:
    """Pictures of one size, a file each."""

    def __init__(self, name: str, paths: Sequence[Path]) -> None:
        self.name = name
        self._paths = paths
        with _opened(paths[0]) as first:
            shape, self.dtype = first.series[0].shape, first.series[0].dtype
        if len(shape) != 2:
            raise UserError(
                f"{paths[0]}: has shape {shape}; in a folder, each TIFF holds one grey picture"
            )
        self.shape: tuple[int, int, int] = (len(paths), *shape)

    def read(self, start: int, stop: int, rows: slice = slice(None)) -> NDArray[Any]:
        """Read the given rows of pictures ``[start, stop)``."""
        pictures = [self._read_one(path)[rows] for path in self._paths[start:stop]]
        if not pictures:
            return np.empty((0, *self.shape[1:]), self.dtype)[:, rows]
        return np.stack(pictures)

    def _read_one(self, path: Path) -> NDArray[Any]:
        with _opened(path) as file:
            picture: NDArray[Any] = _pages(file, 0, 1)[0]
        if picture.shape != self.shape[1:] or picture.dtype != self.dtype:
            raise UserError(
                f"{path}: {picture.shape} {picture.dtype}, but the first of its folder is"
                f" {self.shape[1:]} {self.dtype}"
            )
        return picture


class TiffPages:
    """Pictures of one file of many pages."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._path = path
        with _opened(path) as file:
            shape, self.dtype = file.series[0].shape, file.series[0].dtype
        if len(shape) == 2:
            shape = (1, *shape)
        if len(shape) != 3:
            raise UserError(f"{path}: has shape {shape}, but pictures come as (n, y, x)")
        self.shape: tuple[int, int, int] = shape

    def read(self, start: int, stop: int, rows: slice = slice(None)) -> NDArray[Any]:
        """Read the given rows of pictures ``[start, stop)``."""
        with _opened(self._path) as file:
            return _pages(file, start, stop)[:, rows]


def is_tiff(path: Path) -> bool:
    """Tell whether a file is a TIFF by its first bytes."""
    with path.open("rb") as file:
        return file.read(4) in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def read_tiff_file(path: Path, datasets: DatasetSettings) -> ScanParts:
    """Find the parts of a scan in one file; flats and darks are files or folders beside it."""
    folder = path.parent
    own = path.stem.lower()
    beside = [
        item
        for item in _tiffs_and_folders(folder)
        if item != path and item.stem.lower().startswith((f"{own}_", f"{own}-", "flat", "dark"))
    ]
    return _parts("multi-page TIFF", folder, _stack(path), beside, datasets)


def read_tiff_folder(folder: Path, datasets: DatasetSettings) -> ScanParts:
    """Find the parts of a scan in a folder: subfolders or names tell flats and darks.

    Raises
    ------
    UserError
        If there are no TIFFs, or several folders that may hold the projections.
    """
    items = _tiffs_and_folders(folder)
    if datasets.projections is not None:
        projections = _given(folder, datasets.projections, "projections")
    else:
        projections = _projections(folder, items)
    return _parts("TIFF folder", folder, projections, items, datasets)


def _projections(folder: Path, items: list[Path]) -> Frames:
    """Take the pictures that are neither flats nor darks, here or in the one other folder."""
    others = [item for item in items if _key(item) is ImageKey.PROJECTION]
    files = [item for item in others if item.is_file()]
    if files:
        return TiffFolder(f"folder {folder.name}", files)
    if len(others) == 1:
        return _stack(others[0])
    if others:
        raise UserError(
            f"{folder}: the projections may be in {' or '.join(item.name for item in others)};"
            " say which with datasets.projections"
        )
    raise UserError(f"{folder}: no TIFFs of projections in this folder")


def _parts(
    format_name: str,
    folder: Path,
    projections: Frames,
    items: list[Path],
    datasets: DatasetSettings,
) -> ScanParts:
    """Sort what lies beside the projections."""
    n_projections = projections.shape[0]
    if datasets.flats is not None:
        flats: tuple[FlatBlock, ...] = (FlatBlock(_given(folder, datasets.flats, "flats"), 0),)
    else:
        found = [item for item in items if _key(item) is ImageKey.FLAT]
        before = [item for item in found if not _AFTER.search(item.stem.lower())]
        after = [item for item in found if _AFTER.search(item.stem.lower())]
        flats = tuple(
            FlatBlock(frames, position)
            for group, position in ((before, 0), (after, n_projections))
            for frames in _group(folder, group)
        )
    if datasets.darks is not None:
        darks: tuple[Frames, ...] = (_given(folder, datasets.darks, "darks"),)
    else:
        darks = _group(folder, [item for item in items if _key(item) is ImageKey.DARK])
    return ScanParts(
        format=format_name,
        projections=projections,
        flats=flats,
        darks=darks,
        angles=_angles(folder, datasets),
    )


def _group(folder: Path, items: list[Path]) -> tuple[Frames, ...]:
    """Make one stack of all single pictures, and one of each folder or file of many pages."""
    files = [item for item in items if item.is_file()]
    stacks = [_stack(item) for item in items if item.is_dir()]
    if len(files) == 1:
        return (*stacks, TiffPages(files[0]))
    return (*stacks, TiffFolder(f"folder {folder.name}", files)) if files else tuple(stacks)


def _key(item: Path) -> ImageKey:
    """Tell what a file or folder holds by its name."""
    name = item.stem.lower() if item.is_file() else item.name.lower()
    if _DARK.search(name):
        return ImageKey.DARK
    return ImageKey.FLAT if _FLAT.search(name) else ImageKey.PROJECTION


def _given(folder: Path, path: str, key: str) -> Frames:
    """Open what the config names, relative to the scan's folder."""
    item = folder / path
    if not item.exists():
        raise UserError(f"{item}: no such file or folder (datasets.{key})")
    return _stack(item)


def _stack(item: Path) -> Frames:
    """Open a folder of pictures, or a file of pages."""
    if item.is_file():
        return TiffPages(item)
    files = _sorted_tiffs(item)
    if not files:
        raise UserError(f"{item}: no TIFFs in this folder")
    return TiffFolder(f"folder {item.name}", files)


def _tiffs_and_folders(folder: Path) -> list[Path]:
    """All TIFFs of a folder, and its subfolders that hold some."""
    folders = sorted(item for item in folder.iterdir() if item.is_dir() and _sorted_tiffs(item))
    return [*folders, *_sorted_tiffs(folder)]


def _sorted_tiffs(folder: Path) -> list[Path]:
    """All TIFFs of a folder, by name, with numbers in their order whatever their width."""
    files = [item for item in folder.iterdir() if item.suffix.lower() in _SUFFIXES]
    return sorted(files, key=lambda item: [
        (int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", item.name)
    ])  # fmt: skip


def _angles(folder: Path, datasets: DatasetSettings) -> FoundAngles | None:
    """Read the angles from the file that the config names, or from one of a usual name."""
    names = _ANGLE_FILES if datasets.angles is None else (datasets.angles,)
    path = next((folder / name for name in names if (folder / name).is_file()), None)
    if path is None:
        if datasets.angles is not None:
            raise UserError(f"{folder / datasets.angles}: no such file (datasets.angles)")
        return None
    try:
        values = np.load(path) if path.suffix == ".npy" else np.loadtxt(path, delimiter=None)
    except ValueError as error:
        raise UserError(f"{path}: not a list of angles, one a line: {error}") from error
    return FoundAngles(
        path.name, to_radians(np.asarray(values, np.float64).reshape(-1), "", str(path))
    )


@contextmanager
def _opened(path: Path) -> Iterator[tifffile.TiffFile]:
    """Open a TIFF, and put whatever fails while it is read in plain words."""
    try:
        with tifffile.TiffFile(path) as file:
            yield file
    except (OSError, ValueError, RuntimeError, LookupError, struct.error) as error:
        raise UserError(f"{path}: cannot be read as TIFF: {error}") from error


def _pages(file: tifffile.TiffFile, start: int, stop: int) -> NDArray[Any]:
    """Read pages ``[start, stop)`` of the first series, (n, y, x)."""
    series = file.series[0]
    shape = series.shape[-2:]
    if series.dataoffset is not None:
        # One run of bytes, though its pages may not be listed (ImageJ beyond 4 GB).
        stored = series.dtype.newbyteorder(file.byteorder)
        whole = file.filehandle.memmap_array(stored, series.shape, series.dataoffset)
        return np.array(whole.reshape(-1, *shape)[start:stop], series.dtype)
    pages = [file.asarray(key=index) for index in range(start, stop)]
    return np.array(pages, series.dtype).reshape(-1, *shape)
