"""What a user can choose about normalisation."""

from typing import Literal

from pydantic import Field

from tomobatch.config.section import Section

Input = Literal["counts", "transmission", "line_integrals"]

NO_FLATS = (
    "no flats found; say where they are with datasets.flats, or that the projections are divided by"
    " them already with normalise.input: transmission, or with datasets.white_level, the grey value"
    " of the open beam"
)


class NormaliseSettings(Section):
    """Step 1: from counts to line integrals."""

    input: Input = Field(
        "counts",
        description="what the scan holds: raw counts, or projections divided by their flats already"
        " (`transmission`), or minus the logarithm of these (`line_integrals`)",
    )
    flats: Literal["interpolate", "mean"] = Field(
        "interpolate", description="between the flats before and after, or the mean of all"
    )
    dynamic_flats: Literal["auto"] | bool = Field(
        "auto",
        description="follow a pattern of the beam that moves, by the principal components of 8 or"
        " more flats; `auto` does where that mends projections",
    )
    zinger_threshold: float | None = Field(
        0.3, gt=0, description="excess over the median around it, as a share; null keeps zingers"
    )
    saturation_counts: float | None = Field(
        None,
        gt=0,
        description="counts of a saturated pixel; null: where the flats' counts pile up, or the"
        " largest that the type holds",
    )
    monitor: bool = Field(
        True,
        description="scale every projection by the monitor of the beam, if the file has one that"
        " bears it out",
    )
    flat_scale: float = Field(
        1.0, gt=0, description="what the flats are multiplied by, if exposed otherwise"
    )
    transmission_min: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="clipped from below before the log; null: zero, with half a count added",
    )
    transmission_max: float = Field(10.0, ge=1, description="clipped from above before the log")
