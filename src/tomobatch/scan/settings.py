"""What a user can say about a scan: where its parts lie, and what its file does not tell."""

from pydantic import Field

from tomobatch.config.section import Section


class DatasetSettings(Section):
    """Where a scan keeps its parts, when the file does not tell by itself."""

    projections: str | None = Field(None, description="path of the projections inside the file")
    flats: str | None = Field(None, description="path of the flats")
    darks: str | None = Field(None, description="path of the darks")
    angles: str | None = Field(None, description="path of the angles")
    angle_range_deg: tuple[float, float] | None = Field(
        None, description="first and last angle, evenly spaced between; overrides the file's angles"
    )
    pixel_size_um: float | None = Field(None, gt=0, description="detector pixel at the sample")
    energy_kev: float | None = Field(None, gt=0, description="photon energy, for the report")
