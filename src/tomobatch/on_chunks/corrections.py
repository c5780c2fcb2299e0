"""What is done to the line integrals of a scan before they become sinograms."""

from dataclasses import dataclass, field
from typing import Self

from tomobatch.errors import UserError
from tomobatch.phase.blur import PhaseBlur, make_blur
from tomobatch.phase.settings import PhaseSettings
from tomobatch.scan.header import ScanHeader
from tomobatch.tube.curve import make_straightening
from tomobatch.tube.settings import LEAST_KV, MOST_KV, TubeSettings


@dataclass(frozen=True)
class Corrections:
    """Each pixel by itself first, then what looks around it; as it stands, nothing.

    Attributes
    ----------
    tube
        The beam that hardens and scatters.
    phase
        The filter of phase retrieval; None retrieves none.
    tube_kv
        Voltage of the tube that the scan's file states; None if it states none.
    """

    tube: TubeSettings = field(default_factory=TubeSettings)
    phase: PhaseBlur | None = None
    tube_kv: float | None = None

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
        tube = _with_voltage(tube, header)
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
        return cls(tube, blur, header.tube_kv)

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
        elif self.tube_kv is not None:
            words["Beam of the tube"] = (
                f"{self.tube_kv:g} kV; neither hardening nor scattered light is corrected"
            )
        if blur is not None:
            words["Phase retrieval"] = (
                f"{blur.method}, over {blur.length_px:.3g} px;"
                f" Fresnel number {blur.fresnel_number:.3g}"
            )
        return words


def _with_voltage(tube: TubeSettings, header: ScanHeader) -> TubeSettings:
    """Return the settings with the voltage that the scan's file states, if one is wanted."""
    if tube.hardening != "material" or tube.kv is not None or tube.spectrum is not None:
        return tube
    if header.tube_kv is None or not LEAST_KV <= header.tube_kv <= MOST_KV:
        raise UserError(
            f"{header.path}: tube.hardening: material needs the tube's voltage, which the file does"
            " not tell; give tube.kv with filters_mm, or tube.spectrum"
        )
    return tube.model_copy(update={"kv": header.tube_kv})
