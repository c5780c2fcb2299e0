"""What a user can choose about the alignment of projections."""

from typing import Literal

from pydantic import Field

from tomobatch.config.section import Section

AlignMethod = Literal["none", "auto", "mass", "consistency"]


class AlignSettings(Section):
    """Projections that jitter or drift are moved onto each other, once stripes are removed."""

    method: AlignMethod = Field(
        "none",
        description="auto: by `mass`, where the sample lies within the detector's width, then by"
        " `consistency` of neighbouring projections; or by one of them alone",
    )
    vertical: bool = Field(True, description="across rows as well, not along them alone")
    iterations: int = Field(20, ge=1, le=200, description="of consistency, at most")
