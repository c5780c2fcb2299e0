"""What a user can choose about the volume that is written."""

from typing import Literal

from pydantic import Field

from tomobatch.config.section import Section

ExportKind = Literal["tiff", "hdf5"]


class VolumeSettings(Section):
    """What is written, for all scans alike."""

    levels: int = Field(3, ge=1, le=8, description="resolutions of the OME-Zarr pyramid")
    export: list[ExportKind] = Field([], description="copies of the volume in other formats")
