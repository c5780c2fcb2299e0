"""Whether a scan's beam was parallel, as far as its distances tell."""

from dataclasses import dataclass
from typing import Self

from tomobatch.scan.units import Figure

# How far an edge may be off, in pixels at the rim of the field of view, if the fan of the beam is
# ignored; and the magnification that is too much where the size of a pixel is not known.
_LARGEST_ERROR_PX = 0.5
_LARGEST_MAGNIFICATION = 1.05


@dataclass(frozen=True)
class BeamGeometry:
    """What a file says of its beam; None where it says nothing.

    Attributes
    ----------
    source_mm, detector_mm
        Distance from the sample to the source, and to the detector.
    magnification
        Geometric, of the diverging beam; not that of a lens.
    kind
        The beam in the file's own word, such as ``cone``.
    notes
        Distances of the file that cannot be, a line each.
    """

    source_mm: float | None = None
    detector_mm: float | None = None
    magnification: float | None = None
    kind: str = ""
    notes: tuple[str, ...] = ()

    @classmethod
    def of_figures(
        cls, source: Figure, detector: Figure, magnification: float | None = None, kind: str = ""
    ) -> Self:
        """Return the geometry of distances in mm, with their notes."""
        notes = tuple(one.note for one in (source, detector) if one.note is not None)
        return cls(source.value, detector.value, magnification, kind, notes)

    def diverging(self, n_cols: int, pixel_um: float | None) -> str | None:
        """Say in words by what a scan of so many columns is that of a cone beam; None if it is not.

        Of a point at a distance r from the axis, a source at a distance z moves the shadow by up to
        r^2 / z as the sample turns, beside magnifying it.
        """
        stated = self._stated()
        if "cone" in self.kind.lower() or "fan" in self.kind.lower():
            return stated or f"the file says {self.kind!r}"
        if stated is None:
            return None
        if self.source_mm is not None and pixel_um is not None:
            error_px = (n_cols / 2) ** 2 * pixel_um / (self.source_mm * 1e3)
            return stated if error_px > _LARGEST_ERROR_PX else None
        magnification = self._magnification()
        if magnification is not None and magnification > _LARGEST_MAGNIFICATION:
            return stated
        return None

    def _magnification(self) -> float | None:
        if self.magnification is not None:
            return self.magnification
        if self.source_mm is None or self.detector_mm is None:
            return None
        return (self.source_mm + self.detector_mm) / self.source_mm

    def _stated(self) -> str | None:
        """Put what the file says in words."""
        magnification = self._magnification()
        parts = []
        if self.source_mm is not None:
            parts.append(f"the source {self.source_mm:.4g} mm from the sample")
        if magnification is not None:
            parts.append(f"a magnification of {magnification:.4g}")
        return " and ".join(parts) or None
