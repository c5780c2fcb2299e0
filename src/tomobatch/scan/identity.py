"""Which scan it is: enough of it to tell later whether it is still the same."""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tomobatch.s3.address import is_remote
from tomobatch.scan.header import ScanHeader
from tomobatch.scan.parts import Scan

# Projections whose pixels are looked at, spread from the first to the last.
_SAMPLED = 3


@dataclass(frozen=True)
class Identity:
    """What a scan is known by, wherever it lies.

    Attributes
    ----------
    format
        Of its file.
    size_bytes
        Of its file, or of all files of its folder.
    header_sha256
        Of its shape, its type, its angles, and the figures that its file gives.
    sample_sha256
        Of the pixels of its first, middle and last projection.
    """

    format: str
    size_bytes: int
    header_sha256: str
    sample_sha256: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return asdict(self)


def identify(scan: Scan) -> Identity:
    """Look at an open scan; three of its projections are read."""
    header = scan.header
    last = header.n_projections - 1
    sample = hashlib.sha256()
    for number in np.unique(np.linspace(0, last, _SAMPLED).round().astype(int)):
        picture = scan.read_projections(int(number), int(number) + 1)
        sample.update(np.ascontiguousarray(picture).tobytes())
    return Identity(
        header.format, _size_bytes(header.path), _header_sha256(header), sample.hexdigest()
    )


def _header_sha256(header: ScanHeader) -> str:
    digest = hashlib.sha256()
    figures = (
        *(header.n_projections, header.n_rows, header.n_cols, header.dtype.str),
        *(header.pixel_size_um, header.energy_kev, header.distance_mm),
        *(header.n_flats, header.n_darks, header.half_acquisition, header.rotation),
        *(header.white_level, header.tube_kv),
        None if header.beam is None else sorted(header.beam.to_dict().items()),
    )
    digest.update(repr(figures).encode())
    digest.update(np.ascontiguousarray(header.angles_rad, "<f8").tobytes())
    return digest.hexdigest()


def _size_bytes(path: str) -> int:
    if is_remote(path):
        # The client of S3 is not needed for what lies on this machine.
        from tomobatch.s3.listing import size_of

        return size_of(path)
    place = Path(path)
    files = [place] if place.is_file() else [file for file in place.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)
