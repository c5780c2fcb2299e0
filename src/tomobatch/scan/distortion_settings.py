"""What a user can say about the distortion of the detector's optics."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from pydantic import Field, model_validator

from tomobatch.config.section import Section
from tomobatch.config.sent import in_this_folder


class DistortionSettings(Section):
    """The radial distortion of the detector's optics, in the convention of discorpy."""

    x_px: float = Field(0.0, allow_inf_nan=False, description="column of the centre of distortion")
    y_px: float = Field(0.0, allow_inf_nan=False, description="row of the centre of distortion")
    coefficients: tuple[float, ...] = Field(
        (),
        max_length=12,
        description="of the backward model, in pixels of the pictures as they are stored:"
        " [1, 1e-6, -2e-9]; none: no correction",
    )
    file: str | None = Field(
        None,
        description="a text file of discorpy that holds the three; with coefficients beside it, it"
        " says only where they come from",
    )

    @model_validator(mode="before")
    @classmethod
    def _from_file(cls, given: Any) -> Any:  # noqa: ANN401  whatever the user wrote
        # Read when the configuration is: a volume is to say by which numbers it was made.
        if not isinstance(given, dict) or given.get("file") is None or given.get("coefficients"):
            return given
        return {**given, **read_coefficients(str(given["file"]))}

    @model_validator(mode="after")
    def _finite(self) -> Self:
        if not all(abs(one) < float("inf") for one in self.coefficients):
            raise ValueError("coefficients must be numbers")
        return self


def read_coefficients(path: str) -> dict[str, Any]:
    """Read centre and coefficients from a text file as discorpy writes it.

    Raises
    ------
    ValueError
        If there is none, or it is another.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").split("\n")
        numbers = [float(line.split()[-1]) for line in lines if line.strip()]
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}; each line ends with a number") from error
    if len(numbers) < 3:
        raise ValueError(
            f"{path} holds {len(numbers)} numbers; a line each is needed for xcenter, ycenter"
            " and one factor or more, as discorpy writes them"
        )
    return {"x_px": numbers[0], "y_px": numbers[1], "coefficients": numbers[2:]}


def files_to_send(distortions: Iterable[DistortionSettings]) -> list[str]:
    """Return the files that a configuration is read from, for machines that have none of them.

    Raises
    ------
    UserError
        For one outside of this folder, which is all that they are sent.
    """
    files = sorted({one.file for one in distortions if one.file is not None})
    otherwise = ", or give what it holds as x_px, y_px and coefficients"
    return [in_this_folder("datasets.distortion.file", file, otherwise) for file in files]
