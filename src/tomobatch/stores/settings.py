"""What a user can choose about the volume that is written."""

from typing import Literal

from pydantic import Field

from tomobatch.config.section import Section
from tomobatch.orientation import OrientationName

ExportKind = Literal["tiff", "hdf5"]


class VolumeSettings(Section):
    """What is written, for all scans alike."""

    levels: int = Field(3, ge=1, le=8, description="resolutions of the OME-Zarr pyramid")
    orientation: OrientationName = Field(
        "sample",
        description="the sample as it is, or mirrored as a peer shows it (parallel beams alone)",
    )
    check: Literal["warn", "fail"] = Field(
        "warn",
        description="a scan whose report is red: say so, or fail for that scan once it is made",
    )
    export: list[ExportKind] = Field([], description="copies of the volume in other formats")
