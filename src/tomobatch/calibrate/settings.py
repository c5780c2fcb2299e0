"""What a user can give of the calibration, which wins over what is found."""

from pydantic import Field, model_validator

from tomobatch.config.section import Section


class CalibrateSettings(Section):
    """Step 3: centre of rotation, tilt and grey window; a given value wins over the found one."""

    like: str | None = Field(
        None,
        description="scan of this run whose axis and grey window are taken, with what is given"
        " for it in this section; null: the scan's own",
    )
    cor_px: float | None = Field(
        None, description="centre of rotation at the middle row, in columns as they are taken"
    )
    tilt_deg: float | None = Field(None, gt=-45, lt=45, description="tilt of the rotation axis")
    grey_window: tuple[float, float] | None = Field(
        None, description="lowest and highest grey value to show, in the unit of the volume"
    )
    grey_percentiles: tuple[float, float] = Field(
        (0.1, 99.9), description="of the histogram, for the grey window that is found"
    )

    @model_validator(mode="after")
    def _ordered(self) -> "CalibrateSettings":
        for name in ("grey_window", "grey_percentiles"):
            pair = getattr(self, name)
            if pair is not None and not pair[0] < pair[1]:
                raise ValueError(f"{name}: the first value must be below the second")
        low, high = self.grey_percentiles
        if low < 0 or high > 100:
            raise ValueError("grey_percentiles: must lie between 0 and 100")
        return self
