"""Pictures in files: one each, or pages of one TIFF."""

import struct
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from tomobatch.errors import UserError
from tomobatch.scan import raw_pictures

# More pictures of a folder that are damaged, or of another size, than this are no mishap.
_LARGEST_SHARE = 1 / 3


@dataclass(frozen=True)
class _Picture:
    """What the header of a TIFF says; ``fault`` is why it cannot be read, if it cannot."""

    shape: tuple[int, ...] = ()
    dtype: np.dtype[Any] = np.dtype(np.uint8)  # noqa: RUF009  a type, which is immutable
    fault: str = ""


class PictureFiles:
    """Pictures of one size, a file each.

    Attributes
    ----------
    paths
        One a picture.
    unusable
        Which of them are damaged or of another size or type, bool (n,).
    faults
        What is wrong with each of these, in their order.
    """

    def __init__(self, name: str, paths: Sequence[Path]) -> None:
        self.name = name
        self.paths = list(paths)
        usual, odd = _look_at(self.paths)
        self.unusable = np.array([path in odd for path in self.paths])
        self.faults = list(odd.values())
        if len(usual.shape) != 2:
            raise UserError(
                f"{paths[0]}: has shape {usual.shape}; in a folder, each TIFF holds one grey"
                " picture"
            )
        self.dtype = usual.dtype
        self.shape: tuple[int, int, int] = (len(paths), usual.shape[0], usual.shape[1])

    def read(self, start: int, stop: int, rows: slice = slice(None)) -> NDArray[Any]:
        """Read the given rows of pictures ``[start, stop)``."""
        pictures = [self._read_one(path)[rows] for path in self.paths[start:stop]]
        if not pictures:
            return np.empty((0, *self.shape[1:]), self.dtype)[:, rows]
        return np.stack(pictures)

    def sources(self) -> list[Hashable]:
        """Say what each picture is: its file."""
        return [path.resolve() for path in self.paths]

    def usable(self) -> "PictureFiles":
        """Return the pictures that can be read."""
        if not self.unusable.any():
            return self
        kept = [path for path, bad in zip(self.paths, self.unusable, strict=True) if not bad]
        return PictureFiles(self.name, kept)

    def _read_one(self, path: Path) -> NDArray[Any]:
        if path.suffix.lower() in raw_pictures.SUFFIXES:
            return raw_pictures.read_layout(path).read(path)
        with _opened(path) as file:
            picture: NDArray[Any] = file.pages[0].asarray()
        return picture


class TiffPages:
    """Pictures of one file of many pages, however they were written.

    Attributes
    ----------
    unusable
        Which pages lie beyond the end of a truncated file, bool (n,).
    left_out
        Pages of another size, such as a small copy for file browsers.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._path = path
        with _opened(path) as file:
            layout = _run_of_bytes(file) or _listed_pages(path, file)
        self._layout = layout
        self.dtype = layout.dtype
        self.shape = layout.shape
        self.left_out = layout.n_left_out
        self.unusable = layout.ends > path.stat().st_size

    def read(self, start: int, stop: int, rows: slice = slice(None)) -> NDArray[Any]:
        """Read the given rows of pictures ``[start, stop)``."""
        layout, shape = self._layout, (stop - start, *self.shape[1:])
        if start == stop:
            return np.empty(shape, self.dtype)[:, rows]
        with _opened(self._path) as file:
            if layout.first_byte is None:
                pages = [file.pages[page].asarray()[rows] for page in layout.pages[start:stop]]
                return np.array(pages, self.dtype)
            stored = self.dtype.newbyteorder(file.byteorder)
            place = layout.first_byte + start * int(np.prod(shape[1:])) * stored.itemsize
            whole = file.filehandle.memmap_array(stored, shape, place)
            return np.array(whole[:, rows], self.dtype)

    def sources(self) -> list[Hashable]:
        """Say what each picture is: the file, and its page."""
        return [(self._path.resolve(), page) for page in self._layout.pages]


def is_tiff(path: Path) -> bool:
    """Tell whether a file is a TIFF by its first bytes."""
    with path.open("rb") as file:
        return file.read(4) in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


@dataclass(frozen=True)
class _Layout:
    """Where the pictures of one file lie.

    Attributes
    ----------
    shape, dtype
        Of all pictures (n, y, x).
    pages
        Their numbers.
    ends
        Where the bytes of each end, int64 (n,).
    first_byte
        Where the first begins if they are one run of bytes; None if each page is to be looked up.
    n_left_out
        Pages of another size or type.
    """

    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    pages: list[int]
    ends: NDArray[np.int64]
    first_byte: int | None = None
    n_left_out: int = 0


def _run_of_bytes(file: tifffile.TiffFile) -> _Layout | None:
    """Find pictures that are one run of bytes: not every one may be listed (ImageJ over 4 GB)."""
    series = file.series[0]
    if len(file.series) > 1 or series.dataoffset is None or series.dtype is None:
        return None
    if len(series.shape) < 2 or series.keyframe.samplesperpixel != 1:
        return None
    shape = (int(np.prod(series.shape[:-2])), series.shape[-2], series.shape[-1])
    n_bytes = shape[1] * shape[2] * series.dtype.itemsize
    ends = int(series.dataoffset) + np.arange(1, shape[0] + 1) * n_bytes
    return _Layout(shape, series.dtype, list(range(shape[0])), ends, int(series.dataoffset))


def _listed_pages(path: Path, file: tifffile.TiffFile) -> _Layout:
    """Find the pages of the shape and type that most have."""
    kinds = [(page.shape, page.dtype) for page in file.pages]
    shape, dtype = Counter(kinds).most_common(1)[0][0]
    if len(shape) != 2 or dtype is None:
        raise UserError(f"{path}: has pictures of shape {shape}, but grey ones (y, x) are wanted")
    pages = [index for index, kind in enumerate(kinds) if kind == (shape, dtype)]
    return _Layout(
        shape=(len(pages), shape[0], shape[1]),
        dtype=dtype,
        pages=pages,
        ends=np.array([_end(file.pages[index]) for index in pages]),
        n_left_out=len(kinds) - len(pages),
    )


def _end(page: Any) -> int:  # noqa: ANN401  a page of a TIFF, of one of two classes
    """Return where the bytes of a page end."""
    return int(max(np.add(page.dataoffsets, page.databytecounts), default=0))


def _look_at(paths: list[Path]) -> tuple[_Picture, dict[Path, str]]:
    """Find the shape and type that most pictures have, and what is wrong with the others.

    Files of the most common length are alike; only the others are opened.
    """
    lengths = {path: path.stat().st_size for path in paths}
    usual_length = Counter(lengths.values()).most_common(1)[0][0]
    doubtful = [path for path in paths if lengths[path] != usual_length]
    first = next(path for path in paths if lengths[path] == usual_length)
    pictures = {path: _header(path) for path in [first, *doubtful]}
    if not doubtful and pictures[first].fault:
        raise UserError(f"{first}: {pictures[first].fault}")
    votes = Counter({(pictures[first].shape, pictures[first].dtype): len(paths) - len(doubtful)})
    votes.update((pictures[p].shape, pictures[p].dtype) for p in doubtful if not pictures[p].fault)
    shape, dtype = votes.most_common(1)[0][0]
    odd = {
        path: picture.fault or f"{picture.shape} {picture.dtype}, but most are {shape} {dtype}"
        for path, picture in pictures.items()
        if picture.fault or (picture.shape, picture.dtype) != (shape, dtype)
    }
    if len(odd) > max(1, _LARGEST_SHARE * len(paths)) or len(odd) == len(paths):
        path, fault = next(iter(odd.items()))
        raise UserError(f"{path}: {fault}; {len(odd)} of {len(paths)} pictures are not alike")
    return _Picture(shape, dtype), odd


def _header(path: Path) -> _Picture:
    """Read what a picture's file holds, and whether all of it is there."""
    try:
        if path.suffix.lower() in raw_pictures.SUFFIXES:
            layout = raw_pictures.read_layout(path)
            cut = "is truncated" if layout.end > path.stat().st_size else ""
            return _Picture(layout.shape, layout.dtype, cut)
        with _opened(path) as file:
            page = file.pages[0]
            n_pages = len(file.pages)
            shape = page.shape if n_pages == 1 else (n_pages, *page.shape)
            fault = "is truncated" if _end(page) > path.stat().st_size else ""
            return _Picture(shape, page.dtype or np.dtype(np.uint8), fault)
    except UserError as error:
        return _Picture(fault=str(error).removeprefix(f"{path}: "))


@contextmanager
def _opened(path: Path) -> Iterator[tifffile.TiffFile]:
    """Open a TIFF, and put whatever fails while it is read in plain words."""
    try:
        with tifffile.TiffFile(path) as file:
            yield file
    except (OSError, ValueError, RuntimeError, LookupError, struct.error) as error:
        raise UserError(f"{path}: cannot be read as TIFF: {error}") from error
