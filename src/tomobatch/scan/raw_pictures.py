"""Pictures that are a header and raw numbers: EDF, of the ESRF, and FITS, of neutron beamlines.

EDF: blocks of ``key = value ;`` in braces, padded to 512 bytes. FITS: cards of 80 characters in
records of 2880 bytes, after Pence et al., "Definition of the Flexible Image Transport System",
Astron. Astrophys. 524 (2010) A42; whole numbers are stored with an offset.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tomobatch.errors import UserError

EDF, FITS = (".edf",), (".fits", ".fit", ".fts")
SUFFIXES = EDF + FITS

_EDF_TYPES = {
    "unsignedbyte": "u1",
    "signedbyte": "i1",
    "unsignedshort": "u2",
    "signedshort": "i2",
    "unsignedinteger": "u4",
    "signedinteger": "i4",
    "unsignedlong": "u4",
    "signedlong": "i4",
    "unsigned64": "u8",
    "signed64": "i8",
    "float": "f4",
    "floatvalue": "f4",
    "real": "f4",
    "double": "f8",
    "doublevalue": "f8",
}
_FITS_TYPES = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
_FITS_RECORD, _CARD = 2880, 80
_LONGEST_HEADER = 1 << 20


@dataclass(frozen=True)
class RawPicture:
    """Where the numbers of a picture lie, and how they are to be read.

    Attributes
    ----------
    shape
        Of the picture (y, x).
    stored
        Type of a number in the file.
    offset
        Bytes before the first.
    zero
        What is added to each.
    dtype
        Type of a pixel as it is meant.
    """

    shape: tuple[int, ...]
    stored: np.dtype[Any]
    offset: int
    zero: float
    dtype: np.dtype[Any]

    @property
    def end(self) -> int:
        """Bytes up to the last number."""
        return self.offset + int(np.prod(self.shape)) * self.stored.itemsize

    def read(self, path: Path) -> NDArray[Any]:
        """Read the picture (y, x)."""
        count = int(np.prod(self.shape))
        numbers = np.fromfile(path, self.stored, count, offset=self.offset)
        if len(numbers) < count:
            raise UserError(f"{path}: is truncated")
        picture = numbers.reshape(self.shape)
        if self.zero:
            picture = picture.astype(np.int64) + int(self.zero)
        return picture.astype(self.dtype)


def read_layout(path: Path) -> RawPicture:
    """Read the header of a picture.

    Raises
    ------
    UserError
        If it is not what its name says, or holds what is not read here.
    """
    with path.open("rb") as file:
        head = file.read(_LONGEST_HEADER)
    return _edf(path, head) if path.suffix.lower() in EDF else _fits(path, head)


def _edf(path: Path, head: bytes) -> RawPicture:
    end = head.find(b"}\n")
    if not head.lstrip().startswith(b"{") or end < 0:
        raise UserError(f"{path}: not an EDF file")
    text = head[:end].decode("latin-1")
    fields = {
        key.strip().lower(): value.strip()
        for key, value in re.findall(r"([^={};]+)=([^;]*);", text)
    }
    kind = _EDF_TYPES.get(fields.get("datatype", "").lower())
    sizes = [int(fields[name]) for name in ("dim_1", "dim_2") if fields.get(name, "").isdigit()]
    if kind is None or len(sizes) < 2 or ("dim_3" in fields and fields["dim_3"] != "1"):
        raise UserError(f"{path}: an EDF file without a plain picture of whole or real numbers")
    if fields.get("compression", "none").lower() not in ("", "none", "nocompression"):
        raise UserError(f"{path}: compressed EDF cannot be read")
    order = ">" if fields.get("byteorder", "LowByteFirst").lower() == "highbytefirst" else "<"
    stored = np.dtype(f"{order}{kind}")
    return RawPicture((sizes[1], sizes[0]), stored, end + 2, 0.0, stored.newbyteorder("="))


def _fits(path: Path, head: bytes) -> RawPicture:
    if not head.startswith(b"SIMPLE  ="):
        raise UserError(f"{path}: not a FITS file")
    cards: dict[str, str] = {}
    for start in range(0, len(head) - _CARD + 1, _CARD):
        card = head[start : start + _CARD].decode("latin-1")
        if card.startswith("END"):
            break
        if card[8:10] == "= ":
            cards[card[:8].strip()] = card[10:].partition("/")[0].strip()
    else:
        raise UserError(f"{path}: a FITS header without an end")
    offset = -(-(start + _CARD) // _FITS_RECORD) * _FITS_RECORD
    n_axes = int(cards.get("NAXIS", "0"))
    sizes = [int(cards[f"NAXIS{axis + 1}"]) for axis in range(n_axes)]
    stored = _FITS_TYPES.get(int(cards.get("BITPIX", "0")))
    if stored is None or len([size for size in sizes if size > 1]) > 2 or n_axes < 2:
        raise UserError(f"{path}: a FITS file without a plain picture")
    if float(cards.get("BSCALE", "1")) != 1:
        raise UserError(f"{path}: a FITS file with a scale of {cards['BSCALE']} cannot be read")
    zero = float(cards.get("BZERO", "0"))
    kind = np.dtype(stored)
    dtype = kind.newbyteorder("=")
    if zero and kind.kind == "i":
        # Unsigned numbers are stored as signed ones less half their range.
        unsigned = zero == 2 ** (8 * kind.itemsize - 1)
        dtype = np.dtype(f"u{kind.itemsize}") if unsigned else np.dtype(np.int64)
    elif zero:
        raise UserError(f"{path}: a FITS file with an offset of {zero:g} cannot be read")
    return RawPicture((sizes[1], sizes[0]), kind, offset, zero, dtype)
