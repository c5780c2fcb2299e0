"""Which files of a folder are pictures, and which of them the config means."""

import re
from collections.abc import Sequence
from pathlib import Path

from tomobatch.errors import UserError
from tomobatch.scan import raw_pictures
from tomobatch.scan.addresses import Address, cut_frames, open_beside, parse
from tomobatch.scan.header import Frames
from tomobatch.scan.names import sort_series
from tomobatch.scan.tiff_frames import PictureFiles, TiffPages

SUFFIXES = (".tif", ".tiff", *raw_pictures.SUFFIXES)
_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")


def pictures_of(folder: Path) -> list[Path]:
    """All pictures of a folder; hidden files, such as the ``._`` ones of macOS, are none."""
    return sorted(
        item
        for item in folder.iterdir()
        if item.suffix.lower() in SUFFIXES and not item.name.startswith(".") and item.is_file()
    )


def n_hidden(folder: Path) -> int:
    """Count the files of a folder that are named like pictures, but hidden."""
    return sum(
        item.suffix.lower() in SUFFIXES and item.name.startswith(".") for item in folder.iterdir()
    )


def folders_of(folder: Path) -> list[Path]:
    """All subfolders that hold pictures."""
    return sorted(
        item
        for item in folder.iterdir()
        if item.is_dir() and not item.name.startswith(".") and pictures_of(item)
    )


def open_stack(item: Path) -> PictureFiles | TiffPages:
    """Open a folder of pictures, or a file of pages."""
    if item.is_file():
        return _open_file(item)
    files = pictures_of(item)
    if not files:
        raise UserError(f"{item}: no pictures in this folder")
    return open_files(f"folder {item.name}", files)


def open_files(name: str, files: Sequence[Path]) -> PictureFiles | TiffPages:
    """Open pictures that are all of one role, in the order of the numbers in their names."""
    if len(files) == 1:
        return _open_file(files[0])
    ordered = [path for series in sort_series(files) for path in series.paths]
    return PictureFiles(name, ordered)


def _open_file(path: Path) -> PictureFiles | TiffPages:
    if path.suffix.lower() in raw_pictures.SUFFIXES:
        return PictureFiles(path.name, [path])
    return TiffPages(path)


def open_named(folder: Path, text: str, key: str) -> Frames:
    """Open what the config names, relative to the scan's folder.

    Parameters
    ----------
    folder
        Where the scan lies.
    text
        A file, a folder, a pattern such as ``a_*.tif`` or ``bone{0001..0010}.tif``, where braces
        hold the first and the last number; or an HDF5 file. All may end in a cut: ``[0:10]``.
    key
        The key under ``datasets`` in the config, for messages.
    """
    address = parse(text)
    if address.file is not None:
        frames = open_beside(f"{folder}/", address, key)
    elif any(sign in address.path for sign in "*?{"):
        frames = open_files(address.path, _matching(folder, address, key))
    else:
        item = folder / address.path
        if not item.exists():
            raise UserError(f"{item}: no such file or folder (datasets.{key})")
        frames = open_stack(item)
    return cut_frames(frames, address.cut, text, key)


def _matching(folder: Path, address: Address, key: str) -> list[Path]:
    """All pictures that a pattern names."""
    where = (folder / address.path).parent
    name = Path(address.path).name
    limits = [(int(first), int(last)) for first, last in _RANGE.findall(name)]
    pieces = re.split(r"(\*|\?|\{\d+\.\.\d+\})", name)
    signs = {"*": ".*", "?": "."}
    pattern = "".join(
        r"(\d+)" if piece.startswith("{") else signs.get(piece, re.escape(piece))
        for piece in pieces
    )
    found = []
    for path in pictures_of(where) if where.is_dir() else []:
        match = re.fullmatch(pattern, path.name)
        if match and all(
            first <= int(number) <= last
            for number, (first, last) in zip(match.groups(), limits, strict=True)
        ):
            found.append(path)
    if not found:
        raise UserError(f"{where}: no picture fits {name} (datasets.{key})")
    return found
