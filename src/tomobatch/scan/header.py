"""What is known of a scan before any of its pictures is read."""

from collections.abc import Hashable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tomobatch.beam import ConeBeam
from tomobatch.columns import Columns
from tomobatch.known_axis import KnownAxis
from tomobatch.orientation import Rotation, RotationSource


class ImageKey(IntEnum):
    """What a picture of an NXtomo stack is (NeXus application definition NXtomo)."""

    PROJECTION = 0
    FLAT = 1
    DARK = 2
    INVALID = 3


class AngleSource(StrEnum):
    """Where the angles of a scan come from."""

    FILE = "file"
    ASSUMED = "assumed 0..180"
    CONFIG = "config"


@dataclass(frozen=True)
class ScanHeader:
    """A scan in figures.

    Attributes
    ----------
    path
        The file, folder or s3:// URL.
    format
        Name of the format found.
    n_projections, n_rows, n_cols
        Shape of the projections (angle, y, x).
    dtype
        Type of a pixel as it is read.
    stored_dtype
        Type of a pixel of the file, where pictures are averaged or interpolated; None where it is
        the same. Where it is one of whole numbers, readings at its end are saturated.
    stored_px
        Pixels of the file that a picture is made of; None where those are its own.
    angles_rad
        Angle of every projection as stated, shape (angle,), float64.
    angle_source
        Who stated it.
    pixel_size_um, energy_kev
        Size of a pixel at the specimen and photon energy; None if unknown.
    is_mirrored
        The pictures are known to be as seen from behind the detector.
    white_level
        Grey value of the open beam, in pictures that are divided by their flats already; None for
        counts.
    tube_kv
        Voltage of the tube, if the beam is that of one and the file says so.
    distance_mm
        From sample to detector, as the file says; None if it does not.
    n_absent
        Projections that the file announces, by their angles or as blank pictures, and has not.
    first_row
        Where the middle of row 0 lies, in rows from that of the detector's first; beyond whole
        numbers where rows are binned.
    first_column
        Where the middle of column 0 lies, likewise.
    binning
        How many rows and columns of the detector are one here.
    n_flats, n_darks
        Flats and darks of all series together.
    known_axis
        The known answer, if this is a demo scan.
    problems
        What keeps the scan from being reconstructed, a line each.
    notes
        What the user should know of how the scan was read, a line each.
    half_acquisition
        The file says that the axis is near an edge, and that a full turn sees the rest.
    beam
        The cone beam; None for a parallel one.
    rotation, rotation_source
        How the sample turns with rising angles, seen from the first row's side, and who says so.
    """

    path: str
    format: str
    n_projections: int
    n_rows: int
    n_cols: int
    dtype: np.dtype[Any]
    angles_rad: NDArray[np.float64]
    angle_source: AngleSource
    pixel_size_um: float | None
    energy_kev: float | None
    n_flats: int
    n_darks: int
    known_axis: KnownAxis | None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    half_acquisition: bool = False
    beam: ConeBeam | None = None
    rotation: Rotation = "counter-clockwise"
    rotation_source: RotationSource = "assumed"
    distance_mm: float | None = None
    n_absent: int = 0
    first_row: float = 0
    first_column: float = 0
    binning: int = 1
    is_mirrored: bool = False
    white_level: float | None = None
    tube_kv: float | None = None
    stored_dtype: np.dtype[Any] | None = None
    stored_px: int | None = None

    @property
    def counted_as(self) -> np.dtype[Any]:
        """Type of a reading of the detector."""
        return self.dtype if self.stored_dtype is None else self.stored_dtype

    @property
    def columns(self) -> Columns:
        """Where its columns lie on the detector."""
        return Columns(self.first_column, self.binning)

    @property
    def picture_mb(self) -> float:
        """What is read of the file for one picture."""
        n_pixels = self.n_rows * self.n_cols if self.stored_px is None else self.stored_px
        return n_pixels * self.counted_as.itemsize / 1e6

    @property
    def has_open_beam(self) -> bool:
        """Whether flats or a white level tell what the beam was without a sample."""
        return self.n_flats > 0 or self.white_level is not None

    @property
    def flats_in_words(self) -> str:
        """How many flats there are, or what stands for them."""
        if self.white_level is None:
            return str(self.n_flats)
        return f"divided by them already (open beam at {self.white_level:g})"


class Frames(Protocol):
    """A stack of pictures (n, y, x) that is read in pieces."""

    @property
    def name(self) -> str:
        """Where the stack lies, for messages."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of pictures, rows and columns."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of a pixel."""

    def read(self, start: int, stop: int, rows: slice = slice(None)) -> NDArray[Any]:
        """Read the given rows of pictures ``[start, stop)``, in the type they are stored in."""

    def sources(self) -> list[Hashable]:
        """Say what each picture is, so that one is not taken twice: the same for the same one."""
