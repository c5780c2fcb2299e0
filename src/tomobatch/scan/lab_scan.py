"""What the file of a laboratory scanner tells of its pictures, in one form for all makers.

A scanner's file is lines of ``key = value`` under sections in brackets. Keys differ in case between
models, blanks are put anywhere, and neither encoding nor quotes are promised, so that the lines are
read one by one.
"""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tomobatch.errors import UserError
from tomobatch.orientation import Rotation
from tomobatch.scan.angles import FoundAngles
from tomobatch.scan.beam_geometry import BeamGeometry
from tomobatch.scan.cone import FoundCone

# A source further away than this is a word for a parallel beam, such as of light.
_FARTHEST_SOURCE_MM = 1e4


class Fields:
    """The values of a scanner's file, by section and key, whatever their case and blanks."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values: dict[tuple[str, str], str] = {}
        section = ""
        for line in path.read_bytes().decode("utf-8-sig", errors="replace").splitlines():
            text = line.strip()
            if text.startswith("[") and text.endswith("]"):
                section = text[1:-1].strip().lower()
            elif "=" in text:
                key, _, value = text.partition("=")
                self._values.setdefault((section, _bare(key)), value.strip())

    def text(self, section: str, *keys: str) -> str:
        """Return the first of the keys that has a value; an empty text without."""
        found = (self._values.get((section.lower(), _bare(key)), "") for key in keys)
        return next((value for value in found if value), "")

    def number(self, section: str, *keys: str) -> float | None:
        """Return the number that the first of the keys begins with; None without one.

        Raises
        ------
        UserError
            The value is no number.
        """
        value = self.text(section, *keys)
        if not value:
            return None
        match = re.match(r"[-+]?(\d+[.,]?\d*|[.,]\d+)([eE][-+]?\d+)?", value)
        if match is None:
            raise UserError(f"{self._path}: {keys[0]} is {value!r}, but a number is wanted")
        return float(match[0].replace(",", "."))

    def has_section(self, section: str) -> bool:
        """Whether any value stands under the section."""
        return any(one == section.lower() for one, _ in self._values)


def _bare(key: str) -> str:
    return re.sub(r"\s+", " ", key.strip().lower())


@dataclass(frozen=True)
class LabScan:
    """A scan as its scanner's file tells it.

    Attributes
    ----------
    scanner, path
        The maker, and the file.
    cone
        Source, detector and axis, in pixels of the pictures that the file speaks of.
    size_px
        Columns and rows of these; None if the file does not say.
    folder, prefix
        Where the pictures are, and how their names begin; the rest is a number.
    first_number
        The number in the name of the picture that was taken first; None for the lowest there is.
    n_projections, first_deg, step_deg
        How many were taken, the first angle, and the step from one to the next.
    may_end_twice
        Whether a last picture may be the first one taken again.
    white_level
        Grey value of the open beam, if pictures are divided by flats.
    full_scale
        Whether that is the largest value that the pictures' type holds.
    tube_kv
        Voltage of the tube; None if the file does not say.
    rotation
        How the sample turns; None if the file does not say.
    notes
        What the user should know.
    """

    scanner: str
    path: Path
    cone: FoundCone
    size_px: tuple[int, int] | None = None
    folder: Path | None = None
    prefix: str = ""
    first_number: int | None = None
    n_projections: int | None = None
    first_deg: float = 0.0
    step_deg: float | None = None
    may_end_twice: bool = False
    white_level: float | None = None
    full_scale: bool = False
    tube_kv: float | None = None
    rotation: Rotation | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def beam(self) -> BeamGeometry:
        """The distances, and that they are those of a cone."""
        source, detector = self.cone.source_to_axis_mm, self.cone.source_to_detector_mm
        is_far = source is not None and source > _FARTHEST_SOURCE_MM
        return BeamGeometry(
            source_mm=source,
            detector_mm=None if source is None or detector is None else detector - source,
            kind="" if is_far else f"cone beam of a {self.scanner} scanner ({self.path.name})",
        )

    def white_level_of(self, dtype: np.dtype[np.generic]) -> float | None:
        """Return the grey value of the open beam in pictures of a type."""
        if self.full_scale and dtype.kind in "iu":
            return float(np.iinfo(dtype.str).max)
        return self.white_level

    def places(self, numbers: NDArray[np.float64], n_pictures: int) -> NDArray[np.int64]:
        """Return at which step each picture was taken, by the numbers in their names, int64 (n,).

        ``numbers`` is empty where names have none; pictures are then in their order.
        """
        if len(numbers) != n_pictures:
            return np.arange(n_pictures)
        first = numbers.min() if self.first_number is None else self.first_number
        return np.rint(numbers - first).astype(np.int64)

    def angles(self, places: NDArray[np.int64]) -> FoundAngles | None:
        """Return the angles of pictures taken at some steps; None if the file has no step."""
        if self.step_deg is None or self.step_deg == 0:
            return None
        degrees = self.first_deg + self.step_deg * places
        return FoundAngles(self.path.name, np.deg2rad(degrees))

    def cone_of(self, n_rows: int, n_cols: int) -> tuple[FoundCone, tuple[str, ...]]:
        """Return the cone of pictures of a size, and what is to be said of it.

        Raises
        ------
        UserError
            They are not of the size that the file says, nor that binned.
        """
        if self.size_px is None or self.size_px == (n_cols, n_rows):
            return self.cone, ()
        stated_cols, stated_rows = self.size_px
        bins = stated_cols / n_cols
        if bins != round(bins) or bins < 2 or stated_rows // n_rows != bins:
            raise UserError(
                f"{self.path}: says {stated_cols} x {stated_rows} pixels, but its pictures have"
                f" {n_cols} x {n_rows}; is it the file of another scan? Else give datasets.beam and"
                " datasets.cone, and move it away"
            )
        note = (
            f"the pictures have {n_cols} x {n_rows} pixels, {self.path.name} says {stated_cols} x"
            f" {stated_rows}: they are taken as binned by {bins:g}"
        )
        return binned(self.cone, bins), (note,)


def binned(cone: FoundCone, bins: float) -> FoundCone:
    """Return a cone whose pixels are joined."""
    return replace(
        cone,
        pixel_mm=cone.pixel_mm and cone.pixel_mm * bins,
        row_pitch_mm=cone.row_pitch_mm and cone.row_pitch_mm * bins,
        voxel_um=cone.voxel_um and cone.voxel_um * bins,
        shift_u_px=cone.shift_u_px / bins,
        shift_v_px=cone.shift_v_px / bins,
        axis_shift_px=cone.axis_shift_px / bins,
        drift_px=tuple((u / bins, v / bins) for u, v in cone.drift_px),
    )
