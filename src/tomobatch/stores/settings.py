"""What a user can choose about the volume that is written."""

from typing import Literal, Self

from pydantic import Field, model_validator

from tomobatch.config.section import Section
from tomobatch.orientation import OrientationName

ExportKind = Literal["tiff", "hdf5", "nrrd"]
VolumeType = Literal["float32", "uint16", "uint8"]


class VolumeSettings(Section):
    """What is written, for all scans alike."""

    levels: int = Field(3, ge=1, le=8, description="resolutions of the OME-Zarr pyramid")
    dtype: VolumeType = Field(
        "float32",
        description="of a voxel; whole numbers by one scale and offset, which the metadata say",
    )
    window: tuple[float, float] | None = Field(
        None,
        description="grey values of the lowest and the highest whole number, in the unit of the"
        " volume; null: all that calibration saw, and some more at either end",
    )
    orientation: OrientationName = Field(
        "sample",
        description="the sample as it is, or mirrored as a peer shows it (parallel beams alone)",
    )
    check: Literal["warn", "fail"] = Field(
        "warn",
        description="a scan whose report is red: say so, or fail for that scan once it is made",
    )
    export: list[ExportKind] = Field([], description="copies of the volume in other formats")

    @model_validator(mode="after")
    def _window_of_codes(self) -> Self:
        if self.window is None:
            return self
        if self.dtype == "float32":
            raise ValueError("window: float32 needs none; give dtype: uint16 or uint8 with it")
        if not self.window[0] < self.window[1]:
            raise ValueError("window: the first value must be below the second")
        return self
