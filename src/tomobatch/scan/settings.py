"""What a user can say about a scan: where its parts lie, and what its file does not tell."""

from typing import Literal

from pydantic import Field

from tomobatch.config.section import Section
from tomobatch.orientation import Rotation
from tomobatch.scan.distortion_settings import DistortionSettings


class ConeSettings(Section):
    """The cone beam of a laboratory scanner, where the file does not tell it or tells it wrong."""

    source_to_axis_mm: float | None = Field(None, gt=0, description="source to rotation axis")
    source_to_detector_mm: float | None = Field(None, gt=0, description="source to detector")
    detector_pixel_um: float | None = Field(
        None, gt=0, description="pixel of the detector, with its binning"
    )
    row_pitch_um: float | None = Field(
        None, gt=0, description="distance of the detector's rows; null: that of its columns"
    )
    shift_u_px: float | None = Field(
        None, description="columns from the detector's middle to the normal from the source"
    )
    shift_v_px: float | None = Field(
        None, description="rows from the detector's middle to the source's plane"
    )
    axis_shift_px: float | None = Field(
        None, description="columns from that normal to where the axis is seen; a first guess"
    )
    roll_deg: float | None = Field(
        None, gt=-45, lt=45, description="in-plane turn of the detector; a first guess"
    )
    tilt_deg: float | None = Field(
        None, gt=-45, lt=45, description="turn that moves the last rows away from the source"
    )
    slant_deg: float | None = Field(
        None, gt=-45, lt=45, description="turn that moves the last columns away from the source"
    )
    drift_px: list[tuple[float, float, float]] | None = Field(
        None,
        description="how far the picture has moved on the detector, as the focal spot drifts: lists"
        " of a projection's number, columns and rows, with straight lines between",
    )


class DatasetSettings(Section):
    """Where a scan keeps its parts, when the file does not tell by itself."""

    projections: str | None = Field(
        None,
        description="path of the projections inside the file, or of an entry; for pictures a folder"
        " or pattern such as `bone{0021..0220}.tif`. `[0:10]` at the end takes a part, here and"
        " below",
    )
    flats: str | list[str] | None = Field(
        None, description="path of the flats, also in another file (`other.h5:/path`); or several"
    )
    darks: str | list[str] | None = Field(None, description="path of the darks, or several")
    angles: str | None = Field(
        None,
        description="path of the angles; a text, CSV or npy file (`angles.csv:column`); or `names`,"
        " for the numbers in the names of pictures",
    )
    image_key: str | None = Field(
        None, description="path of what tells projections (0), flats (1) and darks (2) apart"
    )
    white_level: float | None = Field(
        None,
        gt=0,
        description="grey value of the open beam in pictures that the scanner has divided by its"
        " flats; null: what its file says",
    )
    exclude: str | list[int | str] | None = Field(
        None, description="projections to leave out, from 0: numbers and ranges, `[3, 10-19]`"
    )
    include: str | list[int | str] | None = Field(
        None,
        description="projections to take alone, from 0: `every 2`, numbers and ranges, `0-899`,"
        " `0-899 every 3`; null: all",
    )
    rows: str | None = Field(
        None,
        description="rows of the detector to take alone, from 0: the first and the last, `100-899`;"
        " null: all",
    )
    columns: str | None = Field(
        None,
        description="columns of the detector to take alone, from 0: the first and the last; null:"
        " all",
    )
    binning: Literal[1, 2, 4] = Field(
        1, description="average blocks of so many rows and columns before anything else"
    )
    quarter_turn: Literal["clockwise", "counter-clockwise"] | None = Field(
        None,
        description="how to turn pictures whose rotation axis lies, so that it is upright; rows,"
        " columns and all that is said of the beam are then those of the turned ones",
    )
    angle_range_deg: tuple[float, float] | None = Field(
        None,
        description="first and last angle, evenly spaced between, before any projection is left"
        " out; overrides the file's angles",
    )
    rotation: Rotation | None = Field(
        None,
        description="how the sample turns with rising angles, seen from above (the side of the"
        " detector's first row); null: what the file says, or counter-clockwise",
    )
    pixel_size_um: float | None = Field(
        None, ge=1e-3, le=1e4, description="detector pixel at the sample, a voxel"
    )
    energy_kev: float | None = Field(None, gt=0, description="photon energy, for the report")
    beam: Literal["auto", "parallel", "cone"] = Field(
        "auto", description="the beam; `auto` takes what the file says"
    )
    cone: ConeSettings = ConeSettings()
    distortion: DistortionSettings = DistortionSettings()
