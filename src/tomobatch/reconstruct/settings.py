"""What a user can choose about the reconstruction."""

from typing import Literal

from pydantic import Field

from tomobatch.config.section import Section
from tomobatch.opencl.kind import DeviceKind

MethodName = Literal["auto", "direct", "fourier"]
FilterName = Literal["ramp", "shepp-logan", "cosine", "hamming", "hann"]
Padding = Literal["edge", "zero"]


class ReconstructSettings(Section):
    """Step 4: filtered back-projection."""

    method: MethodName = Field("auto", description="how to back-project")
    filter: FilterName = Field("ramp", description="the window on the ramp filter")
    device: DeviceKind = Field("auto", description="the OpenCL device")
    padding: Padding = Field("edge", description="beyond the detector's edge")
    mask: bool = Field(True, description="set everything outside the field of view to zero")
    half_acquisition: Literal["auto"] | bool = Field(
        "auto",
        description="merge the halves of a full turn about an axis near the detector's edge; `auto`"
        " does where it is found there",
    )
    size_px: int | None = Field(
        None,
        ge=1,
        description="width of a slice; null: of the detector, or twice of it when merged",
    )
    roi_px: tuple[int, int, int, int] | None = Field(
        None, description="part of the slice to reconstruct: x, y, width, height"
    )
    binning: int = Field(1, ge=1, le=64, description="pixels averaged along each side")

    @property
    def merges(self) -> bool | None:
        """Whether the halves of a full turn are merged; None where the axis decides."""
        return None if self.half_acquisition == "auto" else self.half_acquisition
