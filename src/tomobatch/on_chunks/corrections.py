"""What is done to the line integrals of a scan before they become sinograms."""

from dataclasses import dataclass, field
from typing import Self

from tomobatch.phase.blur import PhaseBlur, make_blur
from tomobatch.phase.settings import PhaseSettings
from tomobatch.scan.header import ScanHeader
from tomobatch.tube.curve import make_straightening
from tomobatch.tube.settings import TubeSettings


@dataclass(frozen=True)
class Corrections:
    """Each pixel by itself first, then what looks around it; as it stands, nothing.

    Attributes
    ----------
    tube
        The beam that hardens and scatters.
    phase
        The filter of phase retrieval; None retrieves none.
    """

    tube: TubeSettings = field(default_factory=TubeSettings)
    phase: PhaseBlur | None = None

    def __hash__(self) -> int:
        return hash(repr(self))

    @classmethod
    def of_scan(cls, tube: TubeSettings, phase: PhaseSettings, header: ScanHeader) -> Self:
        """Return what the settings ask for.

        Raises
        ------
        UserError
            Where a figure that it needs is known neither to the file nor to the configuration, or a
            material is none.
        """
        make_straightening(tube)
        beam = header.beam
        behind_mm = beam and beam.source_to_detector_mm - beam.source_to_axis_mm
        blur = make_blur(
            phase,
            energy_kev=header.energy_kev,
            pixel_um=header.pixel_size_um,
            distance_mm=behind_mm or header.distance_mm,
            magnification=1.0 if beam is None else beam.magnification,
        )
        return cls(tube, blur)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know of them, a line each."""
        asked = make_straightening(self.tube), self.phase
        return tuple(one.warning for one in asked if one is not None and one.warning)

    @property
    def words(self) -> dict[str, str]:
        """What they are, for the report."""
        words = {}
        curve, blur = make_straightening(self.tube), self.phase
        if curve is not None:
            words["Beam of the tube"] = curve.words
        if blur is not None:
            words["Phase retrieval"] = (
                f"{blur.method}, over {blur.length_px:.3g} px;"
                f" Fresnel number {blur.fresnel_number:.3g}"
            )
        return words
