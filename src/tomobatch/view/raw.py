"""The files of a volume as they lie, by byte range: what other viewers read over HTTP."""

import re
from dataclasses import dataclass
from pathlib import Path

from tomobatch.s3.address import is_remote

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True)
class Piece:
    """A part of a file.

    Attributes
    ----------
    content
        Its bytes.
    first
        Place of the first of them in the file.
    total
        Length of the file.
    """

    content: bytes
    first: int
    total: int

    @property
    def content_range(self) -> str:
        """As the header of HTTP tells it."""
        return f"bytes {self.first}-{self.first + len(self.content) - 1}/{self.total}"


def read_piece(address: str, name: str, asked: str | None) -> Piece:
    """Read a file below a folder, or a range of it.

    Parameters
    ----------
    address
        The folder, or its s3:// address.
    name
        The file below it.
    asked
        A ``Range`` header of RFC 9110 with one range; None for the whole file.

    Raises
    ------
    LookupError
        If there is no such file below the folder.
    ValueError
        If there is no such range.
    """
    if not all(part.strip(".") for part in name.split("/")):
        raise LookupError(name)
    try:
        return (
            _read_remote(address, name, asked)
            if is_remote(address)
            else _read_here(address, name, asked)
        )
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise LookupError(name) from None


def _read_here(folder: str, name: str, asked: str | None) -> Piece:
    with (Path(folder) / name).open("rb") as file:
        total = Path(folder, name).stat().st_size
        first, end = _bounds(asked, total)
        file.seek(first)
        return Piece(file.read(end - first), first, total)


def _read_remote(address: str, name: str, asked: str | None) -> Piece:
    # The client of S3 is not needed for what lies on this machine.
    import obstore

    from tomobatch.s3.read import open_store

    store = open_store(address)
    total = obstore.head(store, name)["size"]
    first, end = _bounds(asked, total)
    content = obstore.get_range(store, name, start=first, end=end) if end > first else b""
    return Piece(bytes(content), first, total)


def _bounds(asked: str | None, total: int) -> tuple[int, int]:
    """Return where a range begins and ends, [first, end)."""
    if asked is None:
        return 0, total
    match = _RANGE.fullmatch(asked.replace(" ", ""))
    if match is None or match[1] == match[2] == "":
        raise ValueError(asked)
    if match[1] == "":
        first, end = max(0, total - int(match[2])), total
    else:
        first, end = int(match[1]), min(total, int(match[2]) + 1 if match[2] else total)
    if not 0 <= first < end:
        raise ValueError(asked)
    return first, end
