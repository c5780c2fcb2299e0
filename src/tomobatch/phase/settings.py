"""What a user can choose about phase retrieval."""

from typing import Literal, Self

from pydantic import Field, model_validator

from tomobatch.config.section import Section

PhaseMethod = Literal["none", "paganin", "generalised"]


class PhaseSettings(Section):
    """Phase retrieval, before the sinograms are made; needs the energy and the pixel size."""

    method: PhaseMethod = Field(
        "none",
        description="paganin for samples of one material, seen at a distance by a coherent beam;"
        " generalised blurs a little less where the detector is sharp to one pixel",
    )
    delta_beta: float | None = Field(
        None, gt=0, description="delta over beta of the material, with the absorption in beta whole"
    )
    material: str | None = Field(
        None, min_length=1, description="formula, as SiO2, in place of delta_beta; needs density"
    )
    density_g_cm3: float | None = Field(None, gt=0, description="of the material")
    distance_mm: float | None = Field(
        None, gt=0, description="from sample to detector; null: from the file"
    )
    unsharp_px: float | None = Field(
        None, gt=0, description="sigma of an unsharp mask after the retrieval; null leaves it out"
    )
    unsharp_strength: float = Field(1.0, gt=0, description="how much of the mask is added")

    @model_validator(mode="after")
    def _one_ratio(self) -> Self:
        if self.method == "none":
            return self
        if (self.delta_beta is None) == (self.material is None):
            raise ValueError("give delta_beta, or material with density_g_cm3")
        if self.material is not None and self.density_g_cm3 is None:
            raise ValueError("give density_g_cm3 with material, in g/cm3")
        return self
