"""What a user can choose about the beam of a tube."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tomobatch.config.section import Section

Hardening = Literal["none", "polynomial", "material"]
LEAST_KV, MOST_KV = 10, 1000
Positive = Annotated[float, Field(gt=0)]


class TubeSettings(Section):
    """The beam of an X-ray tube, which hardens in the sample and scatters."""

    hardening: Hardening = Field(
        "none",
        description="straighten line integrals: by a `polynomial`, or as the beam hardens in one"
        " `material`, water unless said otherwise",
    )
    coefficients: tuple[float, ...] | None = Field(
        None,
        min_length=1,
        max_length=8,
        description="of the polynomial: of the line integral, its square, and so on",
    )
    material: str = Field("H2O", min_length=1, description="formula of what hardens the beam")
    density_g_cm3: Positive = Field(1.0, description="of the material")
    kv: float | None = Field(
        None,
        ge=LEAST_KV,
        le=MOST_KV,
        description="the tube's voltage, of which the spectrum is made; null: what the file says",
    )
    target_deg: float = Field(
        12.0, gt=1, lt=90, description="angle between the tungsten target and the beam"
    )
    filters_mm: dict[str, Positive] = Field(
        {}, description="what stands before the sample, element: thickness, as {Al: 1, Cu: 0.1}"
    )
    scintillator: str | None = Field(
        "CsI", min_length=1, description="formula; null: one that absorbs all"
    )
    scintillator_um: Positive = Field(500.0, description="its thickness")
    scintillator_g_cm3: Positive = Field(4.51, description="its density")
    spectrum: tuple[tuple[Positive, Annotated[float, Field(ge=0)]], ...] | None = Field(
        None,
        min_length=1,
        description="in place of kv and filters_mm: photons on the sample, [[keV, number], ...]",
    )
    energy_kev: float | None = Field(
        None,
        gt=0,
        description="at which grey values come out; null: what is detected of the beam on average",
    )
    scatter: float = Field(
        0.0,
        ge=0,
        lt=0.5,
        description="share of the open beam that falls everywhere as scattered light; taken off"
        " before the logarithm",
    )

    @model_validator(mode="after")
    def _what_is_needed(self) -> Self:
        if self.hardening == "polynomial" and self.coefficients is None:
            raise ValueError("give coefficients with hardening: polynomial, as [1, 0.05]")
        if self.hardening == "material" and None not in (self.kv, self.spectrum):
            raise ValueError("give kv with filters_mm, or spectrum, with hardening: material")
        return self
